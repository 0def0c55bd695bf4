"""People come, are shut out, and come back. They are never removed: the record names them."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction

from irapp.accounts import policies
from irapp.accounts.actions.passwords import check_password
from irapp.accounts.actions.shared import keep_an_administrator, locked, one_at_a_time
from irapp.accounts.models import ApiToken, User
from irapp.common.errors import ConflictError, InvalidError
from irapp.common.recording import record


@transaction.atomic
def add_person(*, username: str, name: str, by: User | None, password: str = "", email: str = "") -> User:
    """Add somebody, without roles.

    :param password: empty for somebody who chooses one by the link of :func:`invite`.
    :param by: None only on the command line.
    """
    if by is not None:
        policies.check_can_manage_people(by)
    user = User(username=User.normalize_username(username.strip()), name=name.strip(), email=email)
    if password:
        check_password(password, user)
    user.set_password(password or None)
    _check_fields(user)
    user.save()
    record("person.added", user, by=by, username=user.username)
    return user


@transaction.atomic
def set_active(*, user_id: int, active: bool, by: User) -> User:
    """Shut somebody out at once, with their tokens, or let them in again (without the tokens)."""
    one_at_a_time()
    person = locked(user_id)
    policies.check_can_change(by, person)
    if person.is_active == active:
        raise ConflictError(f"{person} is {'active' if active else 'deactivated'} already.", code="unchanged")
    if not active:
        keep_an_administrator(person)
    person.is_active = active
    person.save()
    tokens = 0 if active else ApiToken.objects.filter(user=person).delete()[0]
    verb = "person.reactivated" if active else "person.deactivated"
    record(verb, person, by=by, tokens_revoked=tokens)
    return person


@transaction.atomic
def join_accounts(*, user_id: int, same_as_id: int, by: User) -> User:
    """Say that two accounts belong to one human being: from now on they have one voice."""
    one_at_a_time()
    person, other = locked(user_id), locked(same_as_id)
    policies.check_can_change(by, person)
    policies.check_can_change(by, other)
    if person.person == other.person:
        raise ConflictError(f"{person} and {other} count as one person already.", code="unchanged")
    User.objects.filter(person=person.person).update(person=other.person)
    record("person.accounts_joined", person, by=by, same_as=other.pk, name=str(other))
    return person


def _check_fields(user: User) -> None:
    if User.objects.filter(username__iexact=user.username).exists():
        raise InvalidError("Somebody has this user name already.", code="taken", field="username")
    if not user.name:
        raise InvalidError("This cannot be empty.", code="empty", field="name")
    try:
        user.full_clean()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise InvalidError(" ".join(messages), field=field) from error
