"""The demo leaves something for the tour, and runs twice without doubling it."""

import pytest
from django.core.management import call_command

from incidents.monitoring.models import Signal, SignalGroup
from incidents.monitoring.states import State

pytestmark = pytest.mark.django_db


def test_the_demo_leaves_an_intrusion_for_somebody_to_look_at(settings):
    settings.DEMO = True
    call_command("seed_demo")
    signals = Signal.objects.count()
    call_command("seed_demo")

    group = SignalGroup.objects.get(title__contains="intrusion")
    assert (group.state, group.severity, group.model_name) == (State.NEW, "CRITICAL", "aurora-large")
    assert group.count == 2
    assert Signal.objects.count() == signals
    assert set(SignalGroup.objects.values_list("state", flat=True)) >= {State.NEW, State.LINKED, State.CLOSED}
