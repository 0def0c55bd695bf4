"""Roles are given and taken by somebody else, and the grants stay as history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from irapp.accounts import policies
from irapp.accounts.actions.shared import keep_an_administrator, locked, one_at_a_time
from irapp.accounts.models import Role, RoleCode, RoleGrant, User
from irapp.common.errors import ConflictError, InvalidError
from irapp.common.recording import record

if TYPE_CHECKING:
    from django.db.models import QuerySet


@transaction.atomic
def grant_role(*, user_id: int, role: str, by: User | None) -> User:
    """Give a role. Giving one that is held already is refused, so that nobody mistakes who gave it."""
    person = locked(user_id)
    if by is not None:
        policies.check_can_grant(by, person)
    if role not in RoleCode.values:
        raise InvalidError(f"There is no role {role}.", field="role")
    if _held(person).filter(role_id=role).exists():
        raise ConflictError(f"{person} holds this role already.", code="role_held")
    policies.check_can_hold(person, role)
    RoleGrant.objects.create(user=person, role=Role.objects.get(pk=role), granted_by=by)
    person.forget_roles()
    record("person.role_granted", person, by=by, role=role)
    return person


@transaction.atomic
def revoke_role(*, user_id: int, role: str, by: User) -> User:
    """Take a role; the grant stays on record with its end."""
    one_at_a_time()
    person = locked(user_id)
    policies.check_can_change(by, person)
    if role == RoleCode.ADMINISTRATOR:
        keep_an_administrator(person)
    if not _held(person).filter(role_id=role).update(ends_at=timezone.now()):
        raise ConflictError(f"{person} does not hold this role.", code="role_not_held")
    person.forget_roles()
    record("person.role_revoked", person, by=by, role=role)
    return person


def _held(person: User) -> QuerySet[RoleGrant]:
    return RoleGrant.objects.current(now=timezone.now()).filter(user=person)
