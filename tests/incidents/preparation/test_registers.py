"""The registers: what they hold, what they refuse, who may change them."""

from datetime import date, timedelta
from http import HTTPStatus

import pytest
from django.urls import reverse

from incidents.preparation import actions
from incidents.preparation.contents import FallbackContent, ModelContent, PlanContent, Step, ThreatContent
from incidents.preparation.models import DeployedModel, Fallback, Plan, Threat
from incidents.preparation.selectors.readiness import readiness
from irapp.accounts.models import RoleCode
from irapp.audit.models import Event
from irapp.common.errors import ConflictError, InvalidError, NotPermittedError
from tests.incidents.factories import make_commander, make_fallback, make_model, make_plan, make_threat
from tests.irapp.factories import make_user

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 22)


@pytest.mark.parametrize("role", list(RoleCode))
def test_who_may_change_the_preparation(role):
    attempt = ModelContent(name="aurora-large", title="Aurora")

    if role in {RoleCode.COMMANDER, RoleCode.ADMINISTRATOR}:
        actions.add_model(content=attempt, by=make_user(role))
    else:
        with pytest.raises(NotPermittedError):
            actions.add_model(content=attempt, by=make_user(role))


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"name": "with space"}, "name"),
        ({"name": "semi;colon"}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"title": " "}, "title"),
        ({"fallback_needed": False}, "fallback_reason"),
        ({"access": "TELEPATHY"}, "access"),
        ({"owner_id": 0}, "owner"),
    ],
)
def test_a_model_is_refused_by_field(content, field):
    content = {"name": "aurora", "title": "Aurora"} | content

    with pytest.raises(InvalidError) as refused:
        actions.add_model(content=ModelContent(**content), by=make_commander())

    assert refused.value.field == field
    assert not DeployedModel.objects.exists()


def test_a_name_is_registered_once():
    make_model(name="aurora-large")

    with pytest.raises(InvalidError, match="registered already"):
        make_model(name="aurora-large")


def test_a_fallback_leads_somewhere_else():
    model, by = make_model(), make_commander()

    with pytest.raises(InvalidError) as nowhere:
        actions.add_fallback(content=FallbackContent(model_id=model.pk, title="F"), by=by)
    assert nowhere.value.field == "manual_process"
    itself = FallbackContent(model_id=model.pk, title="F", other_model_id=model.pk)
    with pytest.raises(InvalidError) as same:
        actions.add_fallback(content=itself, by=by)
    assert same.value.field == "other_model"


def test_other_steps_make_a_new_version_and_the_same_steps_do_not():
    plan, by = make_plan(), make_commander()
    same = PlanContent(
        title="Renamed", steps=(Step(title="Cap the turns", minutes=30), Step(title="Tell the customers"))
    )

    plan = actions.edit_plan(plan_id=plan.pk, revision=1, content=same, by=by)
    assert (plan.version, plan.title) == (1, "Renamed")

    other = PlanContent(title="Renamed", steps=(Step(title="Suspend"),))
    plan = actions.edit_plan(plan_id=plan.pk, revision=plan.revision, content=other, by=by)
    assert plan.version == 2
    assert [version.number for version in plan.versions.all()] == [2, 1]


@pytest.mark.parametrize(
    "steps", [(), tuple(Step(title=f"{n}") for n in range(61)), (Step(title="x" * 201),)]
)
def test_a_plan_without_steps_or_with_too_many_is_refused(steps):
    with pytest.raises(InvalidError) as refused:
        actions.add_plan(content=PlanContent(title="P", steps=steps), by=make_commander())

    assert refused.value.field == "steps"
    assert not Plan.objects.exists()


def test_a_stale_edit_of_an_entry_is_refused_and_events_say_what_changed():
    threat, by = make_threat(title="Old"), make_commander()
    actions.edit_threat(threat_id=threat.pk, revision=1, content=ThreatContent(title="New"), by=by)

    with pytest.raises(ConflictError) as refused:
        actions.edit_threat(threat_id=threat.pk, revision=1, content=ThreatContent(title="Mine"), by=by)

    assert refused.value.code == "stale_revision"
    event = Event.objects.get(verb="threat.edited")
    assert event.data["changes"] == {"title": ["Old", "New"]}


def test_a_retired_entry_stays_readable_and_is_not_changed():
    threat, by = make_threat(), make_commander()

    actions.retire(kind=Threat, entry_id=threat.pk, reason="Merged into another", by=by)

    assert not Threat.objects.current().exists()
    with pytest.raises(ConflictError, match="is retired"):
        actions.edit_threat(threat_id=threat.pk, revision=2, content=ThreatContent(title="T"), by=by)


def test_readiness_names_what_a_model_lacks():
    make_model(name="bare")
    full = make_model(name="full", owner_id=make_commander().pk, review_on=TODAY + timedelta(days=1))
    make_threat(model_ids=(full.pk,), plan_ids=(make_plan().pk,))
    make_fallback(model=full, tested_on=TODAY - timedelta(days=10))

    bare, full = readiness(today=TODAY)

    assert len(bare.missing) == len(bare.checks)
    assert not full.missing


def test_an_old_test_of_a_fallback_and_a_threat_without_a_plan_count_as_missing():
    model = make_model(owner_id=make_commander().pk, review_on=TODAY)
    make_threat(model_ids=(model.pk,), title="Unplanned")
    make_fallback(model=model, tested_on=TODAY - timedelta(days=181))

    (one,) = readiness(today=TODAY)

    assert {check.label for check in one.missing} == {
        "A plan against every threat",
        "Fallback tried within half a year",
    }


def test_readiness_asks_the_same_questions_for_ten_models_as_for_one(django_assert_num_queries):
    plan = make_plan()
    for _ in range(10):
        make_threat(model_ids=(make_model().pk,), plan_ids=(plan.pk,))

    with django_assert_num_queries(4):  # models, threats, plans, fallbacks
        found = readiness(today=TODAY)
    assert len(found) == 10


KINDS = {"models": make_model, "threats": make_threat, "plans": make_plan, "fallbacks": make_fallback}


@pytest.mark.parametrize("kind", KINDS)
def test_each_register_is_read_by_all_and_changed_by_preparers(client, kind):
    entry = KINDS[kind]()
    client.force_login(make_user(RoleCode.RESPONDER))

    assert client.get(reverse("preparation:index")).status_code == HTTPStatus.OK
    assert str(entry) in client.get(reverse("preparation:entries", args=[kind])).content.decode()
    assert client.get(entry.get_absolute_url()).status_code == HTTPStatus.OK
    assert client.get(reverse("preparation:create", args=[kind])).status_code == HTTPStatus.FORBIDDEN
    client.force_login(make_commander())
    for name, args in (("create", [kind]), ("edit", [kind, entry.pk]), ("retire", [kind, entry.pk])):
        assert client.get(reverse(f"preparation:{name}", args=args)).status_code == HTTPStatus.OK


def test_an_unknown_register_is_not_found(client):
    client.force_login(make_commander())

    assert client.get("/preparation/recipes/").status_code == HTTPStatus.NOT_FOUND


def test_entries_are_made_and_edited_on_their_pages(client):
    client.force_login(make_commander())

    client.post(
        "/preparation/models/new/",
        {"name": "aurora", "title": "Aurora", "access": "API", "fallback_needed": "on"},
    )
    model = DeployedModel.objects.get()
    other = make_model()
    client.post(
        "/preparation/fallbacks/new/", {"model_id": model.pk, "title": "Small", "other_model_id": other.pk}
    )
    assert Fallback.objects.get().other_model == other
    client.post("/preparation/threats/new/", {"title": "Drift", "model_ids": [model.pk]})
    assert list(Threat.objects.get().deployed_models.all()) == [model]

    steps = {
        "steps-TOTAL_FORMS": 3,
        "steps-INITIAL_FORMS": 0,
        "steps-0-title": "First",
        "steps-2-title": "Second",
    }
    client.post("/preparation/plans/new/", {"title": "Plan", **steps})
    assert [step["title"] for step in Plan.objects.get().versions.get().steps] == ["First", "Second"]


def test_a_form_with_something_wrong_keeps_its_words_and_names_the_field(client):
    client.force_login(make_commander())

    answer = client.post(
        "/preparation/models/new/",
        {"name": "two words", "title": "Kept title", "access": "API", "fallback_needed": "on"},
    )

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "Kept title" in answer.content.decode()
    assert "no spaces" in answer.content.decode()


def test_a_stale_form_shows_both_versions(client):
    threat = make_threat(title="Theirs before")
    client.force_login(make_commander())
    actions.edit_threat(
        threat_id=threat.pk, revision=1, content=ThreatContent(title="Theirs"), by=make_commander()
    )

    url = reverse("preparation:edit", args=["threats", threat.pk])
    stale = client.post(url, {"title": "Mine", "revision": 1})

    assert stale.status_code == HTTPStatus.CONFLICT
    page = stale.content.decode()
    assert "Theirs" in page
    assert "Mine" in page
    client.post(url, {"title": "Mine", "revision": 2})
    assert Threat.objects.get().title == "Mine"
