"""Binding an incident: frozen plans, considered fallbacks, known authority, and the checklist in place."""

from http import HTTPStatus

import pytest
from django.urls import reverse

from incidents import actions as core
from incidents import gates
from incidents.models import Incident, State
from incidents.preparation import actions
from incidents.preparation.contents import PlanContent, Step
from incidents.preparation.models import Binding, Threat
from irapp.accounts.models import RoleCode
from irapp.common.errors import InvalidError, NotPermittedError
from tests.incidents.factories import (
    make_commander,
    make_fallback,
    make_incident,
    make_model,
    make_plan,
    make_responder,
    make_threat,
)
from tests.irapp.factories import make_user

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def met(incident):
    found = gates.conditions(Incident.objects.get(pk=incident.pk), "begin_monitoring")
    return {condition.code for condition in found if condition.met}


def test_a_bound_plan_is_frozen_and_its_steps_become_tasks():
    plan, by, incident = make_plan(), make_commander(), make_incident()

    actions.bind_plan(incident_id=incident.pk, plan_id=plan.pk, by=by)
    changed = PlanContent(title="Other", steps=(Step(title="Something else"),))
    actions.edit_plan(plan_id=plan.pk, revision=1, content=changed, by=by)

    binding = Binding.objects.get(incident=incident)
    assert binding.plan_version.number == 1
    assert [step["title"] for step in binding.plan_copy["steps"]] == ["Cap the turns", "Tell the customers"]
    tasks = list(incident.tasks.order_by("pk"))
    assert [task.title for task in tasks] == ["Cap the turns", "Tell the customers"]
    assert [task.due_at is not None for task in tasks] == [True, False]


def test_another_plan_takes_the_place_of_the_first_and_binding_twice_adds_nothing():
    first, second, by, incident = make_plan(), make_plan(), make_commander(), make_incident()
    actions.bind_plan(incident_id=incident.pk, plan_id=first.pk, by=by)
    actions.bind_plan(incident_id=incident.pk, plan_id=first.pk, by=by)
    assert incident.tasks.count() == 2

    actions.bind_plan(incident_id=incident.pk, plan_id=second.pk, by=by)

    dropped = incident.tasks.exclude(outcome="")
    assert {task.outcome for task in dropped} == {"NOT_NEEDED"}
    assert dropped.count() == incident.tasks.open().count() == 2


def test_each_binding_meets_its_own_condition():
    by, incident, model = make_commander(), make_incident(), make_model()
    steps = [
        ("severity", lambda: core.edit(incident_id=incident.pk, severity="LOW", by=by)),
        ("model", lambda: core.edit(incident_id=incident.pk, model_name=model.name, by=by)),
        ("commander", lambda: core.assign(incident_id=incident.pk, user_id=by.pk, role="COMMANDER", by=by)),
        ("threat", lambda: actions.bind_threat(incident_id=incident.pk, threat_id=make_threat().pk, by=by)),
        ("plan", lambda: actions.bind_plan(incident_id=incident.pk, plan_id=make_plan().pk, by=by)),
        ("fallback", lambda: actions.consider_fallback(incident_id=incident.pk, note="By telephone", by=by)),
        ("authority", lambda: actions.confirm_authority(incident_id=incident.pk, authority="Dora", by=by)),
    ]

    so_far = set()
    for code, step in steps:
        step()
        so_far.add(code)
        assert met(incident) == so_far


def test_a_model_that_needs_no_fallback_asks_for_none_and_open_weights_are_said():
    incident = make_incident()
    model = make_model(access="OPEN_WEIGHTS", fallback_needed=False, fallback_reason="Research preview")
    core.edit(incident_id=incident.pk, model_name=model.name, by=make_responder())

    found = {one.code: one for one in gates.conditions(Incident.objects.get(), "begin_monitoring")}

    assert found["fallback"].met
    assert "open weights" in found["model"].detail


def test_an_unregistered_model_does_not_count():
    incident = make_incident(model_name="unheard-of")

    assert "model" not in met(incident)


@pytest.mark.parametrize(
    "attempt",
    [
        lambda key, by: actions.bind_threat(incident_id=key, threat_id=0, by=by),
        lambda key, by: actions.bind_plan(incident_id=key, plan_id=0, by=by),
        lambda key, by: actions.consider_fallback(incident_id=key, fallback_id=99, by=by),
        lambda key, by: actions.consider_fallback(incident_id=key, note=" ", by=by),
        lambda key, by: actions.confirm_authority(incident_id=key, authority="", by=by),
    ],
    ids=["threat", "plan", "fallback", "no reason", "no authority"],
)
def test_what_does_not_exist_or_is_empty_is_refused(attempt):
    incident = make_incident()

    with pytest.raises(InvalidError):
        attempt(incident.pk, make_commander())

    assert not Binding.objects.exists()


def test_a_retired_threat_cannot_be_bound():
    threat, by, incident = make_threat(), make_commander(), make_incident()
    actions.retire(kind=Threat, entry_id=threat.pk, reason="Merged", by=by)

    with pytest.raises(InvalidError, match="no such threat in use"):
        actions.bind_threat(incident_id=incident.pk, threat_id=threat.pk, by=by)


def test_who_does_not_work_on_incidents_binds_nothing():
    incident = make_incident()

    with pytest.raises(NotPermittedError):
        actions.confirm_authority(incident_id=incident.pk, authority="Me", by=make_user(RoleCode.AUDITOR))


def test_the_checklist_is_completed_in_place_until_monitoring_may_begin(client):
    commander = make_commander()
    incident, model = make_incident(commander=commander), make_model()
    client.force_login(commander)
    answers = {
        "severity": {"severity-choice": "HIGH"},
        "model": {"model-choice": model.name},
        "threat": {"threat-choice": make_threat(model_ids=(model.pk,)).pk},
        "plan": {"plan-choice": make_plan().pk},
        "fallback": {"fallback-choice": make_fallback(model=model).pk, "fallback-note": ""},
        "authority": {"authority-note": "The duty officer"},
    }

    for code, data in answers.items():
        url = reverse("preparation:complete", args=[incident.pk, code])
        answer = client.post(url, data, headers=HTMX)
        assert answer.status_code == HTTPStatus.OK, code
        assert 'id="panel-preparation"' in answer.content.decode()
        assert f"live:incident:{incident.pk}" in answer["HX-Trigger"]

    client.post(reverse("incidents:move", args=[incident.pk, "begin_monitoring"]), {"reason": ""})
    assert Incident.objects.get().state == State.MONITORING


def test_an_item_is_completed_without_javascript_and_errors_come_back(client):
    incident = make_incident()
    client.force_login(make_responder())
    url = reverse("preparation:complete", args=[incident.pk, "severity"])

    assert client.get(url).status_code == HTTPStatus.OK
    wrong = client.post(url, {"severity-choice": ""})
    assert wrong.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    right = client.post(url, {"severity-choice": "LOW"})
    assert right["Location"] == f"{incident.get_absolute_url()}#preparation"
    assert (
        client.get(reverse("preparation:complete", args=[incident.pk, "recipe"])).status_code
        == HTTPStatus.NOT_FOUND
    )


def test_a_restricted_incident_is_not_bound_by_strangers(client):
    incident = make_incident(restricted=True)
    client.force_login(make_commander())

    assert (
        client.get(reverse("preparation:complete", args=[incident.pk, "severity"])).status_code
        == HTTPStatus.NOT_FOUND
    )


def test_the_likeliest_choice_comes_first():
    from incidents.preparation.selectors.choices import plans, threats

    model, plan = make_model(), make_plan(title="Z plan")
    make_threat(title="A threat")
    fitting = make_threat(title="Z threat", model_ids=(model.pk,), plan_ids=(plan.pk,))
    make_plan(title="A plan")
    incident = make_incident(model_name=model.name)
    actions.bind_threat(incident_id=incident.pk, threat_id=fitting.pk, by=make_responder())

    assert threats(incident)[0] == (str(fitting.pk), "Z threat — fits")
    assert plans(incident)[0][0] == str(plan.pk)
