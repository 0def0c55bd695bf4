"""Limits that a real LiteLLM proxy counts together with the service beside a gateway with Envoy."""

import http.client
import itertools
import json
from contextlib import closing

import pytest

from enforcement import policy
from tests.enforcement.adapters.echo import script
from tests.enforcement.adapters.proxy import LITELLM, Proxy, correction
from tests.enforcement.hub_process import HubProcess
from tests.enforcement.ratelimit.parts import PATIENT, Service, Valkey, descriptor
from tests.patience import wait_for

RULE = "requests;4;3600;0"


@pytest.fixture(scope="module")
def valkey(tmp_path_factory):
    with Valkey(tmp_path_factory.mktemp("valkey")) as running:
        yield running


@pytest.fixture(scope="module")
def beside(valkey, tmp_path_factory):
    """The service of a gateway with Envoy."""
    with Service(tmp_path_factory.mktemp("service"), valkey.url, **PATIENT) as service:
        yield service


@pytest.fixture(scope="module")
def proxy(valkey, upstream, tmp_path_factory):
    """One that has a hub of its own, for it reports under the same name as the other."""
    if not LITELLM.exists():
        pytest.skip("LiteLLM is not installed: make litellm")
    hub = HubProcess(tmp_path_factory.mktemp("hub")).start()
    more = {"IRAPP_REDIS_URL": valkey.url, **PATIENT}
    running = Proxy(tmp_path_factory.mktemp("litellm"), upstream, hub, more=more, retries=2)
    try:
        yield running.start()
    finally:
        running.end()
        hub.end()


def limited(number, **more):
    users = policy.Users(users=("alice",))
    return correction(number, policy.RequestLimit(requests=4, window_seconds=3600), users=users, **more)


def ask(proxy, times, who="alice"):
    return [proxy.ask(who, "mocked").status for _ in range(times)]


def bases(proxy):
    return set(proxy.report()["limits"].values())


def test_what_another_gateway_has_let_through_counts_here_and_there(proxy, beside):
    proxy.enforce(limited(1))
    asked = descriptor(RULE, limit="COR-0001.1")

    there = [beside.allows(asked) for _ in range(2)]
    here = ask(proxy, 3)

    assert there == [True, True]
    assert here == [200, 200, 429]
    assert not beside.allows(asked)
    assert ask(proxy, 1, who="bob") == [200]
    wait_for(lambda: bases(proxy) == {"global"}, 10, told="the basis")
    assert proxy.report()["corrections"]["COR-0001.1"]["verified"]


def test_a_dry_run_is_counted_together_too_and_refuses_nobody(proxy, beside):
    proxy.enforce(limited(2, mode="shadow"))
    asked = descriptor(RULE, limit="COR-0002.1", dry="1")
    for _ in range(4):
        beside.ask(asked)

    assert ask(proxy, 2) == [200, 200]
    wait_for(lambda: proxy.report()["corrections"]["COR-0002.1"]["refused"] == 2, 10, told="the count")


def test_while_the_counters_are_away_this_process_counts_for_itself_and_tells_them_later(
    proxy, beside, valkey
):
    proxy.enforce(limited(3))
    asked = descriptor(RULE, limit="COR-0003.1")
    assert ask(proxy, 1) == [200]
    valkey.kill()
    wait_for(lambda: bases(proxy) == {"gateway"}, 20, told="the basis")

    away = ask(proxy, 4)
    valkey.start()
    wait_for(lambda: bases(proxy) == {"global"} and beside.basis() == "global", 20, told="the basis")

    assert away == [200, 200, 200, 429]
    assert ask(proxy, 1) == [429]
    assert not beside.allows(asked)


SAID = script("a", "b")
ASKED = {
    "/v1/chat/completions": ("echo", {"messages": [{"role": "user", "content": SAID}]}, 8),
    "/v1/completions": ("echo-text", {"prompt": SAID}, 8),
    "/v1/responses": ("echo", {"input": SAID}, 8),
    "/v1/messages": ("echo-messages", {"messages": [{"role": "user", "content": SAID}], "max_tokens": 9}, 4),
    "/v1/responses, streamed": ("echo", {"input": SAID, "stream": True}, 8),
    "/v1/messages, streamed": (
        "echo-messages",
        {"messages": [{"role": "user", "content": SAID}], "max_tokens": 9, "stream": True},
        8,
    ),
}
numbers = itertools.count(100)


def tokens(number, amount, **more):
    effect = policy.TokenLimit(tokens=amount, window_seconds=3600, **more)
    return correction(number, effect, users=policy.Users(users=("alice",)))


def left(beside, number, amount, metric="total"):
    asked = descriptor(f"tokens;{amount};3600;{metric}", limit=f"COR-{number:04}.1", hits=0)
    return beside.ask(asked).statuses[0].limit_remaining


@pytest.mark.parametrize("name", ASKED)
def test_tokens_are_counted_as_the_model_says_and_here_and_there_alike(proxy, beside, name):
    model, body, taken = ASKED[name]
    number, path = next(numbers), name.split(",")[0]
    report = proxy.enforce(tokens(number, 2 * taken))

    answers = []
    for used in (1, 2):
        answers.append(proxy.ask("alice", model, path=path, **body))
        wait_for(lambda used=used: left(beside, number, 100) == 100 - used * taken, 10, told="the charge")
    answers.append(proxy.ask("alice", model, path=path, **body))

    assert [each.status for each in answers] == [200, 200, 429], answers[-1].raw
    assert answers[-1].headers["x-irapp-correction"] == f"COR-{number:04}.1"
    assert proxy.ask("bob", model, path=path, **body).status == 200
    seen = report["corrections"][f"COR-{number:04}.1"]
    assert (seen["state"], seen["verified"]) == ("in_force", True), seen


@pytest.mark.parametrize(("metric", "taken"), [("input", 3), ("output", 5)])
def test_each_kind_of_tokens_counts_for_itself(proxy, beside, metric, taken):
    number = next(numbers)
    proxy.enforce(tokens(number, 100, metric=metric))

    proxy.ask("alice", "echo", messages=ASKED["/v1/chat/completions"][1]["messages"])

    assert left(beside, number, 100, metric) == 100 - taken


def hang_up(proxy, pieces):
    """Ask for a stream, and go after its first words."""
    body = {"model": "echo", "stream": True,
            "messages": [{"role": "user", "content": script(*"word " * pieces, pause=0.05)}]}  # fmt: skip
    headers = {"authorization": "Bearer sk-alice", "content-type": "application/json"}
    with closing(http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=30)) as connection:
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        connection.getresponse().read(400)


def test_a_stream_that_tells_no_usage_is_estimated_even_if_its_reader_goes(proxy, beside):
    number = next(numbers)
    proxy.enforce(tokens(number, 1000, metric="output"))
    hang_up(proxy, pieces=30)

    used = wait_for(lambda: 1000 - left(beside, number, 1000, "output"), 20, told="the charge")

    assert 0 < used < 150


def test_each_of_two_limits_is_charged_for_a_stream_whose_reader_goes(proxy, beside):
    first, second = next(numbers), next(numbers)
    proxy.enforce(tokens(first, 1000, metric="output"), tokens(second, 2000, metric="output"))

    hang_up(proxy, pieces=30)

    def used():
        return 1000 - left(beside, first, 1000, "output"), 2000 - left(beside, second, 2000, "output")

    wait_for(lambda: all(used()), 20, told="the charges")
    assert len(set(used())) == 1


def test_a_used_up_limit_refuses_every_retry_of_the_router_and_is_counted_once(proxy):
    number, effect = next(numbers), policy.RequestLimit(requests=1, window_seconds=3600)
    behind = policy.Functionality(models=("aurora-large",))
    proxy.enforce(correction(number, effect, users=policy.Users(users=("alice",)), functionality=behind))

    answers = [proxy.ask("alice", "nickname").status for _ in range(3)]

    def refused():
        return proxy.report()["corrections"][f"COR-{number:04}.1"]["refused"]

    assert answers == [200, 429, 429]
    assert wait_for(refused, 10, told="the count") == 2
