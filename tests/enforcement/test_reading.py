"""What a request asks for, in the form of each endpoint."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enforcement import policy
from enforcement.asking import as_sent, request_body
from enforcement.decide import Attributes
from enforcement.reading import HIDDEN, features_of, tools_offered, turns_of


@pytest.mark.parametrize(
    ("body", "features"),
    [
        ({}, ()),
        ({"stream": True}, ("streaming",)),
        ({"stream": False, "store": False, "logprobs": False, "mcp_servers": []}, ()),
        ({"logprobs": 0}, ("logprobs",)),
        ({"logprobs": None, "top_logprobs": 0, "include": ["file_search_call.results"]}, ()),
        ({"include": ["file_search_call.results", "message.output_text.logprobs"]}, ("logprobs",)),
        ({"include": "message.output_text.logprobs"}, ()),
        ({"include": [1, None]}, ()),
        ({"web_search_options": {}}, ("web_search",)),
        ({"tools": [{"type": "web_search_20250305"}]}, ("web_search",)),
        (
            {"tools": [{"type": "code_interpreter"}, {"type": "computer_use_preview"}]},
            ("code_execution", "computer_use"),
        ),
        ({"tools": [{"type": "mcp"}]}, ("mcp",)),
        ({"previous_response_id": "r"}, ("memory",)),
        ({"store": True, "logprobs": True}, ("memory", "logprobs")),
        ({"tools": [{"type": "function", "function": {"name": "web_search"}}]}, ()),
        ({"tools": "none", "stream": None}, ()),
    ],
)
def test_features_are_read_off_fields_and_tools(body, features):
    assert features_of(body) == features


@pytest.mark.parametrize(
    ("body", "turns"),
    [
        ({}, (1, 0)),
        ({"prompt": "hello"}, (1, 0)),
        ({"input": "hello"}, (1, 0)),
        ({"messages": [{"role": "system"}, {"role": "user", "content": "a"}]}, (1, 0)),
        ({"messages": [{"role": "user", "content": "a"}] * 3}, (3, 0)),
        ({"messages": [{"role": "user", "content": "a"}, {"role": "tool", "content": "b"}]}, (1, 1)),
        (
            {"messages": [{"role": "user", "content": [{"type": "tool_result"}, {"type": "tool_result"}]}]},
            (1, 2),
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "tool_result"}, {"type": "text"}]}] * 2},
            (2, 2),
        ),
        ({"input": [{"role": "user", "content": "a"}, {"type": "function_call_output"}]}, (1, 1)),
        ({"input": "more", "previous_response_id": "r"}, (HIDDEN, HIDDEN)),
        ({"input": ["a", "b"]}, (1, 0)),
        ({"messages": [], "input": [{"role": "user", "content": "a"}] * 100}, (100, 0)),
        ({"messages": [{"role": "user"}] * 3, "input": [{"type": "mcp_call"}] * 2}, (3, 2)),
        ({"input": [{"type": "item_reference", "id": "m"}]}, (HIDDEN, HIDDEN)),
        ({"input": [{"id": "m", "type": None}]}, (HIDDEN, HIDDEN)),
        ({"input": [{"id": "m", "role": "user", "content": "a"}]}, (1, 0)),
        ({"messages": [{"id": "m", "role": "assistant", "tool_calls": []}]}, (1, 0)),
        ({"input": [{"type": "local_shell_call_output"}, {"type": "apply_patch_call_output"}]}, (1, 2)),
    ],
)
def test_turns_are_counted_in_the_conversation_that_a_request_carries(body, turns):
    assert turns_of(body) == turns


FEATURES = st.sets(st.sampled_from(policy.FEATURES), max_size=3).map(
    lambda names: tuple(sorted(names, key=policy.FEATURES.index))
)


@settings(deadline=None)
@given(
    st.sampled_from(tuple(policy.ENDPOINTS)),
    FEATURES,
    st.lists(st.sampled_from(("shell", "browser")), unique=True).map(tuple),
    st.integers(1, 4),
    st.integers(0, 3),
    st.sampled_from([0, 50, 5_000]),
)
def test_a_written_request_has_the_attributes_that_it_was_asked_to_have(
    endpoint, features, tools, turns, tool_turns, size
):
    asked = Attributes(
        user="u", organisation="o", key="k", application="a", use_case="c", endpoint=endpoint, model="m",
        features=features, stream="streaming" in features, tools=tools, turns=turns, tool_turns=tool_turns,
        body_bytes=size, max_tokens=7,
    )  # fmt: skip
    sent, raw = as_sent(asked), request_body(asked)

    body = orjson.loads(raw)
    assert sent.body_bytes == len(raw) >= size
    assert set(sent.features) == set(features)
    assert set(tools) <= set(tools_offered(body))
    carries = endpoint not in ("completions", "embeddings")
    assert (sent.turns, sent.tool_turns) == ((turns, tool_turns) if carries else (1, 0))
    assert as_sent(sent) == sent
