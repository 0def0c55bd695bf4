from http import HTTPStatus

import pytest

from corrections.models import Correction, Package, Proposal
from corrections.states import State
from incidents.states import State as Stage
from irapp.accounts.models import RoleCode
from tests.corrections import factories
from tests.corrections.pages import create_url, text, typed, url
from tests.incidents.factories import make_commander, make_incident, make_model, make_responder
from tests.irapp.factories import make_user

pytestmark = pytest.mark.django_db
WRONG = HTTPStatus.UNPROCESSABLE_ENTITY


@pytest.fixture
def incident():
    return make_incident()


@pytest.fixture
def commander(client):
    commander = make_commander()
    client.force_login(commander)
    return commander


@pytest.mark.usefixtures("commander")
def test_a_draft_and_its_package_begin_together(client, incident):
    response = client.post(create_url(incident), typed())

    correction = Correction.objects.get()
    assert response.status_code == HTTPStatus.FOUND
    assert response.url == url("detail", correction)
    assert (correction.state, correction.users["users"]) == (State.DRAFT, ["alice"])
    assert (correction.package.title, correction.package.incident) == ("Response", incident)


@pytest.mark.usefixtures("commander")
def test_another_correction_joins_the_same_package(client, incident):
    first = client.post(create_url(incident), typed(step="another"))
    page = client.get(first.url)
    package = Package.objects.get()

    client.post(first.url, typed(package=str(package.pk), users="bob"))

    assert page.context["form"]["package"].value() == str(package.pk)
    assert package.corrections.count() == 2


@pytest.mark.usefixtures("commander")
def test_save_and_propose_leads_to_the_question_that_is_put(client):
    incident = make_incident(state=Stage.EXECUTION)

    response = client.post(create_url(incident), typed(step="propose"))

    assert response.url == url("proposal", Proposal.objects.get())


@pytest.mark.parametrize("step", ["draft", "another", "propose"])
@pytest.mark.usefixtures("commander")
def test_a_form_that_is_sent_twice_saves_once_and_says_so(client, incident, step):
    sent = typed(step=step)
    client.post(create_url(incident), sent)

    response = client.post(create_url(incident), sent, follow=True)

    assert "was saved already. Nothing was changed." in text(response)
    assert Correction.objects.count() == Package.objects.count() == 1


@pytest.mark.usefixtures("commander")
def test_a_form_that_was_refused_may_be_sent_again(client, incident):
    sent = typed(users="")
    client.post(create_url(incident), sent)

    client.post(create_url(incident), sent | {"users": "alice"})

    assert Correction.objects.count() == 1


@pytest.mark.usefixtures("commander")
def test_what_cannot_be_proposed_yet_is_kept_as_a_draft_and_says_why(client, incident):
    shown = client.get(create_url(incident))
    response = client.post(create_url(incident), typed(step="propose"), follow=True)

    assert "is in preparation" in shown.context["page"].not_yet
    assert Correction.objects.get().state == State.DRAFT
    assert "is saved as a draft, but not proposed" in text(response)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("kind", {"kind": "forget"}),
        ("kind", {"kind": None}),
        ("requests", {"kind": "request_limit", "requests": "0", "window_seconds": "60", "per": "user"}),
        ("requests", {"kind": "request_limit", "requests": "many", "window_seconds": "60", "per": "user"}),
        (
            "window_seconds",
            {"kind": "request_limit", "requests": "5", "window_seconds": "86401", "per": "user"},
        ),
        ("per", {"kind": "request_limit", "requests": "5", "window_seconds": "60", "per": "moon"}),
        ("max_tokens", {"kind": "output_cap", "max_tokens": ""}),
        ("tools", {"kind": "tools_off", "tools": 'sh"ell'}),
        ("retry_after_seconds", {"kind": "suspend", "models": ["m"], "retry_after_seconds": "-1"}),
        ("fallback_model", {"kind": "reroute", "models": ["m"], "fallback_model": "unheard-of"}),
        ("models", {"kind": "suspend", "models": None}),
        ("models", {"models": ["unheard-of"]}),
        ("endpoints", {"endpoints": ["telepathy"]}),
        ("use_cases", {"kind": "forbid_use"}),
        ("applications", {"applications": "a=b"}),
        ("users", {"users": ""}),
        ("users", {"users": "x" * 201}),
        ("organisations", {"organisations": "o\\p"}),
        ("keys", {"keys": 'k"1'}),
        ("mode", {"mode": "loud"}),
        ("starts_at", {"starts_at": "tomorrow"}),
        ("expires_at", {"expires_at": "2020-01-01T00:00"}),
        ("expires_at", {"starts_at": "2990-01-01T00:00"}),
        ("at_expiry", {"at_expiry": "explode"}),
        ("percentage", {"percentage": "0"}),
        ("percentage", {"percentage": "101"}),
        ("running_streams", {"running_streams": "dance"}),
        ("public_reason", {"public_reason": "x" * 501}),
        ("appeal", {"appeal": "x" * 501}),
        ("review_at", {"review_at": None}),
        ("review_at", {"review_at": "2020-01-01T00:00"}),
        ("exit_criteria", {"exit_criteria": "   "}),
        ("exit_criteria", {"exit_criteria": "nul\x00"}),
        ("narrower_rejected", {"narrower_rejected": "x" * 10_001}),
        ("package", {"package": "999999"}),
        ("title", {"title": ""}),
        ("title", {"title": "x" * 201}),
        ("once", {"once": "again"}),
    ],
)
@pytest.mark.usefixtures("commander")
def test_what_is_wrong_is_named_by_its_field_and_nothing_is_lost(client, incident, field, changes):
    make_model(name="m")

    response = client.post(create_url(incident), typed(**{"appeal": "me@example.org"} | changes))

    form = response.context["form"]
    assert response.status_code == WRONG
    assert list(form.errors) == [field]
    assert f'href="#{form[field].id_for_label or form[field].auto_id}"' in text(response)
    if field != "appeal":
        assert form["appeal"].value() == "me@example.org"
    assert not Correction.objects.exists()
    assert not Package.objects.exists()


@pytest.mark.usefixtures("commander")
def test_a_precaution_without_an_end_is_refused_and_leaves_no_package_behind(client, incident):
    response = client.post(create_url(incident), typed(precaution="on", expires_at=""))

    assert list(response.context["form"].errors) == ["expires_at"]
    assert not Package.objects.exists()


@pytest.mark.usefixtures("commander")
def test_choosing_another_kind_keeps_what_was_typed_and_complains_about_nothing(client, incident):
    response = client.post(create_url(incident), typed(kind="output_cap", exit_criteria="", step="kind"))

    form = response.context["form"]
    assert response.status_code == HTTPStatus.OK
    assert not form.errors
    assert "max_tokens" in form.fields
    assert form["users"].value() == "alice"
    assert not Correction.objects.exists()


@pytest.mark.usefixtures("commander")
def test_the_kinds_of_htmx_get_the_fields_alone(client, incident):
    kind = client.post(create_url(incident), typed(step="kind"), headers={"HX-Request": "true"})
    preview = client.post(create_url(incident), typed(step="preview"), headers={"HX-Request": "true"})

    assert text(kind).startswith('<div id="sheet"')
    assert text(preview).startswith('<section id="preview"')


@pytest.mark.usefixtures("commander")
def test_the_preview_says_what_it_would_do_and_what_callers_would_see(client, incident):
    response = client.post(create_url(incident), typed(step="preview", review_at="", public_reason="Paused."))

    shown = response.context["page"].preview
    assert response.status_code == HTTPStatus.OK
    assert shown.sentence.startswith("Refuses user alice on every model")
    assert '"message": "Paused."' in shown.refused.body
    assert shown.impact.requests == 0
    assert "It touches everyone" not in [caution.title for caution in shown.cautions]


@pytest.mark.usefixtures("commander")
def test_the_preview_warns_when_everyone_is_touched(client, incident):
    changes = {"kind": "output_cap", "max_tokens": "9", "users": ""}

    response = client.post(create_url(incident), typed(step="preview", **changes))

    assert "It touches everyone" in text(response)


@pytest.mark.parametrize(
    ("changes", "lacking"),
    [
        ({"users": ""}, "A block names somebody"),
        ({"kind": "output_cap", "max_tokens": "x"}, "Longest answer (tokens): Enter a whole number."),
        ({"users": 'a"b'}, "Users: “a&quot;b” is not a name"),
    ],
)
@pytest.mark.usefixtures("commander")
def test_the_preview_says_what_it_still_lacks(client, incident, changes, lacking):
    response = client.post(create_url(incident), typed(step="preview", **changes))

    assert f"Not complete yet: {lacking}" in text(response)


@pytest.mark.usefixtures("commander")
def test_a_draft_is_edited_in_the_form_that_made_it(client):
    correction = factories.make_draft()
    shown = client.get(url("edit", correction)).context["form"]

    client.post(url("edit", correction), typed(revision=shown["revision"].value(), users="carol"))

    assert [shown["users"].value()] == correction.users["users"]
    assert factories.fresh(correction).users["users"] == ["carol"]


@pytest.mark.usefixtures("commander")
def test_an_edit_that_somebody_overtook_keeps_what_was_typed(client):
    correction = factories.make_draft()
    late = typed(revision=correction.revision, users="dave")
    client.post(url("edit", correction), typed(revision=correction.revision, users="carol"))

    response = client.post(url("edit", correction), late)

    assert response.status_code == WRONG
    assert "was changed in the meantime" in text(response)
    assert response.context["form"]["users"].value() == "dave"
    assert factories.fresh(correction).users["users"] == ["carol"]


@pytest.mark.usefixtures("commander")
def test_a_live_correction_is_relaxed_as_a_new_version(client):
    correction = factories.make_correction(state=State.ACTIVE)
    shown = client.get(url("version", correction)).context["form"]

    client.post(url("version", correction), typed(users="erin"))

    newer = Correction.objects.get(reference=correction.reference, version=2)
    assert [shown["users"].value()] == correction.users["users"]
    assert (newer.supersedes, newer.state, newer.users["users"]) == (correction, State.DRAFT, ["erin"])
    assert factories.fresh(correction).state == State.ACTIVE


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (RoleCode.RESPONDER, HTTPStatus.OK),
        (RoleCode.COMMANDER, HTTPStatus.OK),
        (RoleCode.DUTY_OFFICER, HTTPStatus.FORBIDDEN),
        (RoleCode.EXECUTIVE, HTTPStatus.FORBIDDEN),
        (RoleCode.COMMUNICATOR, HTTPStatus.FORBIDDEN),
        (RoleCode.AUDITOR, HTTPStatus.FORBIDDEN),
        (RoleCode.ADMINISTRATOR, HTTPStatus.FORBIDDEN),
    ],
)
def test_who_may_write_a_correction_down(client, incident, role, status):
    draft = factories.make_draft()
    client.force_login(make_user(role))

    assert client.get(create_url(incident)).status_code == status
    assert client.get(url("edit", draft)).status_code == status
    if status == HTTPStatus.FORBIDDEN:
        assert client.post(create_url(incident), typed()).status_code == status
        assert Correction.objects.count() == 1


@pytest.mark.parametrize("given", ["", "?incident=", "?incident=x", "?incident=1e3", "?incident=" + "9" * 30])
def test_an_incident_that_does_not_exist_is_not_found(client, given):
    client.force_login(make_responder())

    assert client.get(f"/corrections/new/{given}").status_code == HTTPStatus.NOT_FOUND


def test_a_restricted_incident_is_not_found_by_outsiders(client):
    incident = make_incident(restricted=True)
    client.force_login(make_responder())

    assert client.get(create_url(incident)).status_code == HTTPStatus.NOT_FOUND
