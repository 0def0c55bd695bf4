"""Signals come in once per key and into one group per fingerprint, whatever is sent."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from incidents import actions as incidents
from incidents.models import Incident, Severity
from incidents.monitoring import actions
from incidents.monitoring.content import checked, derived_fingerprint
from incidents.monitoring.models import Signal, SignalGroup
from incidents.monitoring.states import State
from irapp.accounts.models import RoleCode
from irapp.audit.models import Event
from irapp.common.errors import ConflictError, DomainError, InvalidError, NotPermittedError
from tests.incidents.factories import make_commander, make_incident, make_responder
from tests.irapp.factories import make_user
from tests.monitoring.factories import fresh, make_group, make_received, make_source

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def verbs(group):
    found = Event.objects.filter(target_type="monitoring.signalgroup", target_id=group.pk).order_by("id")
    return list(found.values_list("verb", flat=True))


@pytest.mark.django_db
def test_a_signal_is_kept_as_it_was_sent():
    responder, source = make_responder(), make_source()
    seen = timezone.now() - timedelta(hours=2)

    received = actions.receive_signal(
        source=source.code, key="k1", title=" Odd ", body="Text", severity="HIGH", model_name="aurora",
        observed_at=seen, data={"rate": 3.5, "users": ["u1"]}, by=responder,
    )  # fmt: skip

    signal = Signal.objects.get()
    assert not received.repeated
    assert (signal.title, signal.body, signal.observed_at) == ("Odd", "Text", seen)
    assert signal.data == {"rate": 3.5, "users": ["u1"]}
    assert (signal.group.severity, signal.group.count, signal.group.state) == ("HIGH", 1, State.NEW)
    assert verbs(signal.group) == ["signal.received"]


@pytest.mark.django_db
def test_the_same_key_and_content_is_the_same_signal_even_without_a_time():
    first = make_received(key="k", fingerprint="f", title="Odd")
    second = make_received(key="k", fingerprint="f", title="Odd")

    assert second.repeated
    assert second.signal == first.signal
    assert SignalGroup.objects.get().count == 1
    assert Event.objects.filter(verb="signal.received").count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "other",
    [{"title": "Else"}, {"body": "More"}, {"data": {"a": 1}}, {"severity": "LOW"}, {"fingerprint": "g"}],
)
def test_the_same_key_with_other_content_is_refused_and_leaves_nothing(other):
    make_received(key="k", fingerprint="f", title="Odd")

    with pytest.raises(ConflictError) as refused:
        make_received(key="k", **{"fingerprint": "f", "title": "Odd"} | other)

    assert refused.value.code == "key_reused"
    assert SignalGroup.objects.count() == Signal.objects.count() == 1


@pytest.mark.django_db
def test_two_sources_may_use_the_same_key():
    one = make_received(key="k", source=make_source())
    other = make_received(key="k", source=make_source())

    assert one.signal != other.signal


@pytest.mark.django_db
def test_a_group_keeps_the_worst_severity_and_the_whole_span_of_time():
    now = timezone.now()
    for hours, severity in ((3, "HIGH"), (9, ""), (1, "LOW")):
        make_received(fingerprint="f", severity=severity, observed_at=now - timedelta(hours=hours))

    group = SignalGroup.objects.get()
    assert (group.count, group.severity) == (3, "HIGH")
    assert group.first_seen_at == now - timedelta(hours=9)
    assert group.last_seen_at == now - timedelta(hours=1)


@pytest.mark.django_db
def test_signals_in_the_same_words_are_grouped_without_a_fingerprint():
    for number in (17, 2041):
        make_received(fingerprint="", title=f"Rate is {number} a minute", model_name="aurora")
    make_received(fingerprint="", title="Rate is 17 a minute", model_name="other")

    assert sorted(SignalGroup.objects.values_list("count", flat=True)) == [1, 2]


@pytest.mark.django_db
def test_a_signal_after_closing_brings_the_group_back_with_the_reason_on_the_record():
    group = make_group(state=State.CLOSED, fingerprint="f")

    make_received(fingerprint="f")

    back = fresh(group)
    assert (back.state, back.closed_reason, back.acknowledged_by) == (State.NEW, "", None)
    assert verbs(group)[-1] == "signals.came_back"
    assert "Within the usual spread" in Event.objects.get(verb="signals.came_back").data["earlier"]


@pytest.mark.django_db
def test_a_signal_for_an_open_incident_goes_to_it():
    incident = make_incident()
    group = make_group(state=State.LINKED, incident=incident, fingerprint="f")

    make_received(fingerprint="f")

    assert fresh(group).state == State.LINKED
    assert Event.objects.filter(verb="signal.received", incident_id=incident.pk).count() == 1


@pytest.mark.django_db
def test_a_signal_for_an_incident_that_has_ended_is_not_lost_in_it():
    incident = make_incident()
    group = make_group(state=State.LINKED, incident=incident, fingerprint="f")
    incidents.dismiss(incident_id=incident.pk, reason="Nothing.", by=make_commander())

    make_received(fingerprint="f")

    assert fresh(group).state == State.NEW
    assert fresh(group).incident == incident
    assert incident.signal_links.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("role", [None, *RoleCode])
def test_who_may_report(role):
    person = make_user(*([role] if role else []))

    if role in {None, RoleCode.AUDITOR}:
        with pytest.raises(NotPermittedError):
            make_received(by=person)
    else:
        assert make_received(by=person).signal.received_from == person


@pytest.mark.django_db
def test_a_source_that_is_not_listened_to_is_refused():
    with pytest.raises(ConflictError, match="not taken"):
        make_received(source=make_source(enabled=False))
    with pytest.raises(InvalidError) as refused:
        actions.receive_signal(source="nobody", key="k", title="Odd", by=make_responder())

    assert refused.value.field == "source"
    assert not Signal.objects.exists()


@pytest.mark.django_db
def test_when_the_event_cannot_be_written_nothing_is_left(monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("no events today")

    responder = make_responder()
    monkeypatch.setattr("incidents.monitoring.actions.receiving.record", broken)
    with pytest.raises(RuntimeError):
        make_received(by=responder)

    assert not Signal.objects.exists()
    assert not SignalGroup.objects.exists()


@pytest.mark.django_db
def test_opening_an_incident_is_all_or_nothing(monkeypatch):
    group, responder = make_group(), make_responder()

    def broken(*_, **__):
        raise RuntimeError("no events today")

    monkeypatch.setattr("incidents.monitoring.actions.triage.record", broken)
    with pytest.raises(RuntimeError):
        actions.open_incident_from(group_id=group.pk, title="Odd", by=responder)

    assert not Incident.objects.exists()
    assert fresh(group).state == State.NEW


@pytest.mark.django_db
@pytest.mark.parametrize(
    "columns",
    [
        {"state": "ODD"},
        {"state": State.ACKNOWLEDGED},
        {"state": State.CLOSED},
        {"state": State.LINKED},
        {"closed_reason": "x"},
        {"severity": "ODD"},
        {"first_seen_at": NOW + timedelta(days=9999)},
    ],
)
def test_the_database_refuses_groups_that_cannot_be(columns):
    group = make_group()

    with pytest.raises(IntegrityError), transaction.atomic():
        SignalGroup.objects.filter(pk=group.pk).update(**columns)


def check(**content):
    named = {"key": "k", "title": "t", "body": "", "severity": "", "model_name": "", "fingerprint": ""}
    return checked(**named | {"observed_at": None, "data": {}, "now": NOW} | content)


@pytest.mark.parametrize(
    ("content", "field", "code"),
    [
        ({"title": ""}, "title", "empty"),
        ({"title": "x" * 201}, "title", "too_long"),
        ({"title": "a\x00"}, "title", "not_text"),
        ({"body": "\ud800"}, "body", "not_text"),
        ({"body": "x" * 20_001}, "body", "too_long"),
        ({"key": " "}, "key", "empty"),
        ({"severity": "high"}, "severity", "unknown_severity"),
        ({"fingerprint": "x" * 201}, "fingerprint", "too_long"),
        ({"observed_at": NOW + timedelta(hours=1)}, "observed_at", "bad_time"),
        ({"observed_at": datetime(1999, 12, 31, tzinfo=UTC)}, "observed_at", "bad_time"),
        ({"data": {"a": "x" * 16_000}}, "data", "too_long"),
        ({"data": {"a": "\x00"}}, "data", "not_text"),
        ({"data": {"\x00": 1}}, "data", "not_text"),
        ({"data": {"a": ["\ud800"]}}, "data", "not_json"),
        ({"data": {"a": float("nan")}}, "data", "not_json"),
    ],
)
def test_what_a_signal_cannot_hold_is_refused_by_field(content, field, code):
    with pytest.raises(InvalidError) as refused:
        check(**content)

    assert (refused.value.field, refused.value.code) == (field, code)


def test_data_may_be_nested_to_a_limit_and_deeper_nesting_breaks_nothing():
    def nested(depth):
        value = {}
        for _ in range(depth):
            value = {"in": value}
        return value

    assert check(data=nested(8)).data == nested(8)
    for depth in (9, 20_000):
        with pytest.raises(InvalidError) as refused:
            check(data=nested(depth))
        assert refused.value.code == "too_deep"


def test_a_backslash_is_a_character_like_any_other():
    assert check(data={"pattern": "\\u0000"}).data == {"pattern": "\\u0000"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=30,
)


@given(data=st.dictionaries(st.text(max_size=5), JSON, max_size=5), title=st.text(max_size=220))
def test_whatever_is_sent_is_taken_or_refused_with_a_reason(data, title):
    def outcome():
        try:
            return check(data=data, title=title)
        except DomainError as refused:
            return refused.code, refused.field

    taken = outcome()

    assert taken == outcome()
    assert not isinstance(taken, tuple) or (taken[0] and taken[1] in {"title", "data"})


@given(first=st.text(min_size=1, max_size=60), second=st.text(min_size=1, max_size=60))
def test_space_and_case_do_not_make_a_fingerprint(first, second):
    words = f"{first} {second}"

    assert derived_fingerprint(words, "m") == derived_fingerprint(f"  {' '.join(words.split())} ", "M")


def test_severities_are_ordered_as_the_group_compares_them():
    from incidents.monitoring.actions.receiving import MILDEST_FIRST

    assert MILDEST_FIRST[-1] == Severity.CRITICAL
    assert MILDEST_FIRST[0] == ""
