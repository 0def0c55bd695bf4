"""The counters of the LiteLLM door by themselves."""

import asyncio
from contextlib import suppress
from unittest.mock import Mock

from enforcement import policy
from enforcement.adapters.litellm.counting import Counting
from enforcement.decide import Limit


def limit(number, *, shadow=False):
    name = f"COR-{number:04}.1"
    return Limit(
        correction=name,
        kind="request_limit",
        amount=2,
        window_seconds=10,
        per="user",
        subject="alice",
        shadow=shadow,
    )


def taken(counting, *limits, times=1):
    """Count so many requests; give what became of each."""

    async def scenario():
        return [await counting.take(limits) for _ in range(times)]

    return asyncio.run(scenario())


def served(found):
    return [each.used_up is None for each in found]


def test_a_limit_is_used_up_and_names_itself():
    two = limit(1), policy.RequestLimit(requests=2, window_seconds=10)

    found = taken(Counting(), two, times=3)

    assert served(found) == [True, True, False]
    assert found[-1].used_up.correction == "COR-0001.1"


def test_a_request_that_one_limit_refuses_is_counted_by_none():
    counting, wide = Counting(), (limit(1), policy.RequestLimit(requests=9, window_seconds=100))
    narrow = (limit(2), policy.RequestLimit(requests=1, window_seconds=100))

    assert served(taken(counting, wide, narrow, times=20)) == [True, *[False] * 19]
    assert served(taken(counting, wide, times=9)) == [*[True] * 8, False]


def test_a_dry_run_of_a_limit_never_refuses_and_says_when_it_would():
    dry = limit(1, shadow=True), policy.RequestLimit(requests=1, window_seconds=10)

    found = taken(Counting(), dry, times=3)

    assert served(found) == [True] * 3
    assert [each.dry for each in found] == [(), ("COR-0001.1",), ("COR-0001.1",)]


def test_a_burst_is_the_most_at_once():
    burst = limit(1), policy.RequestLimit(requests=9, window_seconds=9, burst=2)

    assert served(taken(Counting(), burst, times=3)) == [True, True, False]


def test_a_first_caller_who_hangs_up_does_not_keep_the_counters_from_being_watched():
    counting, watched = Counting(), asyncio.Event()

    async def start():
        await asyncio.sleep(0.05)
        watched.set()

    async def scenario():
        counting._shared = Mock(start=start)
        first = asyncio.create_task(counting.begin())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        first.cancel()
        with suppress(asyncio.CancelledError):
            await first
        await asyncio.wait_for(watched.wait(), 2)

    asyncio.run(scenario())
