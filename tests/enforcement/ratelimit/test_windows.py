"""One rule, written twice: in Lua for Redis and in Python for the gateway's own memory."""

from __future__ import annotations

from importlib import resources
from itertools import count

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from enforcement.ratelimit.commands import Take
from enforcement.ratelimit.memory import Memory

KEYS = count()
START = 1_700_000_000_000

limits = st.tuples(
    st.sampled_from([1, 3, 128, 129, 1000]),  # amount
    st.sampled_from([1000, 7000, 60_000]),  # window
    st.sampled_from([0, 1, 3]),  # burst
)
steps = st.lists(
    st.tuples(st.sampled_from([0, 1, 9, 250, 1000, 6999, 61_000]), st.sampled_from([0, 1, 1, 2, 100])),
    min_size=1,
    max_size=40,
)


@pytest.fixture(scope="module")
def script(valkey):
    """The real script with a clock that the test sets."""
    text = (resources.files("enforcement.ratelimit") / "scripts" / "take.lua").read_text()
    assert "redis.call('TIME')" in text
    with redis.Redis.from_url(valkey.url) as client:
        yield client.register_script(text.replace("redis.call('TIME')", "{ ARGV[7], ARGV[8] }"))


@settings(max_examples=60, deadline=None)
@given(limits, steps, st.booleans())
def test_memory_and_redis_agree(script, limit, steps, force):
    amount, window, burst = limit
    key, memory, now = f"agree:{next(KEYS)}", Memory(), START

    for pause, hits in steps:
        now += pause
        take = Take(key=key, amount=amount, window_ms=window, hits=hits, burst=burst, force=force)
        here = memory.take(take, now)
        clock = (now // 1000, now % 1000 * 1000)
        there = script(keys=[key], args=[amount, window, burst, hits, int(force), 0, *clock])

        assert (here.allowed, here.remaining) == (bool(there[0]), there[1])
        assert abs(here.wait_ms - there[2]) <= 2


@settings(max_examples=200, deadline=None)
@given(limits, steps)
def test_no_window_ever_holds_more_than_the_amount(limit, steps):
    amount, window, burst = limit
    memory, now, allowed = Memory(), START, []

    for pause, hits in steps:
        now += pause
        take = Take(key="a", amount=amount, window_ms=window, hits=hits, burst=burst)
        if memory.take(take, now).allowed:
            allowed.append((now, hits))

        assert sum(hits for moment, hits in allowed if moment > now - window) <= amount


@settings(max_examples=200, deadline=None)
@given(limits, steps)
def test_a_wait_that_was_told_is_long_enough_and_not_much_too_long(limit, steps):
    amount, window, burst = limit
    memory, now = Memory(), START

    for pause, hits in steps:
        now += pause
        take = Take(key="a", amount=amount, window_ms=window, hits=min(hits, amount), burst=burst)
        refused = memory.take(take, now)
        if not refused.allowed and take.hits <= (burst or amount):
            assert refused.wait_ms <= window + take.slot_ms + 1
            now += refused.wait_ms
            assert memory.take(take, now).allowed


@given(st.sampled_from([1, 128, 129, 100_000]), st.sampled_from([1000, 60_000, 86_400_000]))
def test_a_spent_window_is_whole_again_one_slot_after_its_end(amount, window):
    memory = Memory()
    take = Take(key="a", amount=amount, window_ms=window, hits=amount)

    assert memory.take(take, START).allowed
    assert not memory.take(take, START + window - 1).allowed
    assert memory.take(take, START + window + take.slot_ms).allowed
    assert take.slot_ms <= max(1, window // 128 + 1)
