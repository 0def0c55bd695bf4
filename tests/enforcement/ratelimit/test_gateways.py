"""Limits through two real Envoys that share one Valkey, each with a service of its own."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http import HTTPStatus

import pytest

from enforcement import policy
from enforcement.envoy import limits
from tests.enforcement.ratelimit.gateways import Gateway, model
from tests.enforcement.ratelimit.parts import PATIENT, Service, Valkey
from tests.enforcement.world import correction
from tests.patience import in_time, wait_for

SHORT, FEW, BURST, TOKENS, OUTPUT, PLACES, DRY, OTHER = LIMITS = (
    correction(1, policy.RequestLimit(requests=3, window_seconds=3)),
    correction(2, policy.RequestLimit(requests=25, window_seconds=60)),
    correction(3, policy.RequestLimit(requests=60, window_seconds=60, burst=4)),
    correction(4, policy.TokenLimit(tokens=100, window_seconds=60)),
    correction(5, policy.TokenLimit(tokens=50, window_seconds=60, metric="output")),
    correction(6, policy.ConcurrencyLimit(requests=3)),
    correction(7, policy.RequestLimit(requests=1, window_seconds=60), mode="shadow"),
    correction(8, policy.RequestLimit(requests=5, window_seconds=60, per="all")),
)


class Pair:
    """Two gateways, their services, and what they share."""

    def __init__(self, folder, model_port):
        self.valkey = Valkey(folder)
        self.gateways, self.services = [], []
        for name in ("one", "two"):
            (folder / name).mkdir()
            service = Service(folder / name, self.valkey.url, RATELIMIT_LEASE_SECONDS="2", **PATIENT)
            gateway = Gateway(folder / name, service.port, model_port)
            service.more["RATELIMIT_ENVOY_ADMIN"] = f"http://127.0.0.1:{gateway.admin_port}"
            self.services.append(service)
            self.gateways.append(gateway)

    def start(self):
        self.valkey.start()
        for service, gateway in zip(self.services, self.gateways, strict=True):
            service.start()
            gateway.start(policy.Content(corrections=LIMITS))

    def stop(self):
        for part in (*self.gateways, *self.services, self.valkey):
            part.kill()

    def statuses(self, number, *asked, **more):
        """Ask the two in turn, eight at a time."""
        with ThreadPoolExecutor(8) as pool:
            replies = pool.map(lambda turn: self.gateways[turn % 2].ask(*asked, **more), range(number))
            return [reply.status for reply in replies]


@pytest.fixture(scope="module")
def backend():
    with model() as server:
        yield server


@pytest.fixture(scope="module")
def pair(tmp_path_factory, backend):
    found = Pair(tmp_path_factory.mktemp("pair"), backend.server_port)
    try:
        found.start()
        yield found
    finally:
        found.stop()


@pytest.fixture
def own_pair(tmp_path, backend):
    """A pair that a test may break."""
    found = Pair(tmp_path, backend.server_port)
    try:
        found.start()
        yield found
    finally:
        found.stop()


@pytest.fixture
def subject(request):
    return f"{request.node.name[:60]}-{time.monotonic_ns()}"


def test_two_gateways_let_exactly_the_amount_through(pair, subject):
    statuses = pair.statuses(70, FEW, subject=subject)

    assert (statuses.count(200), statuses.count(429)) == (25, 45)


def test_a_refusal_names_its_correction_and_says_when_to_come_back(pair, subject):
    pair.statuses(30, FEW, subject=subject)

    reply = pair.gateways[1].ask(FEW, OTHER, subject=subject)

    assert reply.status == 429
    assert reply.headers["x-irapp-correction"] == FEW.id
    assert reply.headers["content-type"] == "application/json"
    assert 50 <= int(reply.headers["retry-after"]) <= 61
    assert reply.code == "rate_limited"
    assert reply.body["error"]["correction"] == FEW.id
    assert reply.body["error"]["type"] == "deployment_correction"


def test_subjects_are_counted_apart_and_all_together(pair, subject):
    pair.statuses(30, FEW, subject=subject)
    assert pair.gateways[0].ask(FEW, subject=f"{subject}-else").status == 200

    assert pair.statuses(8, OTHER, subject="all").count(200) == 5


def test_every_limit_of_a_request_counts_it(pair, subject):
    for turn in range(3):
        reply = pair.gateways[turn % 2].ask(TOKENS, PLACES, OTHER, OUTPUT, FEW, subject=subject)
        assert reply.status == 200
        _left(pair, TOKENS, subject, after=30 * (turn + 1))

    assert _left(pair, OUTPUT, subject, after=50) == 0
    assert pair.statuses(8, OTHER, subject=subject).count(200) == 2
    assert pair.statuses(24, FEW, subject=subject).count(200) == 22


def test_whom_no_limit_counts_is_not_counted(pair):
    assert pair.statuses(30) == [200] * 30


def test_a_window_opens_again(pair, subject):
    assert pair.statuses(6, SHORT, subject=subject).count(200) == 3

    time.sleep(3.1)

    assert pair.statuses(6, SHORT, subject=subject).count(200) == 3


def test_a_burst_is_kept_over_both_gateways(pair, subject):
    assert pair.statuses(12, BURST, subject=subject).count(200) == 4


@pytest.mark.parametrize(
    "path",
    ["/json", "/json/big", "/chat", "/chat/split", "/responses", "/responses/split", "/messages/split"],
)
def test_tokens_are_charged_as_the_model_says(pair, subject, path):
    first = pair.gateways[0].ask(TOKENS, path=path, subject=subject)

    assert first.status == 200
    assert _left(pair, TOKENS, subject) == 70


@pytest.mark.parametrize(
    ("path", "left"),
    [("/chat/silent", range(60, 80)), ("/json/silent", range(80, 97)), ("/strange", [76])],
)
def test_tokens_of_an_answer_without_usage_are_estimated(pair, subject, path, left):
    pair.gateways[1].ask(TOKENS, path=path, subject=subject)

    assert _left(pair, TOKENS, subject) in left


def test_an_answer_that_failed_costs_nothing(pair, subject):
    pair.gateways[1].ask(TOKENS, path="/fail", subject=subject)
    pair.gateways[1].ask(TOKENS, path="/json", subject=subject)  # charged after the other would have been

    assert _left(pair, TOKENS, subject) == 70


def test_a_spent_token_limit_refuses_at_every_gateway(pair, subject):
    for turn in range(4):
        assert pair.gateways[turn % 2].ask(TOKENS, subject=subject).status == 200
        _left(pair, TOKENS, subject, after=min(100, 30 * (turn + 1)))

    reply = pair.gateways[1].ask(TOKENS, subject=subject)

    assert (reply.status, reply.code) == (429, "token_limited")
    assert reply.headers["x-irapp-correction"] == TOKENS.id
    assert int(reply.headers["retry-after"]) >= 50


def test_a_token_limit_counts_its_own_metric(pair, subject):
    pair.gateways[0].ask(OUTPUT, subject=subject)

    assert _left(pair, OUTPUT, subject) == 30


def test_answers_come_uncompressed_where_tokens_are_counted(pair, backend, subject):
    pair.gateways[0].ask(TOKENS, subject=subject, accept_encoding="gzip")

    assert backend.encodings[-1] is None


def test_a_hung_up_stream_is_charged_for_what_it_brought(pair, subject):
    connection = pair.gateways[0].open(TOKENS, path="/chat/long/silent", subject=subject)
    response = connection.getresponse()
    response.read(200)
    response.close()
    connection.close()

    assert _left(pair, TOKENS, subject) in range(85, 99)


def test_only_so_many_run_at_the_same_time_over_both_gateways(pair, subject):
    def begun(turn):
        connection = pair.gateways[turn % 2].open(PLACES, path="/chat/long", subject=subject)
        return connection, connection.getresponse()

    with ThreadPoolExecutor(8) as pool:
        every = list(pool.map(begun, range(8)))
    statuses = [response.status for _, response in every]
    for connection, response in every:
        response.close()
        connection.close()

    assert (statuses.count(200), statuses.count(429)) == (3, 5)
    wait_for(lambda: pair.gateways[0].ask(PLACES, subject=subject).status == 200)


def test_a_client_that_hangs_up_gives_its_place_back(pair, subject):
    with running(pair.gateways, 3, subject=subject):
        assert pair.gateways[0].ask(PLACES, subject=subject).status == 429

    wait_for(lambda: pair.statuses(2, PLACES, subject=subject) == [200, 200])


def test_a_refused_request_gives_nobody_elses_place_back(pair, subject):
    with running(pair.gateways, 3, subject=subject):
        assert pair.statuses(6, PLACES, subject=subject) == [429] * 6


def test_the_client_cannot_name_its_own_place(pair, subject):
    same = {"x_request_id": "same", "x_irapp_lease": "same"}

    with running(pair.gateways[:1], 3, subject=subject, **same):
        assert pair.gateways[0].ask(PLACES, subject=subject, **same).status == 429


def test_a_dry_run_refuses_nobody(pair, subject):
    assert pair.statuses(6, DRY, subject=subject) == [200] * 6


def test_a_probe_sees_the_floor_and_the_service(pair, subject):
    def probe(floor):
        return pair.gateways[0].ask(
            FEW, subject=f"probe;{subject}", x_irapp_hits="25", x_irapp_floor_hits=floor
        )

    first, by_floor, by_service = probe("25"), probe("25"), probe("0")

    assert [first.status, by_floor.status, by_service.status] == [200, 429, 429]
    assert first.headers["x-irapp-limit-basis"] == by_service.headers["x-irapp-limit-basis"] == "global"
    assert "x-irapp-limit-basis" not in by_floor.headers
    assert by_service.headers["x-irapp-correction"] == FEW.id


def test_a_probe_of_places_takes_them_all_and_one_too_many(pair, subject):
    def probe(hits):
        return pair.gateways[0].ask(PLACES, subject=f"probe;{subject}", x_irapp_hits=hits)

    assert probe("3").status == 200
    wait_for(lambda: probe("3").status == 200)
    assert probe("4").status == 429


def test_without_redis_every_gateway_counts_for_itself(own_pair):
    assert own_pair.statuses(10, FEW).count(200) == 10

    own_pair.valkey.kill()

    assert own_pair.statuses(80, FEW).count(200) == 20 + 20
    assert [one.basis() for one in own_pair.services] == ["gateway", "gateway"]
    own_pair.valkey.start()
    wait_for(lambda: {one.basis() for one in own_pair.services} == {"global"})
    wait_for(lambda: _left(own_pair, FEW, "alice", after=25) == 0)  # each has told what it let through
    assert own_pair.statuses(4, FEW) == [429] * 4


def test_without_the_service_requests_have_their_floor_and_the_others_are_closed(own_pair):
    own_pair.services[0].kill()
    gateway = own_pair.gateways[0]

    started = time.monotonic()
    requests = [gateway.ask(FEW) for _ in range(40)]
    refilled = (time.monotonic() - started) * 25 / 60
    tokens, places = gateway.ask(TOKENS), gateway.ask(PLACES)

    statuses = [reply.status for reply in requests]
    assert 25 <= statuses.count(200) <= 26 + refilled
    assert requests[-1].code == "rate_limited"
    assert requests[-1].headers["x-irapp-correction"] == FEW.id
    assert (tokens.status, tokens.code) == (503, "limit_unavailable")
    assert (places.status, places.code) == (503, "limit_unavailable")
    assert places.body["error"]["correction"] == PLACES.id
    assert gateway.ask(DRY).status == 200
    own_pair.services[0].start()
    wait_for(lambda: gateway.ask(TOKENS).status == 200)


def test_a_service_that_hangs_costs_half_a_second_and_never_lets_more_through(
    tmp_path, valkey, backend, monkeypatch
):
    monkeypatch.setattr(limits, "TIMEOUT", "0.5s")  # as it is outside of these tests
    service = Service(tmp_path, valkey.url)
    gateway = Gateway(tmp_path, service.port, backend.server_port)
    try:
        service.start()
        gateway.start(policy.Content(corrections=LIMITS))
        service.freeze()

        started = time.monotonic()
        reply = gateway.ask(FEW)

        assert reply.status == 200
        took = time.monotonic() - started
        assert took > 0.4
        in_time(took, 3, told="an answer without the service")
        assert gateway.ask(TOKENS).status == 503
    finally:
        gateway.kill()
        service.kill()


def test_places_of_a_killed_gateway_are_free_again(own_pair):
    one, two = own_pair.gateways
    with running([one], 3):
        assert two.ask(PLACES).status == 429

        one.kill()

    wait_for(lambda: two.ask(PLACES).status == 200)


@pytest.fixture
def patient(tmp_path, valkey, backend):
    """A gateway whose places last, so that one that is lost stays lost."""
    service = Service(tmp_path, valkey.url, RATELIMIT_LEASE_SECONDS="600", **PATIENT)
    gateway = Gateway(tmp_path, service.port, backend.server_port)
    try:
        service.start()
        gateway.start(policy.Content(corrections=LIMITS))
        yield gateway, service
    finally:
        gateway.kill()
        service.kill()


def test_a_client_that_hangs_up_while_it_is_counted_takes_no_place(patient, subject):
    gateway, service = patient
    service.freeze()
    for _ in range(3):
        gateway.open(PLACES, path="/json", subject=subject).close()
    time.sleep(0.1)

    service.thaw()

    wait_for(lambda: _held(gateway, 3, subject))


def test_clients_that_hang_up_at_any_moment_leave_no_place_behind(patient, subject):
    gateway, _ = patient

    for number in range(150):
        connection = gateway.open(PLACES, path="/chat/slow", subject=subject)
        time.sleep(number % 15 / 4000)
        connection.close()

    wait_for(lambda: _held(gateway, 3, subject))


def _held(gateway, number, subject):
    """Tell whether so many can run; the last of those before may just be ending."""
    try:
        with running([gateway], number, subject=subject) as started:
            return started == number and gateway.ask(PLACES, subject=subject).status == 429
    finally:
        time.sleep(0.05)


@contextmanager
def running(gateways, number, *, subject="alice", **more):
    """Hold open so many streams, at the gateways in turn; give how many were let in."""
    started = 0
    with ExitStack() as stack:
        for turn in range(number):
            gateway = gateways[turn % len(gateways)]
            connection = gateway.open(PLACES, path="/chat/long", subject=subject, **more)
            stack.callback(connection.close)
            response = connection.getresponse()
            stack.callback(response.close)
            if response.status != HTTPStatus.OK:
                break
            started += 1
        yield started


def _left(pair, limit, subject, *, after=1):
    """Wait until at least ``after`` tokens are charged, and give what is left."""
    from enforcement.ratelimit.rules import rule_of
    from tests.enforcement.ratelimit.parts import descriptor

    asked = descriptor(rule_of(limit.effect), subject, limit=limit.id, hits=0)
    amount = limit.effect.requests if isinstance(limit.effect, policy.RequestLimit) else limit.effect.tokens

    def left():
        found = pair.services[0].ask(asked).statuses[0].limit_remaining
        return (found,) if found <= amount - after else None

    return wait_for(left, told=f"{after} to be counted")[0]
