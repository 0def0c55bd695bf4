"""The service by itself: asked as Envoy asks, with a real Valkey behind it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count

import grpc
import pytest

from tests.enforcement.ratelimit.parts import Service, Valkey, descriptor
from tests.patience import in_time, wait_for

NUMBERS = count(1)
MORE_PATIENT = {"RATELIMIT_REDIS_TIMEOUT_MS": "1000"}


@pytest.fixture
def limit():
    """A limit that no other test counts."""
    return f"COR-{next(NUMBERS):04}.1"


def test_two_services_let_exactly_the_amount_through(services, limit):
    asked = [services[number % 2] for number in range(60)]

    with ThreadPoolExecutor(8) as pool:
        allowed = list(pool.map(lambda one: one.allows(descriptor("requests;25;60;0", limit=limit)), asked))

    assert allowed.count(True) == 25


def test_subjects_and_limits_are_counted_apart(services, limit):
    one = descriptor("requests;1;60;0", "alice", limit=limit)

    assert services[0].allows(one)
    assert not services[1].allows(one)
    assert services[0].allows(descriptor("requests;1;60;0", "bob", limit=limit))
    assert services[0].allows(descriptor("requests;1;60;0", "alice", limit="COR-9999.1"))


def test_a_window_slides_so_that_no_window_holds_more_than_the_amount(services, limit):
    one = descriptor("requests;2;1;0", limit=limit)

    allowed = [wait_for(lambda: _allowed_at(services[0], one)) for _ in range(7)]

    # Between the earliest moment of one and the latest of the next but one lies a whole window.
    assert all(third[1] - first[0] >= 1.0 for first, third in zip(allowed, allowed[2:], strict=False))


def _allowed_at(service, one):
    """Give the moments between which it was let through, if it was."""
    asked = time.monotonic()
    return (asked, time.monotonic()) if service.allows(one) else None


def test_a_large_window_opens_again_at_most_one_slot_late(services, limit):
    rule = "requests;1000;2;0"
    started = time.monotonic()
    assert services[0].allows(descriptor(rule, limit=limit, hits=1000))
    counted = time.monotonic()
    assert not services[1].allows(descriptor(rule, limit=limit))

    wait_for(lambda: services[1].allows(descriptor(rule, limit=limit)))

    assert time.monotonic() - started >= 2.0
    in_time(time.monotonic() - counted, 2.0 + 2 / 128 + 0.5, told="the window")


def test_a_burst_is_smaller_than_the_amount_and_refills_at_its_rate(services, limit):
    one = descriptor("requests;20;40;3", limit=limit)

    started = time.monotonic()
    at_once = [services[number % 2].allows(one) for number in range(5)]
    wait_for(lambda: services[0].allows(one))

    assert at_once == [True, True, True, False, False]
    assert time.monotonic() - started >= 2.0
    assert not services[0].allows(one)


def test_a_refusal_says_when_to_come_back(services, limit):
    one = descriptor("requests;1;30;0", limit=limit)
    started = time.monotonic()
    services[0].ask(one)

    status = services[1].ask(one).statuses[0]

    assert status.code == 2
    assert 29 - (time.monotonic() - started) <= status.duration_until_reset.seconds <= 31


def test_tokens_are_checked_before_and_charged_after(services, limit):
    check = descriptor("tokens;100;60;total", limit=limit, hits=0)

    for _ in range(3):
        assert services[0].allows(check)
        assert services[0].allows(descriptor("tokens;100;60;total", limit=limit))
    assert services[0].ask(check).statuses[0].limit_remaining == 100
    services[0].ask(*_parts("tokens;100;60;total", limit, input=60, output=50, status=200))
    assert not services[1].allows(check)


@pytest.mark.parametrize(("metric", "left"), [("input", True), ("output", False), ("total", False)])
def test_a_token_limit_charges_its_own_metric(services, limit, metric, left):
    rule = f"tokens;100;60;{metric}"

    services[0].ask(*_parts(rule, limit, input=5, output=100, status=200))

    assert services[0].allows(descriptor(rule, limit=limit, hits=0)) == left


@pytest.mark.parametrize(
    ("parts", "charged"),
    [
        ({"chunks": 7, "status": 200}, 8),  # a stream without usage, and at least one token asked
        ({"text": 40, "received": 80, "status": 200}, 30),
        ({"status": 200}, 2),  # an answer of which nothing is known
        ({"sent": 400, "status": 200}, 101),  # an answer in a form that is not known
        ({"sent": 4000, "chunks": 7, "status": 200}, 8),
        ({"received": 400}, 101),  # hung up before the answer began
        ({"received": 400, "status": 429}, 0),  # refused: the model did nothing
        ({"received": 400, "status": 502}, 0),
        ({"input": 1, "output": 1, "text": 4000, "status": 200}, 2),  # what the model says counts
    ],
)
def test_a_stream_without_usage_is_estimated_and_never_free(services, limit, parts, charged):
    rule = "tokens;1000;60;total"

    services[0].ask(*_parts(rule, limit, **parts))

    assert (
        services[0].ask(descriptor(rule, limit=limit, hits=0)).statuses[0].limit_remaining == 1000 - charged
    )


def test_places_are_held_across_services_and_given_back(services, limit):
    def place(lease, **more):
        return descriptor("concurrent;2", limit=limit, lease=lease, **more)

    assert services[0].allows(place("a"))
    assert services[1].allows(place("b"))
    assert not services[0].allows(place("c"))
    assert services[0].allows(place("c", back="1"))  # refused before: it holds nothing
    assert not services[0].allows(place("d"))
    assert services[0].allows(place("a", back="1"))
    assert services[1].allows(place("d"))


def test_a_dry_limit_counts_and_never_refuses(services, limit):
    one = descriptor("requests;1;60;0", limit=limit, dry="1")
    first, second = services[0].ask(one), services[1].ask(one)

    assert (first.overall_code, second.overall_code) == (1, 1)
    assert not first.dynamic_metadata.fields
    assert second.dynamic_metadata.fields[limit].bool_value


def test_a_probe_learns_what_is_counted_by(services, limit):
    answer = services[0].ask(descriptor("requests;1;60;0", "probe;1", limit=limit))

    assert [(one.key, one.value) for one in answer.response_headers_to_add] == [
        ("x-irapp-limit-basis", "global")
    ]
    assert not services[0].ask(descriptor("requests;1;60;0", limit=limit)).response_headers_to_add


def test_a_probe_can_take_all_places_of_a_large_limit(services, limit):
    def place(lease, hits, **more):
        return descriptor("concurrent;500000", "probe;1", limit=limit, lease=lease, hits=hits, **more)

    assert services[0].allows(place("a", 500_000))
    assert not services[1].allows(place("b", 500_000))
    assert services[0].allows(place("a", 500_000, back="1"))
    assert services[1].allows(place("b", 500_000))


@pytest.mark.parametrize(
    ("rule", "more"),
    [
        ("", {}),
        ("requests;0;60;0", {}),
        ("requests;many;60;0", {}),
        ("requests;1;60", {}),
        ("tokens;1;60;words", {}),
        ("concurrent;1", {}),
        ("requests;1;60;0", {"colour": "red"}),
        ("requests;1;60;0", {"subject": ""}),
    ],
)
def test_a_question_that_makes_no_sense_is_no_yes(services, rule, more):
    with pytest.raises(grpc.RpcError) as found:
        services[0].ask(descriptor(rule, **more))

    assert found.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_keys_do_not_stay(services, valkey, limit):
    import redis

    services[0].ask(descriptor("requests;5;15;0", limit=limit))
    services[0].ask(descriptor("concurrent;5", limit=limit, lease="a"))
    with redis.Redis.from_url(valkey.url) as client:
        keys = list(client.scan_iter(f"irapp:*:{limit}:*"))

        assert len(keys) == 2
        assert all(0 < client.pttl(key) < 20_000 for key in keys)


@pytest.fixture
def away(tmp_path):
    """A pair of services with a Valkey that a test may take away."""
    folders = [tmp_path / "one", tmp_path / "two"]
    with Valkey(tmp_path) as valkey, ExitStack() as running:
        for folder in folders:
            folder.mkdir()
        more = {"RATELIMIT_LEASE_SECONDS": "2", **MORE_PATIENT}
        services = [running.enter_context(Service(folder, valkey.url, **more)) for folder in folders]
        yield valkey, *services


def test_without_redis_each_gateway_counts_for_itself_and_says_so(away):
    valkey, one, two = away
    asked = descriptor("requests;4;60;0")
    assert [one.allows(asked), one.allows(asked)] == [True, True]

    valkey.kill()

    # What this gateway let through before counts on; the other has a whole amount of its own.
    assert [one.allows(asked) for _ in range(3)] == [True, True, False]
    assert [two.allows(asked) for _ in range(5)] == [True, True, True, True, False]
    assert one.told()["basis"] == two.told()["basis"] == "gateway"
    assert one.told()["detail"]


def test_what_was_counted_without_redis_is_not_forgotten_when_it_is_back(away):
    valkey, one, two = away
    asked = descriptor("requests;10;60;0")
    assert [one.allows(asked), two.allows(asked)] == [True] * 2
    valkey.kill()
    assert [one.allows(asked) for _ in range(3)] == [True] * 3
    assert one.basis() == "gateway"

    wait_for(lambda: two.basis() == "gateway")  # nobody asked this one meanwhile: it notices by itself

    valkey.start()  # without its data: each gateway tells again what it let through
    wait_for(lambda: one.basis() == two.basis() == "global")

    assert one.allows(asked)
    assert [two.allows(asked) for _ in range(5)] == [True] * 4 + [False]


def test_a_service_that_nobody_asks_knows_that_redis_is_away(away):
    valkey, one, _ = away

    valkey.kill()

    wait_for(lambda: one.basis() == "gateway")


def test_a_redis_that_hangs_costs_one_short_wait(away):
    valkey, one, _ = away
    one.allows(descriptor("requests;100;60;0"))
    valkey.freeze()

    started = time.monotonic()
    allowed = [one.allows(descriptor("requests;100;60;0")) for _ in range(20)]

    took = time.monotonic() - started
    valkey.thaw()
    assert all(allowed)
    in_time(took, 4, told="twenty questions")


def test_a_redis_that_answers_and_does_not_count_is_away(away):
    import redis

    valkey, one, _ = away
    with redis.Redis.from_url(valkey.url) as client:
        client.config_set("min-replicas-to-write", 1)

        assert [one.allows(descriptor("requests;2;60;0")) for _ in range(3)] == [True, True, False]
        assert one.basis() == "gateway"
        time.sleep(0.5)
        assert one.basis() == "gateway"
        client.config_set("min-replicas-to-write", 0)

    wait_for(lambda: one.basis() == "global")
    assert not one.allows(descriptor("requests;2;60;0"))


def test_places_taken_without_redis_are_told_as_soon_as_it_is_back(away):
    valkey, one, two = away
    valkey.kill()
    assert one.allows(descriptor("concurrent;1", lease="a"))

    valkey.start()
    wait_for(lambda: one.basis() == two.basis() == "global")

    wait_for(lambda: not two.allows(descriptor("concurrent;1", lease="b", subject="alice")))


def test_an_emptied_redis_is_used_again_at_once(away):
    import redis

    valkey, one, two = away
    held = descriptor("concurrent;1", lease="a")
    assert one.allows(held)

    valkey.kill()
    valkey.start()
    wait_for(lambda: one.basis() == two.basis() == "global")
    with redis.Redis.from_url(valkey.url) as client:
        wait_for(lambda: client.exists("irapp:concurrent:COR-0001.1:{alice}"))  # the running request is back

    assert not two.allows(descriptor("concurrent;1", lease="b"))


def test_places_of_running_requests_are_kept_and_those_of_a_killed_service_lapse(away):
    _, one, two = away
    assert one.allows(descriptor("concurrent;2", lease="a"))
    assert two.allows(descriptor("concurrent;2", lease="b"))

    time.sleep(2.5)  # longer than a lease lives without being renewed
    assert not two.allows(descriptor("concurrent;2", lease="c"))
    one.kill()

    wait_for(lambda: two.allows(descriptor("concurrent;2", lease="c")))
    time.sleep(2.5)
    assert not two.allows(descriptor("concurrent;2", lease="d"))


def test_a_service_starts_without_redis(tmp_path, away):
    _, one, _ = away
    with Service(tmp_path, "redis://127.0.0.1:1/0") as lonely:
        assert lonely.basis() == "gateway"
        assert [lonely.allows(descriptor("requests;1;60;0")) for _ in range(2)] == [True, False]
        assert one.basis() == "global"


def _parts(rule, limit, **figures):
    return [descriptor(rule, limit=limit, part=name, hits=number) for name, number in figures.items()]
