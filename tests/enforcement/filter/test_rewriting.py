"""What the content filter makes of a request."""

from __future__ import annotations

import json

import pytest

from enforcement.decide import Verdict
from enforcement.filter.rewriting import NotAcceptableError, parse, rewrite

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
