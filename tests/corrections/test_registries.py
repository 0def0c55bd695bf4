"""What corrections tell the floors below: conditions of moves, and what waits for people."""

import pytest
from django.utils import timezone

from corrections import actions
from corrections.models import Alarm, AuthorityRule, Correction
from corrections.publishing import alarms
from corrections.states import State
from incidents import actions as incidents
from incidents import gates, inbox
from incidents.models import Incident
from incidents.states import State as Stage
from irapp.accounts.models import RoleCode, RoleGrant
from irapp.common.errors import ConflictError
from tests.corrections.factories import (
    lift,
    make_correction,
    make_draft,
    make_executive,
    make_officer,
    make_proposal,
)
from tests.incidents.factories import make_commander, make_incident
from tests.irapp.factories import make_user

pytestmark = pytest.mark.django_db


def unmet(correction, move):
    incident = Incident.objects.get(pk=correction.incident_id)
    return {condition.code for condition in gates.unmet(incident, move)}


def titles(user):
    return [(item.kind, item.incident_reference) for item in inbox.items(user)]


def test_execution_waits_for_enough_people_who_can_decide():
    incident = make_incident()
    make_executive()
    assert "deciders" in {each.code for each in gates.unmet(incident, "begin_execution")}

    make_officer()

    assert "deciders" not in {each.code for each in gates.unmet(incident, "begin_execution")}


def test_an_empty_matrix_decides_nothing():
    incident = make_incident(state=Stage.MONITORING)
    AuthorityRule.objects.all().delete()

    assert "deciders" in {each.code for each in gates.unmet(incident, "begin_execution")}


@pytest.mark.parametrize(
    ("state", "held_back"),
    [
        (State.DRAFT, set()),
        (State.PROPOSED, {"begin_post_incident", "close"}),
        (State.ENFORCING, {"begin_post_incident", "close"}),
        (State.ACTIVE, {"close"}),
        (State.LIFTING, {"begin_post_incident", "close"}),
        (State.LIFTED, set()),
    ],
)
def test_which_moves_a_correction_holds_back(state, held_back):
    correction = make_correction(state=state)

    moves = {"begin_post_incident": "corrections_settled", "close": "corrections_ended"}
    assert {move for move, code in moves.items() if code in unmet(correction, move)} == held_back


def test_what_was_decided_to_stay_does_not_keep_an_incident_open():
    correction = make_correction()
    Correction.objects.filter(pk=correction.pk).update(state=State.PERMANENT)

    assert "corrections_ended" not in unmet(correction, "close")


def test_an_incident_does_not_move_on_with_a_correction_undecided():
    proposal = make_proposal()
    incident = proposal.correction.package.incident

    with pytest.raises(ConflictError) as refused:
        incidents.move(incident_id=incident.pk, move="begin_post_incident", by=incident.commander)

    assert "corrections_settled" in {each["code"] for each in refused.value.details["missing"]}


def test_a_decision_waits_in_the_inbox_of_those_who_decide():
    officer, commander = make_officer(), make_commander()
    proposal = make_proposal(by=commander)
    reference = proposal.correction.package.incident.reference

    assert ("Decision", reference) in titles(officer)
    assert ("Decision", reference) not in titles(commander)


def test_whoever_has_no_role_any_more_has_an_empty_inbox():
    officer = make_officer()
    make_proposal()
    RoleGrant.objects.filter(user=officer).update(ends_at=timezone.now())

    assert titles(type(officer).objects.get(pk=officer.pk)) == []


def test_a_correction_that_failed_waits_for_everybody_who_is_told_of_alarms():
    correction = make_correction(state=State.ENFORCING)
    reference = correction.package.incident.reference
    Correction.objects.filter(pk=correction.pk).update(state=State.FAILED, failure="gateway-1 is silent")
    alarms.settle(now=timezone.now())

    assert ("Alarm", reference) in titles(make_commander())
    assert ("Alarm", reference) in titles(make_officer())
    assert ("Alarm", reference) not in titles(make_user())


def test_an_alarm_that_somebody_looks_after_waits_for_them_and_for_commanders():
    correction = make_correction(state=State.ENFORCING)
    Correction.objects.filter(pk=correction.pk).update(state=State.FAILED, failure="gateway-1 is silent")
    alarms.settle(now=timezone.now())
    officer, other = make_officer(), make_officer()

    actions.acknowledge_alarm(alarm_id=Alarm.objects.get().pk, by=officer)

    seen = ("Alarm, seen", correction.package.incident.reference)
    assert [seen in titles(person) for person in (officer, make_commander(), other)] == [True, True, False]


def test_a_review_that_is_due_waits_for_a_commander(clock):
    correction = make_correction()
    clock.move_to(correction.review_at, tick=False)

    assert "Review" in [kind for kind, _ in titles(make_commander())]


def test_a_lifted_correction_waits_for_nobody(clock):
    correction = make_correction()
    lift(correction)
    clock.move_to(correction.review_at, tick=False)

    assert "Review" not in [kind for kind, _ in titles(make_commander())]


def test_drafts_wait_for_nobody():
    make_draft()

    assert "Decision" not in [kind for kind, _ in titles(make_executive())]


def test_the_inbox_asks_the_same_questions_for_many_as_for_one(django_assert_max_num_queries):
    for _ in range(4):
        make_proposal()
    officer = type(make_officer()).objects.filter(grants__role=RoleCode.DUTY_OFFICER).last()

    with django_assert_max_num_queries(20):
        inbox.items(officer)


def test_nothing_is_decided_for_an_incident_that_has_ended():
    incident = make_incident()
    incidents.assign(
        incident_id=incident.pk, user_id=(boss := make_commander()).pk, role="COMMANDER", by=boss
    )
    incidents.dismiss(incident_id=incident.pk, reason="A test.", by=boss)

    with pytest.raises(ConflictError) as refused:
        actions.open_package(incident_id=incident.pk, title="Too late", by=boss)

    assert refused.value.code == "incident_ended"
