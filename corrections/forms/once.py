"""A form that is sent twice saves once: a second click, a reload, an impatient reader."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.db import transaction

from corrections.models import Correction
from irapp.common.models import RememberedCall

if TYPE_CHECKING:
    from collections.abc import Callable

    from irapp.accounts.models import User


@transaction.atomic
def save_once(key: str, save: Callable[[], Correction], *, by: User) -> tuple[Correction, bool]:
    """Save, or give what the same form saved before; the flag tells which.

    The memory of it commits with the correction; a second sending waits for the outcome of the first.
    """
    mine = RememberedCall(account_id=by.pk, key=f"form:{key}", called="corrections:create")
    RememberedCall.objects.bulk_create([mine], ignore_conflicts=True)
    known = RememberedCall.objects.select_for_update().get(account_id=by.pk, key=mine.key)
    if known.status is not None:
        return Correction.objects.select_related("package").get(pk=known.body), True
    correction = save()
    known.status, known.body = HTTPStatus.CREATED, correction.pk
    known.save()
    return correction, False
