"""Who says what becomes of signals, and when."""

import pytest

from incidents import actions as incidents
from incidents.models import State as Stage
from incidents.monitoring import actions
from incidents.monitoring.models import Link, SignalGroup
from incidents.monitoring.states import State
from irapp.accounts.models import RoleCode
from irapp.audit.models import Event
from irapp.common.errors import ConflictError, DomainError, InvalidError, NotPermittedError
from tests.incidents.factories import make_commander, make_incident, make_responder
from tests.irapp.factories import make_user
from tests.monitoring.factories import fresh, make_group, make_received, make_source

pytestmark = pytest.mark.django_db
TRIAGING = {RoleCode.RESPONDER, RoleCode.COMMANDER, RoleCode.DUTY_OFFICER, RoleCode.EXECUTIVE}

DO = {
    "acknowledge": lambda group, by: actions.acknowledge(group_id=group.pk, by=by),
    "link": lambda group, by: actions.link_to_incident(
        group_id=group.pk, incident_id=make_incident().pk, by=by
    ),
    "open": lambda group, by: actions.open_incident_from(group_id=group.pk, title="Odd", by=by),
    "close": lambda group, by: actions.close_group(group_id=group.pk, reason="Harmless.", by=by),
    "reopen": lambda group, by: actions.reopen(group_id=group.pk, by=by),
}
POSSIBLE = {
    State.NEW: {"acknowledge", "link", "open", "close"},
    State.ACKNOWLEDGED: {"link", "open", "close"},
    State.LINKED: {"link"},
    State.CLOSED: {"reopen"},
}
LEADS_TO = {
    "acknowledge": State.ACKNOWLEDGED,
    "link": State.LINKED,
    "open": State.LINKED,
    "close": State.CLOSED,
    "reopen": State.NEW,
}


@pytest.mark.parametrize("what", DO)
@pytest.mark.parametrize("state", State)
def test_what_is_possible_in_which_state(state, what):
    group, responder = make_group(state=state), make_responder()
    events = Event.objects.count()

    if what in POSSIBLE[state]:
        DO[what](group, responder)
        assert fresh(group).state == LEADS_TO[what]
    else:
        with pytest.raises(ConflictError):
            DO[what](group, responder)
        assert fresh(group).state == state
        assert not Event.objects.filter(pk__gt=events, verb__startswith="signals.", actor_id=responder.pk)


@pytest.mark.parametrize("what", DO)
@pytest.mark.parametrize("role", [None, *RoleCode])
def test_who_may_do_it(role, what):
    group = make_group(state=State.CLOSED if what == "reopen" else State.NEW)
    person = make_user(*([role] if role else []))

    if role in TRIAGING:
        DO[what](group, person)
        assert fresh(group).state == LEADS_TO[what]
    else:
        with pytest.raises(NotPermittedError):
            DO[what](group, person)
        assert fresh(group).state == group.state


def test_each_deed_leaves_one_event_with_its_author():
    group, responder = make_group(), make_responder()

    actions.acknowledge(group_id=group.pk, by=responder)
    actions.close_group(group_id=group.pk, reason="Harmless.", by=responder)
    actions.reopen(group_id=group.pk, reason="Not so harmless.", by=responder)
    actions.open_incident_from(group_id=group.pk, title="Odd", by=responder)

    mine = Event.objects.filter(actor_id=responder.pk).order_by("id").values_list("verb", flat=True)
    told = ["signals.acknowledged", "signals.closed", "signals.reopened", "incident.opened", "signals.linked"]
    assert list(mine) == told


def test_an_incident_opened_from_signals_knows_them_and_their_model():
    group = make_group(model_name="aurora-large")

    incident = actions.open_incident_from(
        group_id=group.pk, title="Odd", severity="HIGH", by=make_responder()
    )

    assert (incident.model_name, incident.severity, incident.state) == (
        "aurora-large",
        "HIGH",
        Stage.PREPARATION,
    )
    assert fresh(group).incident == incident
    opened = Event.objects.get(verb="incident.opened", target_id=incident.pk)
    assert opened.data["source"] == str(group)


def test_what_cannot_be_opened_leaves_the_signals_as_they_were():
    group = make_group()

    with pytest.raises(InvalidError):
        actions.open_incident_from(group_id=group.pk, title=" ", by=make_responder())

    assert fresh(group).state == State.NEW


def test_signals_are_not_linked_to_what_has_ended():
    incident = make_incident(state=Stage.DISMISSED)

    with pytest.raises(ConflictError, match="reopen it first"):
        actions.link_to_incident(group_id=make_group().pk, incident_id=incident.pk, by=make_responder())


def test_signals_are_not_linked_to_what_is_hidden():
    hidden = make_incident(by=make_commander(), restricted=True)

    with pytest.raises(NotPermittedError):
        actions.link_to_incident(group_id=make_group().pk, incident_id=hidden.pk, by=make_responder())


def test_linking_twice_to_the_same_incident_is_refused_and_to_another_corrects_the_first():
    first, second, responder = make_incident(), make_incident(), make_responder()
    group = make_group(state=State.LINKED, incident=first)

    with pytest.raises(ConflictError, match="linked to"):
        actions.link_to_incident(group_id=group.pk, incident_id=first.pk, by=responder)
    actions.link_to_incident(group_id=group.pk, incident_id=second.pk, by=responder)

    assert [link.incident for link in Link.objects.all()] == [second]
    assert Event.objects.filter(verb="signals.moved_away", incident_id=first.pk).count() == 1


def test_the_link_to_an_incident_that_has_ended_stays_on_its_record():
    first = make_incident()
    group = make_group(state=State.LINKED, incident=first, fingerprint="f")
    incidents.dismiss(incident_id=first.pk, reason="Nothing.", by=make_commander())
    make_received(fingerprint="f")

    actions.link_to_incident(group_id=group.pk, incident_id=make_incident().pk, by=make_responder())

    assert Link.objects.filter(group=group).count() == 2


def test_closing_is_refused_when_more_has_arrived_than_was_seen():
    group = make_group(fingerprint="f")
    make_received(fingerprint="f")

    with pytest.raises(ConflictError) as refused:
        actions.close_group(group_id=group.pk, reason="Harmless.", count_seen=1, by=make_responder())

    assert refused.value.code == "more_arrived"


@pytest.mark.parametrize("what", DO)
def test_groups_that_do_not_exist_are_named(what):
    with pytest.raises(DomainError) as refused:
        DO[what](SignalGroup(pk=999_999), make_responder())

    assert refused.value.code == "unknown_signals"


@pytest.mark.parametrize("role", RoleCode)
def test_who_keeps_the_sources(role):
    person = make_user(role)

    if role in {RoleCode.COMMANDER, RoleCode.ADMINISTRATOR}:
        assert make_source(by=person).owner is None
    else:
        with pytest.raises(NotPermittedError):
            make_source(by=person)


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"code": "Not A Code"}, "code"),
        ({"code": "x" * 61}, "code"),
        ({"code": "report-form"}, "code"),
        ({"name": " "}, "name"),
        ({"kind": "ODD"}, "kind"),
        ({"owner_id": 999_999}, "owner"),
    ],
)
def test_bad_sources_are_refused_by_field(content, field):
    with pytest.raises(InvalidError) as refused:
        make_source(**content)

    assert refused.value.field == field


def test_a_source_that_did_not_change_leaves_no_event():
    source = make_source()

    actions.edit_source(
        source_id=source.pk, name=source.name, kind=source.kind, enabled=True, by=make_commander()
    )

    assert not Event.objects.filter(verb="source.edited").exists()
