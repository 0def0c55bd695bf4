"""What the content filter makes of a request."""

from __future__ import annotations

import json

import pytest

from enforcement.decide import Verdict
from enforcement.filter.rewriting import (
    NotAcceptableError,
    TooManyAnswersError,
    UncountableError,
    parse,
    rewrite,
)

CAP = Verdict(action="allow", status=200, code="", max_tokens=100)


def capped(body, endpoint="chat.completions", **more):
    return json.loads(rewrite(body, CAP, endpoint=endpoint, **more))


@pytest.mark.parametrize(
    ("endpoint", "field"),
    [
        ("chat.completions", "max_completion_tokens"),
        ("completions", "max_tokens"),
        ("responses", "max_output_tokens"),
        ("messages", "max_tokens"),
    ],
)
def test_a_cap_is_added_where_a_request_names_none(endpoint, field):
    assert capped({"model": "x"}, endpoint) == {"model": "x", field: 100}
    assert capped({"model": "x", "max_tokens": None}, endpoint)[field] == 100


def test_a_model_that_knows_another_field_gets_that_one():
    assert capped({"model": "x"}, output_field="max_tokens") == {"model": "x", "max_tokens": 100}


def test_embeddings_have_no_output_to_cap():
    assert capped({"model": "x"}, "embeddings") == {"model": "x"}


@pytest.mark.parametrize(("asked", "given"), [(5, 5), (100, 100), (101, 100), (10**9, 100), (1e9, 100)])
def test_a_larger_wish_is_lowered_and_a_smaller_one_kept(asked, given):
    assert capped({"max_tokens": asked, "max_completion_tokens": 7}) == {
        "max_tokens": given,
        "max_completion_tokens": 7,
    }


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"n": 4}, {"max_completion_tokens": 25}),
        ({"n": 4, "max_tokens": 50}, {"max_tokens": 25}),
        ({"n": 1000}, {"n": 1, "max_completion_tokens": 100}),
        ({"n": 2, "best_of": 5}, {"max_completion_tokens": 20}),
        ({"prompt": ["a", "b"], "n": 2}, {"max_completion_tokens": 25}),
        ({"prompt": [1, 2, 3]}, {"max_completion_tokens": 100}),
    ],
)
def test_several_answers_share_the_cap(body, fields):
    found = capped(body)

    assert {name: found[name] for name in fields} == fields


@pytest.mark.parametrize(
    ("endpoint", "body", "written"),
    [
        ("chat.completions", {"max_output_tokens": 5}, {"max_completion_tokens": 100}),
        ("responses", {"max_tokens": 5}, {"max_output_tokens": 100}),
        ("messages", {"max_completion_tokens": 5, "max_tokens": 9}, {"max_tokens": 9}),
        ("completions", {"max_tokens": 0}, {"max_tokens": 100}),
        ("messages", {"max_tokens": -1}, {"max_tokens": 100}),
        ("messages", {"max_tokens": 0.5}, {"max_tokens": 100}),
        ("responses", {"max_output_tokens": "5"}, {"max_output_tokens": 100}),
    ],
)
def test_a_cap_stands_in_a_field_that_the_endpoint_knows_and_is_no_zero(endpoint, body, written):
    assert capped(body, endpoint) == written


def test_a_wish_in_a_field_that_the_model_ignores_is_told_in_the_one_it_knows():
    assert capped({"max_completion_tokens": 5}, output_field="max_tokens") == {"max_tokens": 5}
    assert capped({"max_output_tokens": 5}, "responses", output_field="max_tokens") == {
        "max_output_tokens": 5
    }


@pytest.mark.parametrize("count", ["100", True, 1.5, [2], {}])
@pytest.mark.parametrize("name", ["n", "best_of"])
def test_a_count_of_answers_that_is_no_whole_number_is_refused(name, count):
    with pytest.raises(UncountableError, match=f"^{name} must"):
        capped({name: count})


def test_prompts_that_exceed_the_cap_by_their_number_are_refused():
    assert capped({"prompt": ["a"] * 100, "n": 2}, "completions")["max_tokens"] == 1
    with pytest.raises(TooManyAnswersError):
        capped({"prompt": ["a"] * 101}, "completions")


def test_a_reroute_changes_the_model_and_nothing_else():
    body = {"model": "x", "messages": [{"role": "user", "content": "ü😀"}], "temperature": 0.1, "seed": 2**60}
    verdict = Verdict(action="allow", status=200, code="", reroute_to="y")

    assert json.loads(rewrite(body, verdict, endpoint="messages")) == {**body, "model": "y"}


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":2}}',
        b'{"a":NaN}',
        b'{"tools":[{"type":"function","function":{"Name":"f"}}]}',
        b'{"tools":[{"Type":"f"}]}',
        b'{"functions":[{"NAME":"f"}]}',
        b'{"mcp_servers":[{"Name":"f"}]}',
        b'{"messages":[{"Role":"user","content":"a"}]}',
        b'{"messages":[{"role":"user","Content":"a"}]}',
        b'{"messages":[{"role":"user","content":[{"Type":"tool_result"}]}]}',
        b'{"input":[{"TYPE":"function_call_output"}]}',
        b'{"messages":[],"Messages":[]}',
        '{"\u017fystem":"a"}'.encode(),
        b'{"N":5}',
        b'{"a":1e999}',
        b"[]",
        b"",
        b"\xff",
        b'{"a":' * 100000,
    ],
)
def test_what_is_no_strict_json_is_refused(raw):
    with pytest.raises(NotAcceptableError):
        parse(raw)


@pytest.mark.parametrize(
    "body",
    [
        {"messages": "a", "input": 1, "tools": None, "functions": [1, [], {}], "Metadata": {"Model": 1}},
        {"messages": [{"role": "user", "content": [{"type": "tool_use", "input": {"Name": 1}}, "a"]}]},
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"Type": 1}}}]},
    ],
)
def test_members_of_free_objects_are_spelled_as_they_like(body):
    assert parse(json.dumps(body).encode()) == body
