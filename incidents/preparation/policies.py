"""Who may change the standing preparation, and who binds an incident to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incidents.policies import check_can_edit, check_role
from irapp.accounts.models import RoleCode
from irapp.common.errors import ConflictError

if TYPE_CHECKING:
    from incidents.models import Incident
    from incidents.preparation.models import Entry
    from irapp.accounts.models import User

PREPARERS = (RoleCode.COMMANDER, RoleCode.ADMINISTRATOR)


def check_can_prepare(user: User) -> None:
    """The standing preparation belongs to commanders and administrators."""
    check_role(user, PREPARERS, "change the preparation")


def check_is_current(entry: Entry) -> None:
    """Retired entries stay as they were."""
    if entry.retired_at is not None:
        raise ConflictError(f"{entry} is retired.", code="retired")


def check_can_bind(incident: Incident, user: User) -> None:
    """Whoever may edit the open incident may bind it."""
    check_can_edit(incident, user)
