"""Parts that people have in an incident."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from incidents import policies
from incidents.actions.shared import changed, locked, settle_skipped
from incidents.models import IncidentRole
from irapp.accounts.models import User
from irapp.audit.record import record
from irapp.common.errors import ConflictError, InvalidError

if TYPE_CHECKING:
    from incidents.models import Incident

COMMANDER = IncidentRole.Part.COMMANDER


@transaction.atomic
def assign(*, incident_id: int, user_id: int, role: str, by: User) -> IncidentRole:
    """Give somebody a part. There is one commander: a new one takes over from the last."""
    incident = locked(incident_id)
    if role not in IncidentRole.Part.values:
        raise InvalidError(f"“{role}” is not a part in an incident.", code="unknown_part", field="role")
    policies.check_can_assign(incident, role, by)
    person = _person(user_id)
    policies.check_is_fit(role, person)
    if incident.parts.filter(user=person, role=role, until=None).exists():
        raise ConflictError(
            f"{person} is {IncidentRole.Part(role).label.lower()} already.", code="assigned_already"
        )
    if role == COMMANDER:
        incident.parts.filter(role=COMMANDER, until=None).update(until=timezone.now())
        incident.commander = person
        changed(incident)
    part = IncidentRole.objects.create(incident=incident, user=person, role=role)
    record("part.assigned", part, by=by, person=str(person), person_id=person.pk, part=role)
    settle_skipped(incident, by=by)
    return part


@transaction.atomic
def relieve(*, part_id: int, by: User) -> IncidentRole:
    """End somebody's part; that they had it stays on the record."""
    part = IncidentRole.objects.select_related("user").filter(pk=part_id).first()
    if part is None:
        raise InvalidError("There is no such part.", code="unknown_part", field="part")
    incident = locked(part.incident_id)
    policies.check_can_assign(incident, part.role, by)
    ended = incident.parts.filter(pk=part_id, until=None).update(until=timezone.now())
    if not ended:
        raise ConflictError(f"{part.user} was relieved already.", code="relieved_already")
    if part.role == COMMANDER:
        _without_commander(incident)
    record("part.ended", part, by=by, person=str(part.user), person_id=part.user_id, part=part.role)
    return part


def _without_commander(incident: Incident) -> None:
    incident.commander = None
    changed(incident)


def _person(user_id: int) -> User:
    person = User.objects.filter(pk=user_id, is_active=True).first()
    if person is None:
        raise InvalidError("There is no such person.", code="unknown_person", field="user")
    return person
