"""Exemptions and stages: a hole in what was decided takes the authority that decided it, and closes."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from corrections import actions
from corrections.models import Correction
from corrections.panels.cautions import overlapping
from corrections.publishing.compile import as_policy
from corrections.selectors import kin
from corrections.states import Action, State
from incidents import actions as incidents
from irapp.accounts.models import RoleCode
from irapp.common.errors import ConflictError, InvalidError
from tests.corrections import factories, gateways
from tests.corrections.pages import create_url, text, typed, url
from tests.incidents.factories import make_commander, make_incident, make_model

pytestmark = pytest.mark.django_db
LIMIT = {
    "kind": "request_limit",
    "parameters": {"requests": 5, "window_seconds": 60},
    "narrower_rejected": "Evaded.",
}


def make_exemption_terms(*spared, **changes):
    plain = {
        "kind": "exempt",
        "users": {"organisations": ["hospital"]},
        "parameters": {"corrections": [each.reference for each in spared]},
        "at_expiry": "lift",
    }
    return factories.make_terms(**plain | changes)


def make_exemption(*spared, **changes):
    return factories.make_proposal(terms=make_exemption_terms(*spared, **changes))


def test_it_asks_for_no_less_than_what_it_spares_from():
    shutdown = factories.make_correction(terms=factories.make_shutdown())
    alone = factories.make_proposal().authority

    authority = make_exemption(shutdown).authority

    assert alone["quorum"] == 1
    assert authority["quorum"] == 2
    assert authority["must_include"] == [RoleCode.EXECUTIVE]


def test_only_executives_spare_from_what_only_executives_decided():
    model = make_model().name
    terms = factories.make_terms(
        kind="decommission", users={}, functionality={"models": [model]}, narrower_rejected="Stolen."
    )
    gone = factories.make_correction(terms=terms)

    assert make_exemption(gone).authority["roles"] == [RoleCode.EXECUTIVE]


def test_the_gravest_of_several_counts():
    mild, grave = factories.make_correction(), factories.make_correction(terms=factories.make_shutdown())

    assert make_exemption(mild, grave).authority["quorum"] == 2


def make_permanent(correction):
    proposal = actions.propose_permanent(correction_id=correction.pk, reason="It stays.", by=make_commander())
    return factories.decide(proposal)


def test_no_exemption_by_less_than_what_stands_behind_it_by_now():
    spared = factories.make_correction()
    proposal = make_exemption(spared)
    make_permanent(spared)

    with pytest.raises(ConflictError) as refused:
        factories.approve(proposal)

    assert proposal.authority["quorum"] == 1
    assert refused.value.code == "authority_grew"


def test_no_version_by_less_than_what_stands_behind_the_older_one_by_now():
    live = factories.make_correction()
    eased = actions.draft_step(correction_id=live.pk, percentage=50, by=make_commander())
    proposal = actions.propose(correction_id=eased.pk, by=make_commander())
    make_permanent(live)

    with pytest.raises(ConflictError) as refused:
        factories.approve(proposal)

    assert refused.value.code == "authority_grew"


def test_no_exemption_by_less_than_a_graver_version_asked_for_meanwhile():
    live = factories.make_correction()
    proposal = make_exemption(live)
    graver = factories.make_shutdown()
    second = actions.draft_version(correction_id=live.pk, terms=graver, by=make_commander())
    factories.decide(actions.propose(correction_id=second.pk, by=make_commander()))

    with pytest.raises(ConflictError) as refused:
        factories.approve(proposal)

    assert refused.value.code == "authority_grew"


@pytest.mark.parametrize("state", [State.DRAFT, State.LIFTED])
def test_there_has_to_be_something_to_spare_from(state):
    with pytest.raises(InvalidError) as refused:
        factories.make_draft(terms=make_exemption_terms(factories.make_correction(state=state)))

    assert refused.value.field == "parameters.corrections"


def test_what_was_lifted_meanwhile_cannot_be_spared_from():
    spared = factories.make_correction()
    draft = factories.make_draft(terms=make_exemption_terms(spared))
    factories.lift(spared)
    gateways.show()

    with pytest.raises(InvalidError, match="not in force"):
        actions.propose(correction_id=draft.pk, by=make_commander())


def test_no_exemption_from_an_exemption():
    first = factories.decide(make_exemption(factories.make_correction()))

    with pytest.raises(InvalidError, match="itself an exemption"):
        factories.make_draft(terms=make_exemption_terms(first))


def test_it_never_stays_for_good():
    exemption = factories.decide(make_exemption(factories.make_correction()))
    gateways.show()

    with pytest.raises(ConflictError, match="always ends"):
        actions.propose_permanent(correction_id=exemption.pk, reason="Convenient.", by=make_commander())


def test_each_page_leads_to_the_other(client):
    spared = factories.make_correction()
    exemption = factories.decide(make_exemption(spared))
    client.force_login(make_commander())

    assert f'<a href="{exemption.get_absolute_url()}">{exemption}</a>' in text(
        client.get(url("detail", spared))
    )
    assert f'<a href="{spared.get_absolute_url()}">{spared}</a>' in text(client.get(url("detail", exemption)))


def test_the_decision_page_says_what_is_opened(client):
    spared = factories.make_correction()
    proposal = make_exemption(spared)
    client.force_login(factories.make_executive())

    page = client.get(url("proposal", proposal))

    assert "It opens what was closed" in text(page)
    assert page.context["page"].spared == [spared]


def test_the_form_offers_what_is_in_force_and_asks_for_nothing_senseless(client):
    spared, lifted = factories.make_correction(), factories.make_correction(state=State.LIFTED)
    client.force_login(make_commander())
    incident = spared.package.incident

    form = client.get(f"{create_url(incident)}&exempt={spared.reference}").context["form"]

    assert [value for value, _ in form.fields["corrections"].choices] == [spared.reference]
    assert lifted.reference not in str(form["corrections"])
    assert form["corrections"].value() == [spared.reference]
    assert not {"mode", "at_expiry", "grace_until", "running_streams", "public_reason"} & set(form.fields)


def test_the_form_drafts_it(client):
    spared = factories.make_correction()
    client.force_login(make_commander())
    left_out = dict.fromkeys(("mode", "at_expiry", "running_streams"))

    client.post(
        create_url(spared.package.incident),
        typed(kind="exempt", corrections=spared.reference, users="", organisations="hospital", **left_out),
    )

    draft = Correction.objects.get(kind="exempt")
    assert draft.parameters == {"corrections": [spared.reference]}
    assert draft.at_expiry == "lift"


def test_nobody_is_asked_to_exempt_where_nothing_is_in_force(client):
    client.force_login(make_commander())
    incident = make_incident(state="EXECUTION")

    page = client.post(create_url(incident), typed(kind="exempt", step="kind"))

    assert "nothing to spare from" in text(page)


def test_a_fallback_that_is_shut_down_itself_is_no_fallback():
    small = factories.make_shutdown()
    factories.make_correction(terms=small)
    down, large = small.functionality["models"][0], make_model().name
    terms = {"users": {}, "functionality": {"models": [large]}, "narrower_rejected": "Evaded."}

    for kind, parameters, field in (
        ("reroute", {"fallback_model": down}, "fallback_model"),
        ("suspend", {"fallback_models": {"acme": down}}, "fallback_models"),
    ):
        with pytest.raises(InvalidError, match="itself shut down by") as refused:
            factories.make_draft(kind=kind, parameters=parameters, **terms)
        assert refused.value.field == f"parameters.{field}"


def test_the_next_step_is_drafted_in_one_click_and_decided_like_any_other(client):
    live = factories.make_correction()
    client.force_login(make_commander())

    answer = client.post(reverse("corrections:step", args=[live.pk]), {"percentage": "50"})

    half = Correction.objects.get(version=2)
    assert answer.url == half.get_absolute_url()
    assert (half.percentage, half.supersedes, half.state) == (50, live, State.DRAFT)
    assert {**half.users} == {**live.users}
    assert "Widen to 100 % of users" not in text(client.get(url("detail", half)))  # not in force yet


@pytest.mark.parametrize(
    ("percentage", "labels"),
    [
        (100, {"Ease to 50 % of users"}),
        (50, {"Widen to 100 % of users", "Ease to 10 % of users"}),
        (10, {"Widen to 50 % of users"}),
        (5, {"Widen to 10 % of users"}),
    ],
)
def test_the_steps_lead_to_all_and_back_to_nobody(client, percentage, labels):
    live = factories.make_correction(percentage=percentage)
    client.force_login(make_commander())

    acts = client.get(url("detail", live)).context["detail"].acts

    assert {act.label for act in acts if act.post} == labels
    assert "lift" in {act.name for act in acts}


def test_a_step_takes_over_no_time_that_has_passed(clock):
    live = factories.make_correction(starts_at=timezone.now() + timedelta(minutes=1))
    clock.shift(timedelta(hours=13))  # its review was due after twelve

    half = actions.draft_step(correction_id=live.pk, percentage=50, by=make_commander())

    assert half.starts_at is None
    assert half.review_at > timezone.now()
    assert half.review_at <= half.expires_at


def test_where_the_expiry_has_passed_the_step_is_written_by_hand(client, clock):
    live = factories.make_correction()
    clock.shift(timedelta(hours=25))
    client.force_login(make_commander())

    answer = client.post(reverse("corrections:step", args=[live.pk]), {"percentage": "50"})

    assert answer.url == url("version", live)


@pytest.mark.parametrize("percentage", ["", "33", "x"])
def test_there_are_no_other_steps(client, percentage):
    live = factories.make_correction()
    client.force_login(make_commander())

    client.post(reverse("corrections:step", args=[live.pk]), {"percentage": percentage})

    assert Correction.objects.count() == 1


def test_the_stages_are_listed_once_there_are_any(client):
    live = factories.make_correction()
    client.force_login(make_commander())
    assert not client.get(url("detail", live)).context["detail"].links.stages

    actions.draft_step(correction_id=live.pk, percentage=50, by=make_commander())

    stages = client.get(url("detail", live)).context["detail"].links.stages
    assert [(stage.percentage, stage.current) for stage in stages] == [(100, True), (50, False)]


def test_easing_asks_for_what_imposing_asked_for():
    live = factories.make_correction(terms=factories.make_shutdown())
    half = actions.draft_step(correction_id=live.pk, percentage=50, by=make_commander())

    eased = actions.propose(correction_id=half.pk, by=make_commander())

    assert (eased.action, eased.authority["quorum"]) == (Action.IMPOSE, 2)


def hide(correction):
    incident = correction.package.incident
    incidents.restrict(
        incident_id=incident.pk, restricted=True, reason="Staff are involved.", by=incident.commander
    )
    return incident.commander


def test_nobody_exempts_from_what_they_cannot_see():
    spared = factories.make_correction()
    insider = hide(spared)
    terms = make_exemption_terms(spared)

    with pytest.raises(InvalidError) as refused:
        factories.make_draft(terms=terms)

    assert refused.value.code == "not_live"
    assert factories.make_draft(terms=terms, by=insider).state == State.DRAFT


def test_what_a_reader_cannot_see_is_not_linked_nor_offered(client):
    spared, other = factories.make_correction(users={}, **LIMIT), factories.make_correction()
    exemption = factories.decide(make_exemption(spared, other))
    insider = hide(spared)
    outsider = make_commander()
    here = exemption.package.incident

    assert kin(exemption, reader=insider).spares == [spared, other]
    assert kin(exemption, reader=outsider).spares == [other]
    assert kin(other, reader=outsider).exemptions == [exemption]
    said = as_policy(other)
    assert spared in [each.correction for each in overlapping(said, {}, insider)]
    assert spared not in [each.correction for each in overlapping(said, {}, outsider)]
    client.force_login(outsider)
    form = client.get(f"{create_url(here)}&exempt={other.reference}").context["form"]
    assert [value for value, _ in form.fields["corrections"].choices] == [other.reference]


def test_a_fallback_that_is_down_is_refused_without_naming_what_cannot_be_seen():
    terms = factories.make_shutdown()
    hidden = factories.make_correction(terms=terms)
    hide(hidden)
    again = {"users": {}, "functionality": {"models": [make_model().name]}, "narrower_rejected": "Evaded."}

    with pytest.raises(InvalidError, match="a correction you may not see") as refused:
        factories.make_draft(
            kind="reroute", parameters={"fallback_model": terms.functionality["models"][0]}, **again
        )

    assert str(hidden) not in str(refused.value)
