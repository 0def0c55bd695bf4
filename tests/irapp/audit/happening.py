"""Events for tests, written as every other."""

from django.db import transaction

from irapp.audit.models import Event
from irapp.audit.record import record


class Gate:
    """Something to happen to: no incident, a name of one's choice."""

    pk = 7
    incident_id = None

    class _meta:  # noqa: N801
        label_lower = "corrections.gateway"
        model_name = "gateway"

    def __init__(self, name="gateway-1"):
        self.name = name

    def __str__(self):
        return self.name


def happen(verb, *, by=None, name="gateway-1", at=None, **data):
    with transaction.atomic():
        event = record(verb, Gate(name), by=by, **data)
    if at:  # events cannot be changed, so another one is written with the time wanted
        return Event.objects.create(
            **{field.name: getattr(event, field.name) for field in Event._meta.fields if field.name != "id"}
            | {"at": at}
        )
    return event
