"""What a probe is taken for: the answer has to be by the policy in question, and of all its samples."""

from __future__ import annotations

import asyncio
import errno
from datetime import UTC, datetime
from types import SimpleNamespace

import aiohttp
import pytest

from enforcement import policy
from enforcement.agent import probing
from enforcement.agent.contents import judge_content
from enforcement.agent.judging import Answer
from enforcement.decide import Attributes, Rules
from enforcement.probes import Plan
from enforcement.ratelimit import gateway
from tests.enforcement.filter.making import REF
from tests.enforcement.world import correction, free_port

ASKED = Attributes(
    user="alice", organisation="acme", key="k", application="a", use_case="",
    endpoint="chat.completions", model="m",
)  # fmt: skip
DRY = correction(1, policy.Block(), users=policy.Users(users=("alice",)), mode="shadow")
REDACT = correction(1, policy.InputFilter(patterns=REF, action="redact", threshold=3))


def plan(item, *samples):
    content = policy.Content(corrections=(item,))
    verdict = Rules(content).decide(ASKED, now=datetime.now(UTC))
    prompt = "\n".join(samples)
    more = {"prompt": prompt, "samples": samples}
    return Plan(subject="inside", attributes=ASKED, verdict=verdict, expect="pass", **more)


def answer(version="2", body=None):
    return Answer(200, "", "", version, frozenset(), frozenset(), body or {})


class Prober(probing.Prober):
    """Meets one worker that never changes."""

    def __init__(self, version):
        super().__init__(None, SimpleNamespace(probe_key="p", host="127.0.0.1", port=1))
        self._version = version

    async def _ask(self, _plan, _more):
        return answer(self._version)


@pytest.mark.parametrize(
    ("version", "overtaken", "wrong"),
    [
        ("2", False, ""),
        ("1", False, "decided by another policy: 1"),
        ("2, filter 1", False, "decided by another policy: 2, filter 1"),
        ("1", True, ""),
        ("", False, ""),
    ],
)
def test_an_answer_by_another_policy_proves_nothing_not_even_a_dry_run(
    monkeypatch, version, overtaken, wrong
):
    monkeypatch.setattr(probing, "RETRIES", 2)
    monkeypatch.setattr(probing, "SILENT_RETRIES", 2)
    wanted = SimpleNamespace(version="2", overtaken=lambda: overtaken)

    found = asyncio.run(Prober(version).run(plan(DRY), DRY, wanted))

    assert (found.ok, found.detail) == (not wrong, wrong)


@pytest.mark.parametrize(
    ("reached", "wrong"),
    [
        ("[removed]\n[removed]", ""),
        ("[removed]\na\n[removed]", ""),
        ("my [removed]\n[removed]", ""),
        ("[removed]\na\ncode 1234", "the sample was not redacted"),
        ("forbidden phrase\n[removed]", "the sample was not redacted"),
        ("forbidden phrase\na\ncode 1234", "the sample was not redacted"),
    ],
)
def test_every_sample_has_to_be_redacted(reached, wrong):
    body = {"request": {"messages": [{"role": "user", "content": reached}]}}

    assert judge_content(plan(REDACT, "forbidden phrase", "a\ncode 1234"), REDACT, answer(body=body)) == wrong


@pytest.mark.parametrize(
    ("number", "gone"),
    [(errno.ECONNREFUSED, True), (errno.EMFILE, False), (errno.EHOSTUNREACH, False), (None, False)],
)
def test_only_a_refused_connection_says_that_envoy_is_gone(number, gone):
    class Session:
        def get(self, *_args, **_more):
            where = SimpleNamespace(host="h", port=1, ssl=True, is_ssl=False)
            raise aiohttp.ClientConnectorError(where, OSError(number, "odd") if number else OSError("odd"))

    assert (asyncio.run(gateway.gone_before("http://h:1", Session())) is not None) == gone


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_where_nobody_listens_envoy_is_gone(host):
    async def scenario():
        async with aiohttp.ClientSession() as session:
            return await gateway.gone_before(f"http://{host}:{free_port()}", session)

    assert asyncio.run(scenario()) is not None
