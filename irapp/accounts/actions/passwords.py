"""Passwords are chosen by their own person; an administrator only hands out a link that works once."""

from __future__ import annotations

from typing import NamedTuple

from axes.utils import reset
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from irapp.accounts import policies
from irapp.accounts.actions.shared import locked
from irapp.accounts.models import User
from irapp.common.errors import ConflictError, InvalidError
from irapp.common.recording import record


class Invitation(NamedTuple):
    """What the address of the page holds where somebody chooses a password."""

    uidb64: str
    token: str


@transaction.atomic
def invite(*, user_id: int, by: User) -> Invitation:
    """Make a link with which its person chooses a password: once, within PASSWORD_RESET_TIMEOUT."""
    person = locked(user_id)
    policies.check_can_change(by, person)
    if not person.is_active:
        raise ConflictError(f"{person} is deactivated: reactivate them first.", code="deactivated")
    record("person.invited", person, by=by)
    uid = urlsafe_base64_encode(force_bytes(person.pk))
    return Invitation(uid, default_token_generator.make_token(person))


@transaction.atomic
def change_password(*, user_id: int, password: str) -> User:
    """Set the password that its own person chose."""
    person = locked(user_id)
    check_password(password, person)
    verb = "person.password_changed" if person.has_usable_password() else "person.password_chosen"
    person.set_password(password)
    person.save()
    record(verb, person, by=person)
    return person


@transaction.atomic
def unlock(*, user_id: int, by: User) -> User:
    """Forget failed sign-ins, so that somebody who was locked out need not wait."""
    person = locked(user_id)
    policies.check_can_change(by, person)
    if not reset(username=person.username):
        raise ConflictError(f"{person} is not locked out.", code="not_locked")
    record("person.unlocked", person, by=by)
    return person


def check_password(password: str, user: User) -> None:
    """Refuse a weak password, with what is weak about it."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise InvalidError(" ".join(error.messages), code="weak_password", field="password") from error
