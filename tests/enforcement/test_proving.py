"""In which order and how often the agent proves what is in force."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from enforcement import policy
from enforcement.agent import proving
from enforcement.agent.attachments import Attachments
from enforcement.agent.state import State
from enforcement.report import Probe
from tests.enforcement.world import KEY, correction

AFTER = timedelta(days=1)


class Gateway:
    """Answers every probe as it should be answered, unless told otherwise; remembers what it was asked."""

    def __init__(self):
        self.asked = Counter()
        self.wrong = set()

    async def run(self, plan, item, _wanted, _basis):
        await asyncio.sleep(0)
        self.asked[item.id, plan.attributes.endpoint] += 1
        ok = item.id not in self.wrong
        return Probe(
            endpoint=plan.attributes.endpoint,
            expect=plan.expect,
            subject=plan.subject,
            status=plan.verdict.status,
            ok=ok,
            detail="" if ok else "wrong",
        )


def block(number, **more):
    return correction(number, policy.Block(), users=policy.Users(users=(f"user-{number}",)), **more)


def signed(version, *corrections):
    content = policy.Content(corrections=corrections)
    return policy.sign(content, version=version, key=KEY, key_id="test")


@pytest.fixture
def prover(tmp_path):
    found = proving.Prover(State("gateway-1"), Attachments(tmp_path))
    found.models, found.prober = ("aurora-large",), Gateway()
    return found


def go_round(prover, *, full):
    asyncio.run(prover._go_round(prover._round, full=full))


def endpoints(prover, name):
    return {endpoint: count for (item, endpoint), count in prover.prober.asked.items() if item == name}


def test_what_is_new_counts_as_verified_only_when_every_endpoint_has_shown_it(prover):
    prover.expect(signed(1, block(1)), None)
    before = prover._state.corrections["COR-0001.1"].verified

    go_round(prover, full=True)

    assert (before, prover._state.corrections["COR-0001.1"].verified) == (False, True)
    assert set(endpoints(prover, "COR-0001.1")) == set(policy.ENDPOINTS)


def test_a_thousand_corrections_are_each_proven_again_within_a_minute(prover):
    prover.expect(signed(1, *(block(number) for number in range(1000))), None)
    go_round(prover, full=True)
    done = datetime.now(UTC)
    prover.prober.asked.clear()

    for _ in range(int(60 / proving.AGAIN_SECONDS)):
        go_round(prover, full=False)

    assert min(found.checked_at for found in prover._state.corrections.values()) > done
    assert sum(prover.prober.asked.values()) < 4000  # one endpoint each, inside and beside


def test_what_is_proven_again_is_so_on_one_endpoint_after_the_other(prover):
    prover.expect(signed(1, block(1)), None)
    go_round(prover, full=True)
    prover.prober.asked.clear()

    for _ in policy.ENDPOINTS:
        go_round(prover, full=False)

    assert set(endpoints(prover, "COR-0001.1")) == set(policy.ENDPOINTS)
    assert len(set(endpoints(prover, "COR-0001.1").values())) == 1


def test_what_went_wrong_is_told_and_then_proven_on_every_endpoint_again(prover):
    prover.expect(signed(1, block(1), block(2)), None)
    go_round(prover, full=True)
    prover._state.changed.clear()
    prover.prober.wrong = {"COR-0002.1"}
    go_round(prover, full=False)
    failed = prover._state.corrections["COR-0002.1"]
    told = prover._state.changed.is_set()
    prover.prober.wrong = set()
    prover.prober.asked.clear()

    go_round(prover, full=False)

    assert (failed.state, failed.verified, failed.detail, told) == ("failed", False, "wrong", True)
    assert set(endpoints(prover, "COR-0002.1")) == set(policy.ENDPOINTS)
    assert prover._state.corrections["COR-0002.1"].verified


def test_a_removed_correction_is_shown_as_gone_and_its_list_kept_until_then(prover):
    prover.expect(signed(1, block(1)), None)
    go_round(prover, full=True)
    names = policy.subject_list(["listed"])
    lists = (policy.SubjectList(of="user", attachment=policy.address(names), count=1),)
    gone = correction(2, policy.Block(), users=policy.Users(lists=lists))
    prover._attachments.save(policy.address(names), names)

    prover.expect(signed(3, block(1)), policy.Content(corrections=(block(1), gone)))
    needed = prover.needed
    go_round(prover, full=True)

    assert needed == {policy.address(names)}
    assert prover._state.lifted["COR-0002.1"].verified
    assert prover.needed == frozenset()


def test_a_correction_whose_list_is_lost_is_not_shown_and_says_so(prover):
    lists = (policy.SubjectList(of="user", attachment="sha256:" + "0" * 64, count=1),)
    lost = correction(2, policy.Block(), users=policy.Users(lists=lists))

    prover.expect(signed(1, block(1), lost), None)
    go_round(prover, full=True)

    found = prover._state.corrections["COR-0002.1"]
    assert (found.state, found.verified) == ("failed", False)
    assert "not at hand" in found.detail


def test_what_has_not_begun_is_no_failure_and_proven_when_it_has(prover):
    later = block(2, starts_at=datetime.now(UTC) + AFTER)
    prover.expect(signed(1, later), None)

    go_round(prover, full=True)
    go_round(prover, full=False)

    assert prover._state.corrections["COR-0002.1"].state == "scheduled"
    assert not prover._state.corrections["COR-0002.1"].verified
    assert sum(endpoints(prover, "COR-0002.1").values()) < 4 * len(policy.ENDPOINTS)


def test_an_answer_for_a_policy_that_was_overtaken_counts_for_nothing_and_nobody_asks_on(prover):
    prover.expect(signed(1, block(1), block(2)), None)

    async def scenario():
        old = asyncio.create_task(prover._go_round(prover._round, full=True))
        await asyncio.sleep(0)
        prover.expect(signed(2, block(1), block(2)), None)
        await old

    asyncio.run(scenario())

    assert not prover._state.corrections["COR-0001.1"].verified
    assert {name for name, _ in prover.prober.asked} == {"COR-0001.1"}
