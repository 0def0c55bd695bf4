"""Who may do what: the table that people are told."""

import pytest

from incidents import actions, policies
from incidents.models import Incident, IncidentRole, State
from irapp.accounts.models import RoleCode
from irapp.common.errors import ConflictError, NotPermittedError
from tests.incidents.factories import make_commander, make_incident, make_responder
from tests.irapp.factories import make_user

pytestmark = pytest.mark.django_db
R = RoleCode
EVERYBODY = set(R)
COMMAND, URGENT = {R.COMMANDER}, {R.COMMANDER, R.DUTY_OFFICER, R.EXECUTIVE}
MOVES = [
    (State.PREPARATION, "begin_monitoring", COMMAND),
    (State.PREPARATION, "dismiss", COMMAND),
    (State.PREPARATION, "declare_emergency", URGENT),
    (State.MONITORING, "begin_execution", COMMAND),
    (State.MONITORING, "return_to_preparation", COMMAND),
    (State.EXECUTION, "stand_down", COMMAND),
    (State.EXECUTION, "begin_post_incident", COMMAND),
    (State.POST_INCIDENT, "recur", COMMAND),
    (State.POST_INCIDENT, "close", COMMAND),
    (State.CLOSED, "reopen", URGENT),
    (State.DISMISSED, "reopen", URGENT),
]


@pytest.mark.parametrize(("state", "move", "allowed"), MOVES)
def test_who_may_make_which_move(state, move, allowed):
    incident = make_incident(state=state)

    for role in EVERYBODY:
        refused = policies.why_not(policies.check_can_move, incident, move, make_user(role))
        assert (refused == "") == (role in allowed), f"{role} {move}: {refused}"


def test_every_move_that_exists_stands_in_the_table():
    field = Incident._meta.get_field("state")

    declared = {(one.source, one.name) for one in field.get_all_transitions(Incident)}

    also = {
        (state, "declare_emergency") for state in (State.MONITORING, State.EXECUTION, State.POST_INCIDENT)
    }
    assert declared == {(state, move) for state, move, _ in MOVES} | also | {(State.MONITORING, "dismiss")}


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        (policies.check_can_edit, {R.RESPONDER, R.COMMANDER}),
        (policies.check_can_write, {R.RESPONDER, R.COMMANDER, R.DUTY_OFFICER, R.EXECUTIVE, R.COMMUNICATOR}),
    ],
)
def test_who_may_work_on_an_open_incident(rule, allowed):
    incident = make_incident()

    for role in EVERYBODY:
        assert (policies.why_not(rule, incident, make_user(role)) == "") == (role in allowed), role


def test_somebody_without_a_role_opens_and_sees_nothing():
    incident, nobody = make_incident(), make_user()

    with pytest.raises(NotPermittedError, match="you need to be responder or incident commander"):
        actions.open_incident(title="Mine", by=nobody)
    assert not Incident.objects.visible_to(nobody).filter(pk=incident.pk).exists()


def test_a_restricted_incident_is_seen_by_those_with_a_need_to_know():
    opener, commander, scribe = make_responder(), make_commander(), make_responder()
    incident = make_incident(by=opener, commander=commander, restricted=True)
    actions.assign(incident_id=incident.pk, user_id=scribe.pk, role="SCRIBE", by=commander)

    seers = [opener, commander, scribe, make_user(R.AUDITOR), make_user(R.ADMINISTRATOR)]
    for person in seers:
        assert Incident.objects.visible_to(person).filter(pk=incident.pk).exists(), person
    for role in EVERYBODY - {R.AUDITOR, R.ADMINISTRATOR}:
        stranger = make_user(role)
        assert not Incident.objects.visible_to(stranger).filter(pk=incident.pk).exists(), role
        with pytest.raises(NotPermittedError, match="restricted"):
            policies.check_can_see(incident, stranger)


def test_somebody_relieved_no_longer_sees_a_restricted_incident():
    commander, scribe = make_commander(), make_responder()
    incident = make_incident(commander=commander, restricted=True)
    part = actions.assign(incident_id=incident.pk, user_id=scribe.pk, role="SCRIBE", by=commander)

    actions.relieve(part_id=part.pk, by=commander)

    assert not Incident.objects.visible_to(scribe).exists()


def test_a_commander_outside_a_restricted_incident_can_do_nothing_with_it():
    incident, outsider = make_incident(commander=make_commander(), restricted=True), make_commander()

    for attempt in (
        lambda: actions.move(incident_id=incident.pk, move="dismiss", reason="No", by=outsider),
        lambda: actions.edit(incident_id=incident.pk, title="Mine", by=outsider),
        lambda: actions.add_note(incident_id=incident.pk, body="Hello", by=outsider),
        lambda: actions.assign(incident_id=incident.pk, user_id=outsider.pk, role="COMMANDER", by=outsider),
    ):
        with pytest.raises(NotPermittedError):
            attempt()


@pytest.mark.parametrize(
    ("part", "fit"),
    [
        ("COMMANDER", {R.COMMANDER}),
        ("RESPONDER", {R.RESPONDER, R.COMMANDER}),
        ("COMMUNICATOR", {R.COMMUNICATOR}),
        ("SCRIBE", {R.RESPONDER, R.COMMANDER, R.COMMUNICATOR}),
        ("DECISION_MAKER", {R.DUTY_OFFICER, R.EXECUTIVE}),
    ],
)
def test_a_part_asks_for_its_role(part, fit):
    for role in EVERYBODY:
        assert (policies.why_not(policies.check_is_fit, part, make_user(role)) == "") == (role in fit), role


def test_a_responder_hands_a_new_incident_to_its_first_commander_but_not_to_a_second():
    responder, first, second = make_responder(), make_commander(), make_commander()
    incident = make_incident(by=responder)

    actions.assign(incident_id=incident.pk, user_id=first.pk, role="COMMANDER", by=responder)

    with pytest.raises(NotPermittedError):
        actions.assign(incident_id=incident.pk, user_id=second.pk, role="COMMANDER", by=responder)


def test_whoever_restricts_an_incident_must_be_on_it():
    incident, outsider = make_incident(), make_commander()

    with pytest.raises(ConflictError, match="shut yourself out"):
        actions.restrict(incident_id=incident.pk, restricted=True, reason="Names of victims", by=outsider)


def test_what_has_ended_is_not_written_on():
    incident = make_incident(state=State.DISMISSED)

    with pytest.raises(ConflictError, match="reopen it first"):
        actions.add_note(incident_id=incident.pk, body="One more", by=make_responder())


def test_every_part_has_a_fitting_role():
    assert set(policies.FIT) == set(IncidentRole.Part)
