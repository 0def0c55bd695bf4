"""What the LiteLLM door tells of records that no hub keeps: as long as it is news, and no longer."""

import asyncio

import pytest

from enforcement.adapters.litellm import telling
from enforcement.adapters.litellm.telling import HandingIn, Ledger
from enforcement.agent.state import State
from enforcement.decide import Attributes
from tests.patience import wait_for

ASKED = Attributes(user="a", organisation="", key="", application="", use_case="", endpoint="e", model="m")
KEPT = b'{"taken":1,"left_out":0,"examples":[]}'
LEFT_OUT = b'{"taken":0,"left_out":1,"examples":[]}'


class Hub:
    """A hub that gives these answers, one after the other, and then says that it keeps all."""

    up = True

    def __init__(self, *answers):
        self._answers = list(answers)

    async def post(self, _path, _body):
        return self._answers.pop(0) if self._answers else KEPT


@pytest.fixture(autouse=True)
def often(monkeypatch):
    monkeypatch.setattr(telling, "PAUSE_SECONDS", 0.01)


@pytest.fixture
def told():
    """Hand in records, one by one, to hubs; give the problems that are told of afterwards."""
    ledger, state = Ledger("g"), State("g")

    async def scenario(hubs, records):
        task = asyncio.create_task(HandingIn(ledger, hubs, state).run())
        for _ in range(records):
            ledger.note(ASKED, status=200)
            await asyncio.to_thread(wait_for, lambda: not ledger.waiting(), 10, told="the records handed in")
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return {each.code: each.detail for each in state.report().problems}

    return lambda *hubs, records=1: asyncio.run(scenario(hubs, records))


def test_what_was_left_out_is_told_although_later_records_are_kept(told):
    assert told(Hub(LEFT_OUT, KEPT, LEFT_OUT), records=4)["traffic_left_out"].startswith("2 records")


def test_what_was_left_out_is_not_told_for_ever(told, monkeypatch):
    monkeypatch.setattr(telling, "TOLD_SECONDS", 0, raising=False)

    assert told(Hub(LEFT_OUT), records=2) == {}


def test_what_one_of_two_hubs_keeps_is_not_left_out(told):
    assert told(Hub(LEFT_OUT), Hub(KEPT)) == {}


@pytest.mark.parametrize("answer", [b"", b"not JSON"])
def test_a_hub_that_does_not_say_what_it_kept_has_kept_all(told, answer):
    assert told(Hub(answer)) == {}


def test_an_error_while_handing_in_is_told_until_it_goes_well_again(told, monkeypatch):
    failed = iter([ValueError("odd")])

    def done(ledger, records):
        for error in failed:
            raise error
        original(ledger, records)

    original = Ledger.done
    monkeypatch.setattr(Ledger, "done", done)

    assert told(Hub()) == {}


@pytest.mark.parametrize(("seconds", "problems"), [(3600, {"traffic_lost"}), (0, set())])
def test_what_waited_too_long_is_told_for_a_while(told, monkeypatch, seconds, problems):
    monkeypatch.setattr(telling, "TOLD_SECONDS", seconds)
    monkeypatch.setattr(telling, "MOST", 0)

    assert told(Hub(), records=2).keys() == problems
