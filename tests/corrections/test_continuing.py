"""After a backup was restored: the hubs hold what nobody here remembers."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from corrections import actions
from corrections.models import Hub, PolicyVersion
from corrections.publishing import delivery, watching
from corrections.publishing.delivery import DeliveryError
from irapp.accounts.models import RoleCode
from irapp.audit.models import Event
from irapp.common.errors import ConflictError, InvalidError, NotPermittedError
from tests.corrections import hub
from tests.corrections.factories import approve, make_proposal
from tests.enforcement.hub_process import signed
from tests.irapp.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def ahead(tmp_path, settings, monkeypatch):
    monkeypatch.setattr(delivery, "READ_BACK", timedelta(0))
    with hub.running(tmp_path / "hub", settings) as process:
        assert process.put(signed(40, "forgotten")).status == 200
        approve(make_proposal())
        with pytest.raises(DeliveryError, match="409"):
            delivery.deliver()
        yield process


def test_going_on_publishes_above_what_the_hub_holds(ahead):
    version = actions.continue_policy(reason="Restored the backup of 02:00", by=make_user(RoleCode.EXECUTIVE))

    delivery.deliver()
    watching.look()

    assert version.version == 41
    assert ahead.get("/v1/status").json["policy"] == {"version": 41, "digest": version.digest}
    assert Hub.objects.get().conflict_at is None
    assert Event.objects.get(verb="policy.continued").data["above"] == 40


def test_it_takes_a_decision_maker_and_a_reason(ahead):
    for role in (RoleCode.COMMANDER, RoleCode.ADMINISTRATOR, RoleCode.AUDITOR):
        with pytest.raises(NotPermittedError):
            actions.continue_policy(reason="because", by=make_user(role))
    with pytest.raises(InvalidError, match="filled in"):
        actions.continue_policy(reason=" ", by=make_user(RoleCode.DUTY_OFFICER))

    assert PolicyVersion.objects.count() == 1


def test_without_a_conflict_there_is_nothing_to_go_on_above(db):
    with pytest.raises(ConflictError, match="No hub"):
        actions.continue_policy(reason="because", by=make_user(RoleCode.EXECUTIVE))


def test_the_command_asks_who_is_there(ahead, monkeypatch):
    person = make_user(RoleCode.EXECUTIVE)
    person.set_password("the right one of them")
    person.save()
    module = "corrections.management.commands.continue_policy.getpass"
    monkeypatch.setattr(module, lambda: "a wrong one")
    with pytest.raises(CommandError, match="wrong"):
        call_command("continue_policy", by=person.username, reason="Restored")

    monkeypatch.setattr(module, lambda: "the right one of them")
    said = io.StringIO()
    call_command("continue_policy", by=person.username, reason="Restored", stdout=said)

    assert "policy 41" in said.getvalue()
