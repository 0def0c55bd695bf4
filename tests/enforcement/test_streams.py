"""When the listener has to be replaced, so that running streams end that no filter sees."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from enforcement import policy
from enforcement.agent.streams import Streams
from enforcement.envoy.gateway import Gateway, Model
from tests.enforcement.world import correction

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FILTERED, DIRECT = policy.Functionality(models=("filtered",)), policy.Functionality(models=("direct",))
GATEWAY = Gateway(
    name="gateway-1",
    host="127.0.0.1",
    port=1,
    admin_port=2,
    filter_address="127.0.0.1:3",
    folder=Path("/nowhere"),
    models={
        "filtered": Model(upstream="127.0.0.1:4"),
        "direct": Model(upstream="127.0.0.1:4", streams="direct"),
    },
    clients=(),
    probe_key="probe",
    secret="secret",
)


@pytest.fixture
def streams(tmp_path):
    found = Streams(tmp_path)
    found.load(())
    return found


def halt(scope=DIRECT, **more):
    return correction(1, policy.Halt(), functionality=scope, **more)


def block(running, **more):
    users = policy.Users(users=("alice",))
    return correction(1, policy.Block(), users=users, running_streams=running, **more)


@pytest.mark.parametrize(
    ("item", "replaced"),
    [
        (halt(), True),
        (halt(FILTERED), False),
        (halt(mode="shadow"), False),
        (block("end"), True),
        (block("end", functionality=FILTERED), False),
        (block("finish"), False),
        (block("end", grace_until=NOW + timedelta(hours=1)), False),
    ],
)
def test_only_what_ends_streams_that_go_directly_replaces_the_listener(streams, item, replaced):
    assert streams.to_end([item], GATEWAY, NOW) is replaced
    assert streams.generation == int(replaced)


def test_the_same_correction_ends_streams_once_also_over_a_restart(streams, tmp_path):
    streams.to_end([halt()], GATEWAY, NOW)
    again = Streams(tmp_path)
    again.load([halt()])

    assert not again.to_end([halt()], GATEWAY, NOW)
    assert again.generation == 1


def test_what_came_while_no_agent_ran_still_ends_streams(streams, tmp_path):
    streams.to_end([], GATEWAY, NOW)
    streams.to_end([correction(9, policy.Block(), users=policy.Users(users=("a",)))], GATEWAY, NOW)
    again = Streams(tmp_path)
    again.load([halt()])

    assert again.to_end([halt()], GATEWAY, NOW)


def test_what_is_in_force_when_the_first_agent_starts_has_ended_streams_before(tmp_path):
    first = Streams(tmp_path)
    first.load([halt()])

    assert not first.to_end([halt()], GATEWAY, NOW)


def test_a_grace_period_that_is_over_ends_streams_then(streams):
    item = block("end", grace_until=NOW + timedelta(hours=1))
    streams.to_end([item], GATEWAY, NOW)

    assert streams.to_end([item], GATEWAY, NOW + timedelta(hours=2))
