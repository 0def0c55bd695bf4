"""One request at the LiteLLM door, met again by the router's retries and fallbacks."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from enforcement import policy
from enforcement.adapters.litellm.counting import Counting
from enforcement.adapters.litellm.passing import Passage
from enforcement.adapters.litellm.ruling import Law, RefusedError
from enforcement.adapters.litellm.telling import Ledger
from enforcement.agent.attachments import Attachments
from enforcement.decide import Attributes
from tests.enforcement.adapters.proxy import correction, signed
from tests.enforcement.hub_process import KEY

ASKED = Attributes(
    user="alice", organisation="", key="", application="", use_case="", endpoint="e", model="nickname"
)
LIMIT = correction(
    1,
    policy.RequestLimit(requests=1, window_seconds=3600),
    functionality=policy.Functionality(models=("large",)),
)


@pytest.fixture
def law_of(tmp_path):
    def made(*corrections):
        trusted = policy.verify(signed(1, *corrections), keys={"test": KEY.public_key()})
        return Law(trusted, Attachments(tmp_path))

    return made


def rule(law, model):
    return law.rule(replace(ASKED, model=model), now=datetime.now(UTC))


def tried(passage, law, counting):
    """Meet the model that is limited, as a retry or a fallback does; give what refuses it."""
    try:
        asyncio.run(passage.count(law.limits(rule(law, "large")), counting, law))
    except RefusedError as refused:
        return refused.correction
    return ""


def test_a_limit_that_came_meanwhile_and_is_used_up_refuses_every_retry(law_of):
    old, new, counting = law_of(), law_of(LIMIT), Counting()
    first, second = (Passage(old, rule(old, "nickname")) for _ in range(2))

    assert [tried(first, new, counting) for _ in range(2)] == ["", ""]
    assert [tried(second, new, counting) for _ in range(3)] == [LIMIT.id] * 3


def test_a_refusal_that_is_met_again_is_told_once(law_of):
    law, ledger = law_of(LIMIT), Ledger("g")
    passage = Passage(law, rule(law, "nickname"), ledger)

    for _ in range(3):
        passage.came_to(429, LIMIT.id)
    passage.came_to(200)

    assert [(each.status, each.weight) for each in ledger.waiting()] == [(429, 1), (200, 0)]
    assert ledger.refused[LIMIT.id] == 1
