"""Who reads how much of the log. Nobody writes or changes it by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from irapp.accounts.models import RoleCode
from irapp.common.errors import NotPermittedError

if TYPE_CHECKING:
    from irapp.accounts.models import User


def reads_everything(user: User) -> bool:
    """Auditors and administrators; everybody else reads the events of incidents they may see."""
    return user.has_role(RoleCode.AUDITOR, RoleCode.ADMINISTRATOR)


def check_can_export(user: User) -> None:
    """What leaves the house is complete, so only who reads everything may take it out."""
    if not reads_everything(user):
        raise NotPermittedError(
            "To export the audit log you need to be auditor or administrator.", code="role_missing"
        )
