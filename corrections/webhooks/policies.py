"""Who may do what with webhooks, and when. Each rule raises its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from irapp.accounts.models import RoleCode
from irapp.common.errors import ConflictError, NotPermittedError

if TYPE_CHECKING:
    from corrections.webhooks.models import Endpoint
    from irapp.accounts.models import User


def check_can_see(user: User) -> None:
    """Whoever holds a role sees where policies go; nobody ever sees a secret again."""
    if not user.role_codes:
        raise NotPermittedError("You hold no role; ask an administrator for one.", code="wrong_role")


def check_can_manage(user: User) -> None:
    """Administrators say where policies are sent."""
    if not user.has_role(RoleCode.ADMINISTRATOR):
        raise NotPermittedError("To change webhooks you need to be administrator.", code="wrong_role")


def check_can_change(endpoint: Endpoint, user: User) -> None:
    """What was removed stays as it was."""
    check_can_manage(user)
    if endpoint.removed_at is not None:
        raise ConflictError(f"{endpoint} is removed.", code="removed")


def check_can_ping(endpoint: Endpoint, user: User) -> None:
    """A paused endpoint may be tried before it is resumed."""
    check_can_change(endpoint, user)


def check_can_pause(endpoint: Endpoint, user: User) -> None:
    """Only what is sent to can be paused."""
    check_can_change(endpoint, user)
    if endpoint.paused_at is not None:
        raise ConflictError(f"{endpoint} is paused already.", code="paused")


def check_can_resume(endpoint: Endpoint, user: User) -> None:
    """Only what is paused can be resumed."""
    check_can_change(endpoint, user)
    if endpoint.paused_at is None:
        raise ConflictError(f"{endpoint} is not paused.", code="not_paused")
