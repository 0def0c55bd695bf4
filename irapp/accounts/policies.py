"""Who may do what with people, roles and tokens. Every rule raises its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from irapp.accounts.models import ApiToken, RoleCode, Scope
from irapp.common.errors import ConflictError, DomainError, NotPermittedError

if TYPE_CHECKING:
    from irapp.accounts.models import User

ACTING = tuple(code for code in RoleCode if code != RoleCode.AUDITOR)
WRITING = frozenset({Scope.SIGNALS_WRITE, Scope.INCIDENTS_WRITE, Scope.CORRECTIONS_PROPOSE})


def check_can_act(user: User) -> None:
    """Whoever only audits, or has no role at all, reads and changes nothing."""
    if not user.has_role(*ACTING):
        lacking = "Auditors read everything and change nothing" if user.role_codes else "You hold no role"
        raise NotPermittedError(f"{lacking}; ask an administrator for a role.", code="read_only")


def check_can_manage_people(user: User) -> None:
    """Administrators look after people and roles."""
    if not user.has_role(RoleCode.ADMINISTRATOR):
        raise NotPermittedError("To manage people you need to be administrator.", code="role_missing")


def check_can_see_people(user: User) -> None:
    """Auditors see who may do what, and since when."""
    if not user.has_role(RoleCode.ADMINISTRATOR, RoleCode.AUDITOR):
        raise NotPermittedError(
            "To see people and their roles you need to be administrator or auditor.", code="role_missing"
        )


def check_can_change(user: User, person: User) -> None:
    """Nobody changes what they may do themselves, with this account or another of theirs."""
    check_can_manage_people(user)
    if user.person == person.person:
        raise NotPermittedError(
            "You cannot change your own roles; ask another administrator.", code="own_roles"
        )


def check_can_grant(user: User, person: User) -> None:
    """Somebody who has left gets no new roles."""
    check_can_change(user, person)
    if not person.is_active:
        raise ConflictError(f"{person} is deactivated: reactivate them first.", code="deactivated")


def check_can_hold(person: User, role: str) -> None:
    """Whoever audits has no other part in what is audited."""
    others = person.role_codes - {role}
    if (role == RoleCode.AUDITOR and others) or RoleCode.AUDITOR in others:
        raise ConflictError(
            f"An auditor holds no other role: take from {person} what they hold first.",
            code="roles_exclude_each_other",
        )


def check_not_last_administrator(person: User, others: int) -> None:
    """Somebody must be left who can give roles; the caller counts the others under a lock."""
    if not others and person.has_role(RoleCode.ADMINISTRATOR):
        raise ConflictError(
            f"{person} is the last administrator: make somebody else one first.", code="last_administrator"
        )


def check_can_make_token(user: User, scopes: Iterable[str]) -> None:
    """A token does no more than its account; those who change nothing get tokens that read."""
    if WRITING.intersection(scopes):
        check_can_act(user)


def check_can_revoke_token(user: User, token: ApiToken) -> None:
    """Its owner, or an administrator when something went wrong."""
    if token.user_id != user.pk:
        check_can_manage_people(user)


def why_not(rule: Callable[..., object], *args: object) -> str:
    """Give the reason that a rule would raise, or nothing where it would pass."""
    try:
        rule(*args)
    except DomainError as error:
        return str(error)
    return ""
