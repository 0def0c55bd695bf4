"""Where content stands: inside objects that the model fills as it likes, everywhere."""

from __future__ import annotations

import json

import pytest

from enforcement.filter.answers import reviewed
from tests.enforcement.filter.making import Noted, guard


@pytest.mark.parametrize(
    "filled", [{"detail": "red mercury"}, {"a": [{"user": "red mercury"}]}, {"red mercury": 1}]
)
def test_a_call_in_a_whole_answer_is_read_under_every_name(filled):
    call = {"type": "tool_use", "id": "1", "name": "f", "input": filled}
    raw = json.dumps({"type": "message", "content": [call]}).encode()

    answer = reviewed(raw, [guard("redact", "red mercury")], Noted().findings())

    assert json.loads(answer.raw)["content"][0]["input"] == json.loads(
        json.dumps(filled).replace("red mercury", "[removed]")
    )
