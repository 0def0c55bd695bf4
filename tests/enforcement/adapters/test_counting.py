"""Request limits that a real LiteLLM proxy counts together with the service beside a gateway with Envoy."""

import pytest

from enforcement import policy
from tests.enforcement.adapters.proxy import LITELLM, Proxy, correction
from tests.enforcement.hub_process import HubProcess
from tests.enforcement.ratelimit.parts import PATIENT, Service, Valkey, descriptor
from tests.patience import wait_for

RULE = "requests;4;3600;0"


@pytest.fixture(scope="module")
def valkey(tmp_path_factory):
    found = Valkey(tmp_path_factory.mktemp("valkey"))
    try:
        found.start()
        yield found
    finally:
        found.kill()


@pytest.fixture(scope="module")
def beside(valkey, tmp_path_factory):
    """The service of a gateway with Envoy."""
    service = Service(tmp_path_factory.mktemp("service"), valkey.url, **PATIENT)
    try:
        service.start()
        yield service
    finally:
        service.stop()


@pytest.fixture(scope="module")
def proxy(valkey, upstream, tmp_path_factory):
    """One that has a hub of its own, for it reports under the same name as the other."""
    if not LITELLM.exists():
        pytest.skip("LiteLLM is not installed: make litellm")
    hub = HubProcess(tmp_path_factory.mktemp("hub")).start()
    more = {"IRAPP_REDIS_URL": valkey.url, **PATIENT}
    running = Proxy(tmp_path_factory.mktemp("litellm"), upstream, hub, more=more)
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
