"""Limits by the whole gateway: its own script says who is counted, and for what; two of them, one Valkey."""

from __future__ import annotations

import http.client
import json
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from enforcement import policy
from enforcement.decide import Attributes
from enforcement.envoy.gateway import Client, Model
from tests.enforcement.bare import Bare
from tests.enforcement.ratelimit.gateways import model
from tests.enforcement.ratelimit.parts import PATIENT, Service
from tests.enforcement.world import CLIENTS, Reply, correction
from tests.patience import wait_for

COUNTED = policy.Functionality(applications=("counted",))


class Counting(Bare):
    """A gateway with clients, a model that answers, and a rate-limit service."""

    def __init__(self, folder, model_port, redis):
        super().__init__(folder, ("aurora-large",))
        self.service = Service(folder, redis, **PATIENT)
        upstream = f"127.0.0.1:{model_port}"
        self.gateway = msgspec.structs.replace(
            self.gateway,
            ratelimit_address=f"127.0.0.1:{self.service.port}",
            models={"aurora-large": Model(upstream=upstream)},
            clients=tuple(
                Client(
                    key=f"sk-test-{name!a}",
                    key_id=f"key-{name}",
                    user=name,
                    organisation=who[0],
                    application=who[1],
                )
                for name, who in {**CLIENTS, "zoë": ("müller", "müller-app")}.items()
            ),
        )

    def start(self):
        self.service.start()
        super().start()

    def stop(self):
        super().stop()
        self.service.stop()

    def send(self, who, path="/v1/chat/completions", **body):
        connection, response = self.begin(who, path, **body)
        try:
            found = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, found, response.read())
        finally:
            connection.close()

    def begin(self, who, path="/v1/chat/completions", **body):
        """Ask, and leave the answer to be read."""
        connection = http.client.HTTPConnection("127.0.0.1", self.gateway.port, timeout=20)
        raw = json.dumps({"model": "aurora-large", "messages": [], **body})
        headers = {"authorization": f"Bearer sk-test-{who!a}", "content-type": "application/json"}
        connection.request("POST", path, body=raw, headers=headers)
        return connection, connection.getresponse()


@pytest.fixture(scope="module")
def backend():
    with model() as server:
        yield server


@pytest.fixture(scope="module")
def pair(tmp_path_factory, backend, valkey):
    found = [Counting(tmp_path_factory.mktemp("whole"), backend.server_port, valkey.url) for _ in range(2)]
    try:
        for one in found:
            one.start()
        yield found
    finally:
        for one in found:
            one.stop()


NUMBERS = iter(range(1000, 2000))


def enforce(pair, effect, **more):
    """Put a limit in force that no other test has counted."""
    item = correction(next(NUMBERS), effect, **more)
    for one in pair:
        one.enforce(policy.Content(corrections=(item,)))
    return item


def counted(pair, number, *who, **body):
    """Ask at the gateways in turn as all of these people; give the number of answers."""
    turns = [(pair[turn % 2], name) for turn in range(number) for name in who]
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda turn: turn[0].send(turn[1], **body), turns))
    assert {reply.status for reply in replies} <= {200, 429}
    return [reply.status for reply in replies].count(200)


@pytest.mark.parametrize(
    ("per", "allowed"), [("user", 6 * 3), ("organisation", 6 * 2), ("key", 6 * 3), ("all", 6)]
)
def test_a_limit_counts_by_user_organisation_key_or_all_together(pair, per, allowed):
    enforce(pair, policy.RequestLimit(requests=6, window_seconds=60, per=per))

    assert counted(pair, 10, "alice", "bob", "carol") == allowed  # alice and bob are of one organisation


def test_names_in_any_script_are_counted(pair):
    enforce(pair, policy.RequestLimit(requests=4, window_seconds=60, per="organisation"))

    assert counted(pair, 10, "zoë") == 4
    assert pair[0].service.basis() == "global"


def test_a_limit_counts_only_whom_its_scope_names(pair):
    enforce(
        pair, policy.RequestLimit(requests=2, window_seconds=60), users=policy.Users(organisations=("acme",))
    )

    assert counted(pair, 8, "alice") == 2
    assert counted(pair, 8, "carol") == 8


@pytest.mark.parametrize("body", [{}, {"stream": True}])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/v1/messages"])
def test_tokens_of_answers_and_streams_are_counted_over_both_gateways(pair, path, body):
    enforce(pair, policy.TokenLimit(tokens=50, window_seconds=60))

    for one in pair:
        assert one.send("alice", path, **body).status == 200

    refused = wait_for(  # the charge comes just after the answer
        lambda: [reply for reply in (pair[0].send("alice", path, **body),) if reply.status == 429]
    )
    assert refused[0].code == "token_limited"
    assert pair[0].send("bob", path, **body).status == 200


def test_running_requests_are_counted_over_both_gateways(pair):
    enforce(pair, policy.ConcurrencyLimit(requests=3, per="organisation"))

    turns = [(pair[turn % 2], name) for turn in range(4) for name in ("alice", "bob")]
    with ThreadPoolExecutor(8) as pool:
        every = list(
            pool.map(lambda turn: turn[0].begin(turn[1], stream=True, prompt_cache_key="long"), turns)
        )
    statuses = [response.status for _, response in every]
    for connection, response in every:
        response.close()
        connection.close()

    assert (statuses.count(200), statuses.count(429)) == (3, 5)
    wait_for(lambda: pair[0].send("bob").status == 200)


def test_the_model_sees_nothing_of_the_counting(pair, backend):
    enforce(pair, policy.ConcurrencyLimit(requests=3))
    pair[0].send("alice")

    assert not {name for name in backend.headers_seen if name.startswith(("x-irapp", "irapp"))}


def test_a_dry_run_of_a_limit_lets_all_through(pair):
    enforce(pair, policy.RequestLimit(requests=2, window_seconds=60), mode="shadow")

    assert counted(pair, 8, "alice") == 8


def probe(gateway, item, number, floor=None, name="abc"):
    more = {"irapp-probe-floor": floor} if floor else {}
    return gateway.ask(
        PROBED,
        irapp_probe_id=f"{name}-{item.id}",
        irapp_probe_limit=item.id,
        irapp_probe_hits=str(number),
        **more,
    )


PROBED = Attributes(
    user="nobody",
    organisation="none",
    key="none",
    application="none",
    use_case="none",
    endpoint="chat.completions",
    model="aurora-large",
)


def test_a_probe_proves_floor_and_service_of_a_request_limit(pair):
    item = enforce(pair, policy.RequestLimit(requests=40, window_seconds=60))

    first, floor, service = probe(pair[0], item, 40), probe(pair[0], item, 40), probe(pair[0], item, 40, "0")

    assert (first.status, floor.status, service.status) == (200, 429, 429)
    assert floor.headers["x-irapp-correction"] == service.headers["x-irapp-correction"] == item.id
    assert service.headers["x-irapp-limit-basis"] == "global"
    assert probe(pair[1], item, 40, "0").status == 429  # and it is the same count at the other gateway
    assert counted(pair, 20, "alice") == 20  # nobody's own requests were spent


def test_a_probe_proves_a_token_limit_by_an_answer_with_usage(pair):
    item = enforce(pair, policy.TokenLimit(tokens=1000, window_seconds=60))

    assert probe(pair[0], item, 1000).status == 200
    refused = wait_for(lambda: [one for one in (probe(pair[1], item, 1000),) if one.status == 429])[0]
    assert refused.headers["x-irapp-correction"] == item.id


def test_a_probe_proves_that_places_are_taken_and_given_back(pair):
    item = enforce(pair, policy.ConcurrencyLimit(requests=20))

    assert probe(pair[0], item, 20).status == 200
    wait_for(lambda: probe(pair[1], item, 20).status == 200)
    refused = probe(pair[0], item, 21)
    assert (refused.status, refused.headers["x-irapp-correction"]) == (429, item.id)
