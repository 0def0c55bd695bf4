"""What the agent proves of limits, and says of what they count by, with all real parts beside it."""

from __future__ import annotations

import pytest

from enforcement import policy
from tests.enforcement.ratelimit.parts import Service, Valkey
from tests.enforcement.servers import Servers
from tests.enforcement.world import World, correction
from tests.patience import wait_for

REQUESTS, TOKENS, PLACES, BURST, ALL = (
    correction(1, policy.RequestLimit(requests=5, window_seconds=60)),
    correction(2, policy.TokenLimit(tokens=1000, window_seconds=60, metric="output")),
    correction(3, policy.ConcurrencyLimit(requests=20)),
    correction(4, policy.RequestLimit(requests=600, window_seconds=60, burst=7)),
    correction(5, policy.RequestLimit(requests=1000, window_seconds=3600, per="all")),
)
DRY = correction(6, policy.RequestLimit(requests=2, window_seconds=60), mode="shadow")


class Counting(World):
    """A whole gateway with a rate-limit service."""

    def __init__(self, folder, servers):
        super().__init__(folder, servers)
        self.valkey = Valkey(folder)
        self.service = Service(
            folder, self.valkey.url, RATELIMIT_ENVOY_ADMIN=f"http://127.0.0.1:{self.admin_port}"
        )
        self.valkey.start()
        self.service.start()

    def agent_environment(self):
        return super().agent_environment() | {
            "AGENT_RATELIMIT_ADDRESS": f"127.0.0.1:{self.service.port}",
            "AGENT_RATELIMIT_URL": f"http://127.0.0.1:{self.service.admin_port}",
        }

    def stop(self):
        super().stop()
        self.service.stop()
        self.valkey.kill()

    def limits(self):
        return (self.report() or {}).get("limits", {})

    def states(self):
        return {name: found["state"] for name, found in self.report()["corrections"].items()}


@pytest.fixture
def counting(tmp_path):
    with Servers() as servers:
        found = Counting(tmp_path, servers)
        try:
            found.start_agent()
            found.ready()
            yield found
        finally:
            found.stop()


def test_limits_of_every_kind_are_proven_and_say_what_they_count_by(counting):
    every = (REQUESTS, TOKENS, PLACES, BURST, ALL)

    counting.enforce(*every)

    wait_for(lambda: counting.limits() == {item.id: "global" for item in every})
    assert [counting.ask("alice", {"model": "aurora-large"}).status for _ in range(7)].count(200) == 5
    counting.valkey.kill()
    wait_for(lambda: set(counting.limits().values()) == {"gateway"})
    counting.service.kill()
    wait_for(
        lambda: (
            counting.limits()
            == {
                REQUESTS.id: "gateway",
                BURST.id: "gateway",
                ALL.id: "gateway",
                TOKENS.id: "closed",
                PLACES.id: "closed",
            }
        )
    )
    wait_for(lambda: {counting.states()[TOKENS.id], counting.states()[PLACES.id]} == {"failed"})
    assert counting.states()[REQUESTS.id] == "in_force"
    refused = counting.ask("bob", {"model": "aurora-large"})
    assert (refused.status, refused.code) == (503, "limit_unavailable")
    counting.valkey.start()
    counting.service.start()
    wait_for(lambda: set(counting.limits().values()) == {"global"})
    wait_for(lambda: set(counting.states().values()) == {"in_force"})


def test_a_dry_run_of_a_limit_is_told_with_the_traffic(counting):
    counting.enforce(DRY)

    assert [counting.ask("alice", {"model": "aurora-large"}).status for _ in range(4)] == [200] * 4

    wait_for(lambda: len(_shadowed(counting)) == 2)


def _shadowed(counting):
    return [one for one in counting.servers.traffic if one.get("shadow") == [DRY.id]]
