"""What gateways show decides: nothing is active, lifted or well because somebody says so."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from corrections import actions
from corrections.models import Acknowledgement, Correction, CorrectionGateway, Gateway
from corrections.publishing.evaluate import evaluate
from corrections.selectors import enforcement
from corrections.selectors import gateways as standing
from corrections.states import State
from irapp.audit.models import Event
from irapp.common.errors import ConflictError
from tests.corrections import gateways
from tests.corrections.factories import (
    approve,
    fresh,
    lift,
    make_correction,
    make_officer,
    make_proposal,
)

pytestmark = pytest.mark.django_db


def verbs(correction):
    found = Event.objects.filter(target_type="corrections.correction", target_id=correction.pk)
    return list(found.order_by("id").values_list("verb", flat=True))


def why_not(correction):
    return {each.gateway.name: each.why_not for each in enforcement(fresh(correction), now=timezone.now())}


def fail(correction, clock):
    clock.move_to(fresh(correction).execute_by + timedelta(seconds=1), tick=False)
    evaluate(now=timezone.now())
    return fresh(correction)


def test_no_gateway_at_all_is_no_proof():
    correction = make_correction(state=State.ENFORCING)

    evaluate(now=timezone.now())

    assert fresh(correction).state == State.ENFORCING


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"envoy": {"version": "x", "live": False, "rejected": 0, "error": ""}}, "Envoy does not answer"),
        (
            {"envoy": {"version": "x", "live": True, "rejected": 1, "error": "bad matcher"}},
            "rejected an update: bad matcher",
        ),
        ({"policy": None}, "has policy none, needs 1"),
        ({"policy": {"version": 1, "digest": "sha256:other"}}, "never published"),
        ({"policy": {"version": 7, "digest": "sha256:other"}}, "never published"),
        ({"corrections": {}}, "does not carry it"),
    ],
)
def test_a_gateway_that_does_not_agree_holds_it_back(changes, reason):
    correction = make_correction(state=State.ENFORCING)

    gateways.show(**changes)

    assert fresh(correction).state == State.ENFORCING
    assert reason in why_not(correction)["gateway-1"]


def test_a_wrong_probe_holds_it_back_and_is_named():
    correction = make_correction(state=State.ENFORCING)

    gateways.show(wrong=[str(correction)])

    assert "inside at chat.completions gave 200, expected to refuse" in why_not(correction)["gateway-1"]
    assert not CorrectionGateway.objects.get(correction=correction).verified


def test_one_of_two_gateways_is_not_enough():
    correction = make_correction(state=State.ENFORCING)
    gateways.tell(gateways.report("gateway-2", version=None) | {"policy": None})

    gateways.show("gateway-1")

    assert fresh(correction).state == State.ENFORCING
    assert why_not(correction) == {"gateway-1": "", "gateway-2": "has policy none, needs 1"}
    gateways.show("gateway-2")
    assert fresh(correction).state == State.ACTIVE


def test_partial_failure_names_the_gateway_and_keeps_the_correction_wanted(clock):
    correction = make_correction(state=State.ENFORCING)
    gateways.show("gateway-2", wrong=[str(correction)])
    gateways.show("gateway-1")
    clock.move_to(correction.execute_by + timedelta(seconds=1), tick=False)
    gateways.tell(gateways.report("gateway-1"))
    gateways.show("gateway-2", wrong=[str(correction)])

    correction = fresh(correction)
    assert correction.state == State.FAILED
    assert "gateway-2 is not verified" in correction.failure
    assert "gateway-1" not in correction.failure
    assert correction in Correction.objects.wanted(now=timezone.now())


def test_an_older_report_is_ignored():
    correction = make_correction(state=State.ENFORCING)
    now = timezone.now()
    gateways.show(now=now)

    gateways.show(now=now - timedelta(seconds=5), policy=None)

    gateway = Gateway.objects.get()
    assert gateway.policy_version == 1
    assert fresh(correction).state == State.ACTIVE


def test_a_report_that_cannot_be_read_silences_only_its_own_gateway():
    correction = make_correction(state=State.ENFORCING)
    broken = gateways.report("gateway-2") | {"surprise": 1}

    gateways.tell(broken, gateways.report("gateway-1"))
    evaluate(now=timezone.now())

    assert list(Gateway.objects.values_list("name", flat=True)) == ["gateway-1"]
    assert fresh(correction).state == State.ACTIVE


def test_out_of_time_it_fails_with_the_reasons_and_an_alarm(clock):
    correction = make_correction(state=State.ENFORCING)

    correction = fail(correction, clock)

    assert correction.state == State.FAILED
    assert correction.failure == "No gateway has ever reported."
    assert verbs(correction)[-1] == "correction.failed"


def test_what_failed_can_be_tried_again(clock):
    correction = fail(make_correction(state=State.ENFORCING), clock)

    correction = actions.retry(correction_id=correction.pk, by=make_officer())

    assert correction.state == State.ENFORCING
    assert correction.execute_by > timezone.now()
    gateways.show()
    assert fresh(correction).state == State.ACTIVE


def test_what_failed_is_active_when_the_gateways_show_it_after_all(clock):
    correction = fail(make_correction(state=State.ENFORCING), clock)

    gateways.show()

    assert fresh(correction).state == State.ACTIVE


def test_what_failed_can_be_lifted(clock):
    correction = fail(make_correction(state=State.ENFORCING), clock)

    assert lift(correction).state == State.LIFTING


def test_a_silent_gateway_is_drift_said_once(clock):
    correction = make_correction()
    assert fresh(correction).drifted_at is None

    for _ in range(3):
        clock.shift(8)
        evaluate(now=timezone.now())

    correction = fresh(correction)
    assert correction.state == State.ACTIVE
    assert correction.drift == "gateway-1 is silent"
    assert verbs(correction).count("correction.drifted") == 1


def test_drift_ends_when_the_gateway_shows_it_again(clock):
    correction = make_correction()
    clock.shift(8)
    evaluate(now=timezone.now())

    gateways.show()

    assert fresh(correction).drifted_at is None
    assert verbs(correction)[-2:] == ["correction.drifted", "correction.recovered"]


def test_a_second_episode_is_a_second_alarm(clock):
    correction = make_correction()
    for _ in range(2):
        clock.shift(8)
        evaluate(now=timezone.now())
        gateways.show()

    assert verbs(correction).count("correction.drifted") == 2
    assert verbs(correction).count("correction.recovered") == 2


def test_a_probe_that_goes_wrong_for_a_moment_is_no_alarm(clock):
    correction = make_correction()
    clock.shift(1)
    gateways.show(wrong=[str(correction)])
    clock.shift(2)
    gateways.show()

    assert fresh(correction).drifted_at is None


def test_a_probe_that_stays_wrong_is_drift(clock):
    correction = make_correction()
    for _ in range(4):
        clock.shift(2)
        gateways.show(wrong=[str(correction)])

    assert "expected to refuse" in fresh(correction).drift


def test_a_gateway_that_fell_back_to_an_older_policy_is_drift(clock):
    make_correction()
    clock.shift(1)
    correction = make_correction()
    for _ in range(4):
        clock.shift(2)
        gateways.show(version=1)

    assert fresh(correction).drift == "gateway-1 has policy 1, needs 2"


def test_a_new_gateway_that_does_not_enforce_is_drift(clock):
    correction = make_correction()
    for _ in range(4):
        clock.shift(2)
        gateways.show("gateway-1")
        gateways.show("gateway-2", corrections={})

    assert fresh(correction).drift == "gateway-2 does not carry it"


def test_a_retired_gateway_no_longer_counts(clock):
    correction = make_correction()
    clock.shift(8)
    gateways.show("gateway-2")
    gateway = Gateway.objects.get(name="gateway-1")

    actions.retire_gateway(gateway_id=gateway.pk, reason="Moved.", by=make_officer())
    gateways.show("gateway-2", now=timezone.now() + timedelta(seconds=1))

    assert fresh(correction).drifted_at is None
    assert [each.gateway.name for each in standing(now=timezone.now())] == ["gateway-2"]


def test_a_gateway_that_still_reports_cannot_be_retired():
    make_correction()

    with pytest.raises(ConflictError) as refused:
        actions.retire_gateway(gateway_id=Gateway.objects.get().pk, reason="Moved.", by=make_officer())

    assert refused.value.code == "still_reporting"


def retired(clock):
    make_correction()
    clock.shift(8)
    gateway = Gateway.objects.get()
    return actions.retire_gateway(gateway_id=gateway.pk, reason="Moved.", by=make_officer())


def test_a_retired_gateway_that_reports_stays_retired(clock):
    gateway = retired(clock)
    for _ in range(3):
        clock.shift(2)
        gateways.show()

    assert not Gateway.objects.shown().exists()
    gateway.refresh_from_db()
    assert gateway.seen_at > gateway.retired_at
    assert not Event.objects.filter(verb="gateway.returned").exists()


def test_a_retired_gateway_that_reports_is_taken_up_again_on_purpose(clock):
    gateway, officer = retired(clock), make_officer()
    clock.shift(2)
    gateways.show()

    actions.take_up_gateway(gateway_id=gateway.pk, reason="Repaired.", by=officer)

    assert list(Gateway.objects.expected()) == [gateway]
    event = Event.objects.get(verb="gateway.returned")
    assert (event.actor_id, event.data["reason"]) == (officer.pk, "Repaired.")


@pytest.mark.parametrize("code", ["still_silent", "not_retired"])
def test_what_is_not_retired_or_not_there_is_not_taken_up(clock, code):
    gateway = retired(clock)
    if code == "not_retired":
        clock.shift(2)
        gateways.show()
        actions.take_up_gateway(gateway_id=gateway.pk, reason="Repaired.", by=make_officer())

    with pytest.raises(ConflictError) as refused:
        actions.take_up_gateway(gateway_id=gateway.pk, reason="Repaired.", by=make_officer())

    assert refused.value.code == code


def test_a_lift_that_no_gateway_shows_is_an_alarm_and_not_undone(clock):
    correction = lift(make_correction())
    clock.move_to(correction.execute_by + timedelta(seconds=1), tick=False)

    for _ in range(2):
        evaluate(now=timezone.now())

    correction = fresh(correction)
    assert correction.state == State.LIFTING
    assert correction not in Correction.objects.wanted(now=timezone.now())
    assert verbs(correction).count("correction.lift_overdue") == 1


def test_a_gateway_that_still_carries_it_holds_back_the_lift():
    correction = make_correction()
    carrying = gateways.report()
    lift(correction)

    gateways.show(corrections=carrying["corrections"])

    assert fresh(correction).state == State.LIFTING
    assert why_not(correction)["gateway-1"] == "still carries it"


def test_a_gateway_that_never_had_it_has_nothing_to_unprobe():
    correction = make_correction()
    lift(correction)
    gateways.show()
    second = lift(make_correction())

    gateways.show("gateway-2", lifted={})
    gateways.show("gateway-1")

    assert fresh(second).state == State.LIFTED


def test_a_later_start_is_no_failure_before_it_has_begun(clock):
    soon = timezone.now() + timedelta(hours=1)
    correction = decided = make_correction(state=State.ENFORCING, starts_at=soon)
    gateways.show()
    assert fresh(correction).state == State.ENFORCING
    assert decided.execute_by > soon

    clock.move_to(soon + timedelta(seconds=1), tick=False)
    gateways.show()

    assert fresh(correction).state == State.ACTIVE


def test_a_dry_run_is_active_when_the_gateway_shows_it_as_a_dry_run():
    correction = make_correction(mode="shadow")

    assert correction.state == State.ACTIVE
    assert lift(correction).state == State.LIFTING
    gateways.show(lifted={})
    assert fresh(correction).state == State.LIFTED


def test_another_decision_does_not_disturb_what_is_active(clock):
    correction = make_correction()
    approve(make_proposal())

    clock.shift(1)
    gateways.show(version=1)

    assert fresh(correction).drifted_at is None
    assert fresh(correction).policy_version == 1


def test_counts_and_states_are_kept_per_gateway():
    correction = make_correction()
    said = gateways.report(now=timezone.now() + timedelta(seconds=1))
    said["corrections"][str(correction)]["refused"] = 17

    gateways.tell(said)
    evaluate(now=timezone.now())

    row = CorrectionGateway.objects.get(correction=correction)
    assert (row.refused, row.verified, row.state) == (17, True, "in_force")


def asked():
    """Give what a look asks of the database."""
    with CaptureQueriesContext(connection) as found:
        evaluate(now=timezone.now())
    return [each["sql"] for each in found if "SAVEPOINT" not in each["sql"]]


def test_a_look_asks_the_same_for_many_gateways_and_corrections_and_reads_no_rows_without_news():
    make_correction()
    few = asked()
    for _ in range(4):
        make_correction()
    for number in range(2, 20):
        gateways.show(f"gateway-{number}")
    many = asked()

    assert len(few) == len(many) == 6
    assert not [sql for sql in many if sql.startswith("INSERT")]
    assert not [sql for sql in many if sql.startswith('SELECT "corrections_correctiongateway"')]


def test_what_gateways_counted_is_kept_in_the_same_questions():
    correction = make_correction()
    for number in range(2, 5):
        gateways.show(f"gateway-{number}")
    for number in range(1, 5):
        told = gateways.report(f"gateway-{number}")
        told["corrections"][str(correction)]["refused"] = 10 * number
        gateways.tell(told)

    assert len(asked()) == 7  # and whoever watches is told
    counted = fresh(correction).at_gateways.order_by("gateway__name").values_list("refused", flat=True)
    assert list(counted) == [10, 20, 30, 40]


@pytest.mark.django_db(transaction=True)
def test_taking_in_reports_holds_up_nobody_who_writes_rows_about_the_same_gateways(clock):
    gateways.show()
    gateway = Gateway.objects.get()
    clock.shift(1)

    def acknowledge():
        Acknowledgement.objects.create(gateway=gateway, version=1, digest="x", at=timezone.now())
        connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        gateways.tell(gateways.report())
        pool.submit(acknowledge).result(timeout=5)
