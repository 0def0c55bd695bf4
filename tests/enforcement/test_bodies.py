"""The gateway and a model behind it must read the same request, or the gateway refuses it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enforcement import policy
from enforcement.decide import decide
from enforcement.filter import spelling
from enforcement.filter.rewriting import NotAcceptableError, parse
from enforcement.reading import tools_offered
from tests.enforcement.bare import SOMEBODY
from tests.enforcement.world import correction

CONTENT = policy.Content(
    corrections=(
        correction(1, policy.ToolsOff(tools=("shell", "zoë"))),
        correction(2, policy.ForbidUse(), functionality=policy.Functionality(endpoints=("embeddings",))),
        correction(
            3, policy.Suspend(), functionality=policy.Functionality(models=("aurora-large", "modèle"))
        ),
    )
)


@pytest.fixture(scope="module")
def gateway(bare):
    bare.enforce(CONTENT)
    return bare


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (rb'{"model":"aurora-large"}', 503),
        (rb'{"mod\u0065l":"aurora-l\u0061rge"}', 503),
        (' \r\n\t{ "model" : "modèle" } \n'.encode(), 503),
        (b'{"model":"mod\\u00e8le"}', 503),
        (rb'{"model":"x","tools":[{"n\u0061me":"sh\u0065ll"}]}', 403),
        (rb'{"model":"x","tools":[{"type":"function","function":{"name":"zo\u00eb"}}]}', 403),
        (rb'{"model":"x","tools":[{"type":"a\/b","name":"weather"}]}', 200),
        (b'{"model":"x","metadata":{"model":"aurora-large","tools":[{"name":"shell"}]}}', 200),
        ('{"model":"x","input":"😀 \\ud83d\\ude00 日本"}'.encode(), 200),
        (b'{"model":"x","temperature":-0.5e-3,"n":10,"a":[],"b":{},"c":[{},[null,true,false]]}', 200),
        (b'{"model":"x","tools":[{"name":"a","input_schema":{"Name":1}}],"metadata":{"Name":1}}', 200),
        (b'{"model":"x","stream":null,"tools":null,"max_tokens":null}', 200),
    ],
)
def test_requests_are_understood_whatever_their_spelling(gateway, raw, status):
    assert gateway.ask(SOMEBODY, raw).status == status


@pytest.mark.parametrize("name", sorted(spelling.OF_BODIES))
def test_the_gateway_refuses_the_same_names_in_another_case_as_the_filter(gateway, name):
    body = {"model": "x", name.capitalize(): "y"}

    assert spelling.misspelt(body) == name.capitalize()
    assert gateway.ask(SOMEBODY, json.dumps(body).encode()).code == "invalid_json"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"not json",
        b"[]",
        b'"x"',
        b'{"model":"x"',
        b'{"model":"x"}}',
        b'{"model":"x"} {"model":"aurora-large"}',
        b'{"model":"x",}',
        b'{"model":"x","a":[1,]}',
        b"{'model':'x'}",
        b'{"model":"x","model":"aurora-large"}',
        rb'{"model":"x","mod\u0065l":"aurora-large"}',
        b'{"model":"x","tools":[{"name":"a","name":"shell"}]}',
        b'{"model":"x","Model":"aurora-large"}',
        b'{"model":"x","TOOLS":[{"name":"shell"}]}',
        '{"model":"x","toolſ":[{"name":"shell"}]}'.encode(),
        b'{"model":"x","max_toKens":5}',
        b'{"model":"x","tools":[{"type":"function","function":{"Name":"shell"}}]}',
        b'{"model":"x","tools":[{"type":"custom","custom":{"NAME":"shell"}}]}',
        b'{"model":"x","tools":[{"type":"function","Function":{"name":"shell"}}]}',
        b'{"model":"x","tools":[{"Type":"shell"}]}',
        b'{"model":"x","functions":[{"naME":"shell"}]}',
        b'{"model":"x","mcp_servers":[{"type":"url","Name":"shell"}]}',
        b'{"model":"x","a":NaN}',
        b'{"model":"x","a":Infinity}',
        b'{"model":"x","a":01}',
        b'{"model":"x","a":1.}',
        b'{"model":"x","a":.5}',
        b'{"model":"x","a":1e}',
        b'{"model":"x","a":+1}',
        b'{"model":"x","a":0x10}',
        b'{"model":"x","a":1e999}',
        b'{"model":"x","a":1e99999999}',
        b'{"model":"x","a":-1.5e400}',
        b'{"model":"x","a":tru}',
        b'{"model":"x","a":"\\x41"}',
        b'{"model":"x","a":"\\u12g4"}',
        b'{"model":"x","a":"\\u12"}',
        b'{"model":"x","a":"line\nbreak"}',
        b'{"model":"x","a":"\x00"}',
        rb'{"model":"x\u0000"}',
        rb'{"model":"x","a":["b\u0000c"]}',
        rb'{"model":"x","a\u0000":1}',
        b'{"model":"\\ud800"}',
        b'{"model":"x","\\udc00a":1}',
        b'{"model":"x","input":"\\ud800 "}',
        b'{"model":"x","input":["\\uD83D\\u0041"]}',
        b'{"model":"x","input":"\\udE00\\ud83d"}',
        b'{"model":"x","input":"\\ud83d\\ud83d\\ude00"}',
        b'{"model":"x","a":"\xff"}',
        b'{"model":"x","a":"\xc0\xaf"}',
        b'{"model":"x","a":"\xed\xa0\x80"}',
        b'{"model":"x","a":"\xf5\x80\x80\x80"}',
        b'{"mod\xffel":"x"}',
        b'\xef\xbb\xbf{"model":"x"}',
        '{"model":"x"}'.encode("utf-16"),
        b'{"model":"x"// comment\n}',
        b'{"model":"x","a":' + b"[" * 200 + b"]" * 200 + b"}",
        b'{"model":"x","a":' + b'{"a":' * 100000,
        b'{"model":"x",' + b",".join(b'"%d":1' % i for i in range(10001)) + b"}",
    ],
    ids=lambda raw: repr(raw[:80]),
)
def test_what_two_readers_could_read_differently_is_refused(gateway, raw):
    reply = gateway.ask(SOMEBODY, raw)

    assert (reply.status, reply.code) == (400, "invalid_json")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"model": None},
        {"model": 1},
        {"model": ""},
        {"model": ["x"]},
        {"model": "x" * 201},
        {"model": "x", "stream": "true"},
        {"model": "x", "tools": {"name": "shell"}},
        {"model": "x", "tools": ["shell"]},
        {"model": "x", "tools": [None]},
        {"model": "x", "tools": [[]]},
        {"model": "x", "max_tokens": "5"},
        {"model": "x", "max_tokens": 1.5},
        {"model": "x", "max_completion_tokens": -1},
    ],
    ids=str,
)
def test_a_field_of_the_wrong_kind_is_refused_by_name(gateway, body):
    reply = gateway.ask(SOMEBODY, json.dumps(body).encode())

    assert (reply.status, reply.code) == (400, "invalid_request")


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "GZIP, identity"])
def test_a_body_that_says_it_is_compressed_is_refused(gateway, encoding):
    reply = gateway.ask(SOMEBODY, b'{"model":"x"}', content_encoding=encoding)

    assert (reply.status, reply.code) == (400, "invalid_json")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_another_content_type_hides_nothing(gateway, kind):
    assert gateway.ask(SOMEBODY, b'{"model":"aurora-large"}', content_type=kind).status == 503
    assert gateway.ask(SOMEBODY, b"model=aurora-large", content_type=kind).status == 400


def test_a_body_in_chunks_is_read_as_a_whole(gateway):
    pieces = iter([b'{"mo', b'del":"aurora', b'-large"}'])

    assert gateway.ask(SOMEBODY, pieces).status == 503


texts = st.text(st.characters(exclude_characters="\x00", codec="utf-8"))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
tools = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["function", "custom", "web_search"]),
            "name": st.sampled_from(["shell", "weather", "zoë"]),
            "function": st.fixed_dictionaries({"name": st.sampled_from(["shell", "weather"])}),
            "custom": values,
        },
    ),
    max_size=3,
)
bodies = st.fixed_dictionaries(
    {"model": st.sampled_from(["aurora-large", "aurora-small", "modèle"])},
    optional={"tools": tools, "messages": values, "stream": st.booleans(), "metadata": values},
)


def expected(raw):
    body = parse(raw)
    tools = tools_offered(body)
    return decide(replace(SOMEBODY, model=body["model"], tools=tools), CONTENT, now=datetime.now(UTC))


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(bodies, st.booleans())
def test_every_proper_request_is_decided_as_the_reference_does(gateway, body, ascii_only):
    raw = json.dumps(body, ensure_ascii=ascii_only).encode("utf-8", "replace")
    reply = gateway.ask(SOMEBODY, raw)

    assert reply.status == expected(raw).status, reply.raw


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(bodies, st.data())
def test_a_damaged_request_is_refused_or_decided_as_the_reference_does(gateway, body, data):
    raw = bytearray(json.dumps(body).encode("utf-8"))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw) - 1))
        piece = data.draw(
            st.sampled_from([b"", b'"', b"\\", b"\xff", b"{", b"}", b",", b"0", b" ", b"e", b"u"])
        )
        raw[at : at + data.draw(st.integers(0, 2))] = piece
        raw = raw or bytearray(b" ")
    reply = gateway.ask(SOMEBODY, bytes(raw))

    if reply.status == 400:
        return
    try:
        verdict = expected(bytes(raw))
    except NotAcceptableError as error:
        pytest.fail(f"the gateway took what is no strict JSON: {raw!r}: {error}")
    assert reply.status == verdict.status
