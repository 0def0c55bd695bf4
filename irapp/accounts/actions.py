"""Everything that can happen to people, their roles and their tokens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from irapp.accounts import policies
from irapp.accounts.models import ApiToken, Role, RoleCode, RoleGrant, Scope, User
from irapp.common.errors import ConflictError, InvalidError
from irapp.common.recording import record

if TYPE_CHECKING:
    from django.db.models import QuerySet


@transaction.atomic
def add_person(*, username: str, name: str, password: str, by: User | None, email: str = "") -> User:
    """Add somebody, without roles. ``by`` is None only on the command line."""
    if by is not None:
        policies.check_can_manage_people(by)
    user = User(username=User.normalize_username(username.strip()), name=name.strip(), email=email)
    _check_password(password, user)
    user.set_password(password)
    _check_fields(user)
    user.save()
    record("person.added", user, by=by, username=user.username)
    return user


@transaction.atomic
def grant_role(*, user_id: int, role: str, by: User | None) -> User:
    """Give a role. Giving one that is held already is refused, so that nobody mistakes who gave it."""
    person = _locked(user_id)
    if by is not None:
        policies.check_can_grant(by, person)
    if role not in RoleCode.values:
        raise InvalidError(f"There is no role {role}.", field="role")
    if _held(person).filter(role_id=role).exists():
        raise ConflictError(f"{person} holds this role already.", code="role_held")
    RoleGrant.objects.create(user=person, role=Role.objects.get(pk=role), granted_by=by)
    record("person.role_granted", person, by=by, role=role)
    return person


@transaction.atomic
def revoke_role(*, user_id: int, role: str, by: User, now: datetime | None = None) -> User:
    """Take a role; the grant stays on record with its end."""
    person = _locked(user_id)
    policies.check_can_change(by, person)
    ended = _held(person).filter(role_id=role).update(ends_at=now or timezone.now())
    if not ended:
        raise ConflictError(f"{person} does not hold this role.", code="role_not_held")
    record("person.role_revoked", person, by=by, role=role)
    return person


@transaction.atomic
def set_active(*, user_id: int, active: bool, by: User) -> User:
    """Shut somebody out at once, with their tokens, or let them in again (without the tokens)."""
    person = _locked(user_id)
    policies.check_can_change(by, person)
    if person.is_active == active:
        raise ConflictError(f"{person} is {'active' if active else 'deactivated'} already.", code="unchanged")
    person.is_active = active
    person.save()
    tokens = 0 if active else ApiToken.objects.filter(user=person).delete()[0]
    verb = "person.reactivated" if active else "person.deactivated"
    record(verb, person, by=by, tokens_revoked=tokens)
    return person


@transaction.atomic
def join_accounts(*, user_id: int, same_as_id: int, by: User) -> User:
    """Say that two accounts belong to one human being: from now on they have one voice."""
    person, other = _locked(user_id), _locked(same_as_id)
    policies.check_can_change(by, person)
    policies.check_can_change(by, other)
    if person.person == other.person:
        raise ConflictError(f"{person} and {other} count as one person already.", code="unchanged")
    User.objects.filter(person=person.person).update(person=other.person)
    record("person.accounts_joined", person, by=by, same_as=other.pk, name=str(other))
    return person


@transaction.atomic
def create_token(
    *, label: str, scopes: Sequence[str], by: User, days: int | None = None
) -> tuple[ApiToken, str]:
    """Make a token for oneself; its secret is given once and kept nowhere."""
    unknown = set(scopes) - set(Scope.values)
    if unknown or not scopes:
        raise InvalidError(f"Choose from: {', '.join(Scope.values)}.", field="scopes")
    policies.check_can_make_token(by, scopes)
    expiry = timedelta(days=days) if days else None
    token, secret = ApiToken.objects.create(user=by, label=label, scopes=list(scopes), expiry=expiry)
    record("token.created", by, by=by, label=label, scopes=list(scopes), token=token.token_key)
    return token, secret


@transaction.atomic
def revoke_token(*, token_key: str, by: User) -> None:
    """End a token at once. One that is gone already counts as ended."""
    token = ApiToken.objects.select_for_update(of=("self",)).filter(token_key=token_key).first()
    if token is None:
        return
    policies.check_can_revoke_token(by, token)
    owner = token.user
    token.delete()
    record("token.revoked", owner, by=by, label=token.label, token=token.token_key)


def _locked(user_id: int) -> User:
    return User.objects.select_for_update().get(pk=user_id)


def _held(person: User) -> QuerySet[RoleGrant]:
    return RoleGrant.objects.current(now=timezone.now()).filter(user=person)


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise InvalidError(" ".join(error.messages), field="password") from error


def _check_fields(user: User) -> None:
    try:
        user.full_clean()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise InvalidError(" ".join(messages), field=field) from error
