"""What follows from signing in and out: an event, as from every other change."""

from __future__ import annotations

from typing import Any

from axes.signals import user_locked_out
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db import transaction

from irapp.accounts.models import User
from irapp.common.recording import record


def connect() -> None:
    """Listen; called once when Django is ready."""
    user_logged_in.connect(_signed_in, dispatch_uid="irapp.signed_in")
    user_logged_out.connect(_signed_out, dispatch_uid="irapp.signed_out")
    user_locked_out.connect(_locked_out, dispatch_uid="irapp.locked_out")


def _signed_in(user: User, **_: Any) -> None:
    with transaction.atomic():
        record("person.signed_in", user, by=user)


def _signed_out(user: User | None, **_: Any) -> None:
    if user is not None:
        with transaction.atomic():
            record("person.signed_out", user, by=user)


def _locked_out(username: str, **_: Any) -> None:
    user = User.objects.filter(username=username).first()
    if user is not None:
        with transaction.atomic():
            record("person.locked_out", user, by=None)
