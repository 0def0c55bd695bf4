"""What a probe is taken for: the answer has to be by the policy in question, and of all its samples."""

from __future__ import annotations

import asyncio
import errno
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import aiohttp
import pytest

from enforcement import policy
from enforcement.agent import probing
from enforcement.agent.contents import judge_content
from enforcement.agent.judging import Answer, judge
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
REDACT_OUT = correction(1, policy.OutputFilter(patterns=REF, action="redact", threshold=3))


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


SAMPLES = ("forbidden phrase", "code 1234")
SENT = "\n".join(SAMPLES)
HALF = "forbidden phrase\n[removed]"
NONE = "[removed]\n[removed]"


@pytest.mark.parametrize(
    ("sent", "whole", "streamed", "wrong"),
    [
        (SENT, NONE, NONE, ""),
        (SENT, HALF, HALF, "the sample was not redacted"),
        (SENT, NONE, HALF, "an answer in one piece and a stream are not redacted alike"),
        (SENT, SENT, SENT, "the sample was not redacted"),
        (SENT, "", "", "the sample was not redacted"),
        (SENT, None, None, "the sample was not redacted"),
        (HALF, HALF, HALF, ""),  # an input filter was first: what is left weighs less than the threshold
        (NONE, NONE, NONE, ""),
        ("probe", "probe", "probe", "the sample did not come as far as the answer"),
        ("probe", NONE, NONE, "the sample did not come as far as the answer"),
    ],
)
def test_every_sample_has_to_be_redacted_in_an_answer_too_in_whole_and_in_pieces(
    sent, whole, streamed, wrong
):
    body = {"request": {}, "answer": {"sent": sent, "whole": whole, "streamed": streamed, "blocked": None}}

    assert judge_content(plan(REDACT_OUT, *SAMPLES), REDACT_OUT, answer(body=body)) == wrong


CAP = correction(1, policy.OutputCap(max_tokens=9))


@pytest.mark.parametrize(
    ("endpoint", "sent", "wrong"),
    [
        ("chat.completions", {"max_completion_tokens": 9}, ""),
        ("chat.completions", {"max_tokens": 1, "max_completion_tokens": 9}, ""),
        ("chat.completions", {}, "the output would be None tokens"),
        ("chat.completions", {"max_completion_tokens": None}, "the output would be None tokens"),
        ("chat.completions", {"max_completion_tokens": "9"}, "the output would be None tokens"),
        ("chat.completions", {"max_completion_tokens": True}, "the output would be None tokens"),
        ("chat.completions", {"max_completion_tokens": 10}, "the output would be 10 tokens"),
        ("chat.completions", {"max_completion_tokens": 0}, "the output would be 0 tokens"),
        (
            "chat.completions",
            {"max_tokens": None, "max_completion_tokens": 9},
            "the output would be 9 tokens",
        ),
        ("chat.completions", {"max_tokens": 10, "max_completion_tokens": 9}, "the output would be 10 tokens"),
        ("chat.completions", {"max_output_tokens": 9}, "the output would be None tokens"),
        ("responses", {"max_output_tokens": 9}, ""),
        ("responses", {"max_output_tokens": None}, "the output would be None tokens"),
        ("messages", {}, "the output would be None tokens"),
        ("embeddings", {}, ""),
    ],
)
def test_a_cap_is_shown_only_by_a_number_in_every_field_that_the_endpoint_knows(endpoint, sent, wrong):
    asked = replace(ASKED, endpoint=endpoint)
    verdict = Rules(policy.Content(corrections=(CAP,))).decide(asked, now=datetime.now(UTC))
    capped = Plan(subject="inside", attributes=asked, verdict=verdict, expect="cap")

    assert judge(capped, answer(body={"request": {"model": "m", **sent}})) == wrong


@pytest.mark.parametrize("body", [{}, {"request": None}, {"request": "m"}])
def test_an_answer_that_does_not_show_the_request_shows_no_cap(body):
    verdict = Rules(policy.Content(corrections=(CAP,))).decide(ASKED, now=datetime.now(UTC))
    capped = Plan(subject="inside", attributes=ASKED, verdict=verdict, expect="cap")

    assert judge(capped, answer(body=body)) == "the content filter did not answer"


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
