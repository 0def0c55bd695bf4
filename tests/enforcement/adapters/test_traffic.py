"""What the LiteLLM door tells the hub about requests: attributes and outcomes, never content."""

import asyncio
import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from enforcement import policy
from enforcement.adapters.litellm import telling
from enforcement.adapters.litellm.telling import HandingIn, Ledger
from enforcement.agent.state import State
from enforcement.decide import Attributes
from enforcement.report import BIGGEST, TrafficBatch
from tests.enforcement.adapters.echo import script
from tests.enforcement.adapters.proxy import correction, patterns
from tests.patience import wait_for

numbers = itertools.count(100)
SECRET = "xylophone"


@pytest.fixture
def records(proxy):
    """Give the records of a caller, once there are so many."""

    def told(who, count):
        def found():
            page = proxy.hub.get("/v1/traffic?limit=10000").json["records"]
            return [each for each in page if each["user"] == who]

        return wait_for(lambda: len(found()) >= count and found(), 10, told=f"{count} records of {who}")

    return told


@pytest.fixture
def number():
    """Give a correction that nothing was counted of."""
    return next(numbers)


@pytest.fixture
def name(number):
    return f"COR-{number:04}.1"


@pytest.fixture
def who(number):
    return f"caller-{number}"


def of(user):
    return policy.Users(users=(user,))


def say(text, **more):
    return {"messages": [{"role": "user", "content": text}], **more}


def refused(proxy, name):
    return proxy.report()["corrections"][name]["refused"]


def test_a_refusal_and_a_served_request_are_told_with_their_attributes(proxy, records, who, number, name):
    proxy.enforce(correction(number, policy.ToolsOff(tools=("shell",)), users=of(who)))
    tools = [{"type": "function", "function": {"name": name, "parameters": {}}} for name in ("shell", "ls")]

    proxy.ask(who, "mocked", **say(SECRET, tools=tools, max_tokens=7))
    proxy.ask(who, "mocked", **say(SECRET, stream=True))

    first, second = records(who, 2)
    common = {"gateway": "gateway-1", "organisation": "acme", "tier": "gold", "model": "mocked",
              "endpoint": "chat.completions", "policy": proxy.version}  # fmt: skip
    assert common.items() <= first.items()
    assert common.items() <= second.items()
    assert (first["status"], first["correction"], first["tools"]) == (403, name, ["shell", "ls"])
    assert (first["max_tokens"], first.get("stream", False), first.get("weight", 1)) == (7, False, 1)
    assert (second["status"], second.get("correction"), second["stream"]) == (200, None, True)
    assert second["seq"] == first["seq"] + 1
    assert first["log"] == second["log"]
    assert SECRET not in json.dumps([first, second])
    assert f"sk-{who}" not in json.dumps([first, second])
    wait_for(lambda: refused(proxy, name) == 1, 10, told="the count")


def test_dry_runs_warnings_and_changes_are_told_and_dry_runs_counted(proxy, records, who, number, name):
    warned, capped = f"COR-{number + 1000}.1", f"COR-{number + 2000}.1"
    later = datetime.now(UTC) + timedelta(hours=1)
    proxy.enforce(
        correction(number, policy.Block(), users=of(who), mode="shadow"),
        correction(number + 1000, policy.Block(), users=of(who), grace_until=later),
        correction(number + 2000, policy.OutputCap(max_tokens=5), users=of(who)),
    )

    proxy.ask(who, "mocked", **say(SECRET))

    (one,) = records(who, 1)
    assert (one["status"], one["correction"]) == (200, capped)
    assert (one["shadow"], one["warned"]) == ([name], [warned])
    wait_for(lambda: refused(proxy, name) == 1, 10, told="the count of the dry run")
    assert (refused(proxy, warned), refused(proxy, capped)) == (0, 0)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("more", "expected", "count"),
    [
        ({"action": "block"}, {"status": 403, "correction": "it"}, 1),
        ({"action": "redact"}, {"status": 200, "correction": "it"}, 0),
        ({"action": "flag"}, {"status": 200, "flagged": ["it"]}, 0),
        ({"mode": "shadow"}, {"status": 200, "shadow": ["it"]}, 1),
    ],
)
def test_what_a_filter_did_to_an_answer_is_a_record_of_weight_zero(
    proxy, records, number, name, more, expected, count, stream
):
    who, (raw, reference) = f"caller-{number}", patterns(SECRET)
    effect = policy.OutputFilter(patterns=reference, action=more.get("action", "block"))
    item = correction(number, effect, mode=more.get("mode", "enforce"), users=of(who))
    proxy.enforce(item, attached=[raw])

    proxy.ask(who, "echo", **say(script("a ", SECRET)), **({"stream": True} if stream else {}))

    acts = [each for each in records(who, 2) if each.get("weight") == 0]
    assert len(acts) == 1
    assert json.loads(json.dumps(expected).replace("it", name)).items() <= acts[0].items()
    assert SECRET not in json.dumps(records(who, 2))
    wait_for(lambda: refused(proxy, name) == count, 10, told="the count")


def test_what_a_filter_of_the_input_refuses_is_one_record(proxy, records, who, number, name):
    raw, reference = patterns(SECRET)
    proxy.enforce(correction(number, policy.InputFilter(patterns=reference), users=of(who)), attached=[raw])

    proxy.ask(who, "mocked", **say(SECRET))
    proxy.ask(who, "mocked", **say("bread"))

    assert [(each["status"], each.get("weight", 1)) for each in records(who, 2)] == [(403, 1), (200, 1)]
    wait_for(lambda: refused(proxy, name) == 1, 10, told="the count")


def test_a_request_that_the_model_fails_is_told_with_its_status(proxy, records, who):
    proxy.enforce(correction(1, policy.Suspend(), functionality=policy.Functionality(models=("x",))))
    echo_of_no_script = say("no script")

    answer = proxy.ask(who, "echo", **echo_of_no_script)

    assert answer.status >= 500
    assert [each["status"] for each in records(who, 1)] == [answer.status]


def test_probes_are_not_told(proxy, records, who):
    proxy.enforce(correction(1, policy.Block(), users=of("nobody-at-all")))
    proxy.ask(who, "mocked")

    records(who, 1)
    page = proxy.hub.get("/v1/traffic?limit=10000").json["records"]
    assert "nobody-at-all" not in {each["user"] for each in page}


ASKED = Attributes(user="a", organisation="", key="", application="", use_case="", endpoint="e", model="m")


class Hub:
    up = True

    def __init__(self, *answers):
        self.answers, self.got = list(answers), []

    async def post(self, _path, body):
        self.got.append([each.seq for each in msgspec.json.decode(body, type=TrafficBatch).records])
        return self.answers.pop(0)


def handed_in(ledger, *hubs):
    state = State("g")
    handing = HandingIn(ledger, hubs, state)

    async def scenario():
        while await handing._one_batch():
            pass

    asyncio.run(scenario())
    return {each.code: each.detail for each in state.report().problems}


def test_records_wait_for_a_hub_that_has_them_and_are_sent_once(monkeypatch):
    monkeypatch.setattr(telling, "BATCH", 2)
    ledger, away, there = Ledger("g"), Hub(None, None, None), Hub(None, b"", b"")
    for _ in range(3):
        ledger.note(ASKED, status=200)

    for _ in range(2):
        handed_in(ledger, away, there)

    assert there.got == [[1, 2], [1, 2], [3]]
    assert not ledger.waiting()


def test_the_oldest_are_lost_rather_than_memory_without_end(monkeypatch):
    monkeypatch.setattr(telling, "MOST", 5)
    ledger = Ledger("g")
    for _ in range(8):
        ledger.note(ASKED, ("COR-0001.1",), status=403, correction="COR-0001.1")

    assert [each.seq for each in ledger.waiting()] == [4, 5, 6, 7, 8]
    assert (ledger.lost, ledger.refused["COR-0001.1"]) == (3, 8)


BIG = replace(ASKED, tools=("y" * 200,) * 64)


def test_a_batch_is_no_larger_than_a_hub_takes_and_never_empty(monkeypatch):
    monkeypatch.setattr(telling, "BATCH_BYTES", 30_000)
    ledger, there = Ledger("g"), Hub(b"", b"", b"")
    for asked in (BIG, BIG, BIG, ASKED):
        ledger.note(asked, status=200)

    handed_in(ledger, there)
    monkeypatch.setattr(telling, "BATCH_BYTES", 1)
    ledger.note(BIG, status=200)
    handed_in(ledger, there)

    assert there.got == [[1, 2], [3, 4], [5]]


def test_the_oldest_are_lost_when_they_are_too_large_together(monkeypatch):
    monkeypatch.setattr(telling, "MOST_BYTES", 30_000)
    ledger, there = Ledger("g"), Hub(b"", b"")
    for asked in (BIG, BIG, BIG, ASKED):
        ledger.note(asked, status=200)

    handed_in(ledger, there)
    for _ in range(2):
        ledger.note(BIG, status=200)
    handed_in(ledger, there)

    assert (there.got, ledger.lost) == ([[2, 3, 4], [5, 6]], 1)


def test_names_that_nobody_could_keep_are_cut_and_none_holds_up_the_rest():
    ledger, there = Ledger("g"), Hub(b'{"taken":0,"left_out":1,"examples":[]}')
    odd = {"user": "\ud800\0" + "x" * 900, "tools": ("y" * 900,) * 200, "max_tokens": 10**40}
    ledger.note(replace(ASKED, **odd), status=200)
    (record,) = ledger.waiting()

    problems = handed_in(ledger, there)

    assert record.user == "?" + "x" * 198
    assert (record.tools, record.max_tokens) == (("y" * 200,) * 64, BIGGEST)
    assert there.got == [[1]]
    assert "1 records are not kept" in problems["traffic_left_out"]
