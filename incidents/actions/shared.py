"""What every action on an incident begins and ends with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from incidents import gates
from incidents.models import Incident
from irapp.audit.record import hint, record
from irapp.common.errors import ConflictError, InvalidError

if TYPE_CHECKING:
    from irapp.accounts.models import User

TEXT_LIMIT = 20_000


def locked(incident_id: int, *, revision: int | None = None) -> Incident:
    """Lock an incident for the rest of the transaction.

    Everything that hangs on an incident is changed under this lock, so a gate never counts what another
    transaction is changing.

    :param revision: what the caller has seen; refused where somebody changed the incident since.
    """
    # NO KEY UPDATE: rows that only point to the incident are not kept waiting.
    incident: Incident | None
    incident = Incident.objects.select_for_update(no_key=True).filter(pk=incident_id).first()
    if incident is None:
        raise InvalidError(
            f"There is no incident with the id {incident_id}.", code="unknown_incident", field="incident"
        )
    if revision is not None and revision != incident.revision:
        raise ConflictError(
            f"{incident} was changed by somebody else in the meantime.",
            code="stale_revision",
            details={"revision": incident.revision},
        )
    return incident


def changed(incident: Incident) -> None:
    """Save an incident that was locked and changed; whoever edits an older revision is told."""
    incident.revision += 1
    incident.save()
    hint("queue", "inbox")


def words(value: str, field: str, *, most: int = TEXT_LIMIT, required: bool = True) -> str:
    """Give the text without surrounding space, or say what is wrong with it."""
    value = value.strip()
    if required and not value:
        raise InvalidError("This cannot be empty.", code="empty", field=field)
    if len(value) > most:
        raise InvalidError(f"This is too long: at most {most} characters.", code="too_long", field=field)
    if "\x00" in value or any("\ud800" <= sign <= "\udfff" for sign in value):
        raise InvalidError("This contains characters that are not text.", code="not_text", field=field)
    return value


def settle_skipped(incident: Incident, *, by: User) -> None:
    """Note which skipped conditions are met by now; called under the lock, after what may have met them."""
    owed = list(incident.skipped.filter(made_up_at=None))
    for move in {skip.move for skip in owed}:
        met = {condition.code for condition in gates.conditions(incident, move) if condition.met}
        for skip in owed:
            if skip.move == move and skip.code in met:
                skip.made_up_at, skip.made_up_by = timezone.now(), by
                skip.save()
                record("condition.made_up", skip, by=by, move=move, code=skip.code)
