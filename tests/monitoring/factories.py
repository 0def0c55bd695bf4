"""Signals for tests, made by the real actions."""

from itertools import count

from incidents.monitoring import actions
from incidents.monitoring.models import SignalGroup, Source
from incidents.monitoring.states import Kind, State
from irapp.accounts.models import RoleCode
from tests.incidents.factories import make_commander, make_incident, make_responder
from tests.irapp.factories import make_user

_numbers = count(1)


def make_auditor(**named):
    return make_user(RoleCode.AUDITOR, **named)


def make_source(*, by=None, code="", enabled=True, **content):
    number = next(_numbers)
    content = {"name": f"Monitor {number}", "kind": Kind.MONITOR} | content
    by = by or make_commander()
    source = actions.add_source(code=code or f"monitor-{number}", by=by, **content)
    if not enabled:
        source = actions.edit_source(source_id=source.pk, enabled=False, by=by, **content)
    return source


def make_received(*, source=None, by=None, key="", **content):
    """Receive a signal; each is about something of its own unless ``fingerprint`` says otherwise."""
    number = next(_numbers)
    source = source or Source.objects.get(code="report-form")
    content = {"title": f"Oddity {number}", "fingerprint": f"oddity-{number}"} | content
    return actions.receive_signal(
        source=source.code, key=key or f"key-{number}", by=by or make_responder(), **content
    )


def make_group(*, state=State.NEW, by=None, incident=None, **content):
    """Lead a group of one signal to ``state``."""
    by = by or make_responder()
    group = make_received(by=by, **content).signal.group
    if state == State.ACKNOWLEDGED:
        actions.acknowledge(group_id=group.pk, by=by)
    if state == State.LINKED:
        incident = incident or make_incident(by=by)
        actions.link_to_incident(group_id=group.pk, incident_id=incident.pk, by=by)
    if state == State.CLOSED:
        actions.close_group(group_id=group.pk, reason="Within the usual spread.", by=by)
    return fresh(group)


def fresh(group):
    return SignalGroup.objects.select_related("incident", "acknowledged_by").get(pk=group.pk)
