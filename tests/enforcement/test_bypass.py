"""The bypass sweep: every way round a restriction that callers have tried at gateways like this one.

Each is tried by somebody who is restricted, on every endpoint where that makes sense, and must be refused;
the same way is open to somebody who is not. What bodies can hide is swept in ``test_bodies``.
"""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import zlib

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded, StreamReset

from enforcement import policy
from tests.enforcement.world import correction

ALICE, BOB = "alice", "bob"
LARGE, SMALL = {"model": "aurora-large"}, {"model": "aurora-small"}
PATHS = list(policy.ENDPOINTS.values())
SUSPENDED = policy.Functionality(models=("aurora-large",))


@pytest.fixture(scope="module")
def gateway(world):
    """Alice is blocked, the large model is suspended, medical use is forbidden, tools are off."""
    world.enforce(
        correction(1, policy.Block(), users=policy.Users(users=("alice",))),
        correction(2, policy.Suspend(), functionality=SUSPENDED),
        correction(3, policy.ForbidUse(), functionality=policy.Functionality(use_cases=("medical",))),
        correction(4, policy.ToolsOff(tools=("shell",))),
        correction(5, policy.FeatureOff(features=("web_search", "code_execution", "logprobs"))),
    )
    return world


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("query", ["", "?", "?x=1", "?model=aurora-small", "?/v1/models"])
def test_a_restriction_binds_on_every_endpoint_whatever_the_query(gateway, path, query):
    assert gateway.ask(ALICE, SMALL, path=path + query).code == "access_restricted"
    assert gateway.ask(BOB, LARGE, path=path + query).code == "model_suspended"
    assert gateway.ask(BOB, SMALL, path=path + query).status == 200


@pytest.mark.parametrize(
    "path",
    [
        f"{prefix}{path}{suffix}"
        for path in PATHS
        for prefix, suffix in [
            ("", "/"), ("/", ""), ("/.", ""), ("/x/..", ""), ("", "/."), ("", "%2f"), ("", ";a=b"),
            ("", "%00"), ("", "%20"), ("", "#x"), ("\\", ""),
        ]
    ]
    + [path.replace("/v1/", "/v1%2F") for path in PATHS]
    + [path.replace("/v1/", "/v1/./") for path in PATHS]
    + [path.upper() for path in PATHS]
    + ["/v1/chat/completions/../completions", "/v1/engines/aurora-large/completions"]
    + ["/v1/models/aurora-large", "/v1/batches"]
    + ["/v1/files", "/v1/assistants", "/v1/threads/runs", "/v1/realtime"]
    + ["/openai/deployments/aurora-large/chat/completions", "/v1beta/models/aurora-large:generateContent"],
)  # fmt: skip
def test_no_other_spelling_of_a_path_is_served_and_no_model_in_it(gateway, path):
    reply = gateway.ask(BOB, LARGE, path=path)

    assert reply.status in (400, 404)
    assert gateway.ask(ALICE, SMALL, path=path).status in (400, 404)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "POSTS", "post"])
def test_no_other_method_reaches_a_model(gateway, method):
    assert gateway.ask(ALICE, SMALL, method=method).status in (400, 404)
    assert gateway.ask(BOB, LARGE, method=method).status in (400, 404)


CLAIMED = "bob;acme;key-bob;acme-research;research;1;;;;"


@pytest.mark.parametrize(
    "claims",
    [
        {"x-irapp-client": CLAIMED},
        {"X-IRAPP-CLIENT": CLAIMED},
        {"x_irapp_client": CLAIMED},
        {"x-irapp-user": "bob", "x-irapp-key": "key-bob"},
        {"irapp-probe": CLAIMED, "irapp-probe-id": "1"},
        {"x-irapp-client": "probe", "irapp-probe": CLAIMED},
        {"x-irapp-route": "filter", "x-irapp-probe": "answer"},
        {"x-irapp-route": "filter", "x-irapp-secret": "guess"},
        {"x-forwarded-user": "bob", "x-envoy-original-path": "/v1/models", "x-original-url": "/v1/models"},
        {"x-http-method-override": "GET", "x-envoy-decorator-operation": "x"},
        {"x-api-key": "sk-demo-bob", "api-key": "sk-demo-bob"},
        {"x-irapp-hits": "0", "irapp-probe-hits": "0", "x-irapp-limit-cor-0001.1": "nobody"},
    ],
    ids=str,
)
def test_headers_that_claim_somebody_else_change_nothing(gateway, claims):
    assert gateway.ask(ALICE, SMALL, headers=claims).code == "access_restricted"
    assert gateway.ask(BOB, LARGE, headers=claims).code == "model_suspended"


@pytest.mark.parametrize("key", ["", "sk-demo-mallory", "SK-DEMO-BOB", "sk-demo-bob sk-demo-alice", "probe"])
def test_only_a_known_key_is_anybody(gateway, key):
    headers = {"authorization": f"Bearer {key}"}

    assert gateway.ask(None, SMALL, headers=headers).code == "invalid_api_key"


def test_two_keys_are_no_way_to_be_somebody_else(gateway):
    raw = json.dumps(SMALL).encode()
    for first, second in (("alice", "bob"), ("bob", "alice")):
        connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
        connection.putrequest("POST", PATHS[0])
        for who in (first, second):
            connection.putheader("authorization", f"Bearer sk-demo-{who}")
        connection.putheader("content-length", str(len(raw)))
        connection.endheaders(raw)
        status = connection.getresponse().status
        connection.close()

        assert status in (401, 403)


@pytest.mark.parametrize(
    "declared", ["research", "", "medical|research", "RESEARCH", "coding,research", "x" * 5000]
)
def test_a_forbidden_use_is_not_declared_away(gateway, declared):
    reply = gateway.ask("dave", SMALL, headers={"irapp-use-case": declared})

    assert reply.status in (400, 403, 431)
    assert gateway.ask("dave", SMALL, headers={"x-irapp-use-case": declared}).code == "use_case_restricted"


@pytest.mark.parametrize(
    ("encoding", "squeeze"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("br", bytes), ("GZip", gzip.compress)],
)
@pytest.mark.parametrize("told", [True, False])
def test_a_compressed_body_is_refused_whether_it_says_so_or_not(gateway, encoding, squeeze, told):
    headers = {"content-encoding": encoding} if told else {}
    raw = squeeze(json.dumps(LARGE).encode()) if encoding != "br" or not told else json.dumps(LARGE).encode()

    reply = gateway.ask(BOB, raw, headers=headers)

    assert reply.code in {"invalid_json"} | ({"model_suspended"} if not told else set())


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/octet-stream", "multipart/form-data; boundary=x", ""]
)
@pytest.mark.parametrize("path", PATHS)
def test_a_wrong_content_type_hides_nothing(gateway, kind, path):
    assert gateway.ask(BOB, LARGE, path=path, headers={"content-type": kind}).code == "model_suspended"
    assert gateway.ask(ALICE, b"a=b", path=path, headers={"content-type": kind}).status in (400, 403)


@pytest.mark.parametrize("pieces", [1, 2, 7])
def test_a_chunked_body_is_read_as_a_whole(gateway, pieces):
    raw = json.dumps({"model": "aurora-large", "tools": [{"name": "shell"}]}).encode()
    size = -(-len(raw) // pieces)
    chunks = [raw[at : at + size] for at in range(0, len(raw), size)]

    assert _chunked(gateway, BOB, chunks) == 503
    assert _chunked(gateway, BOB, [raw.replace(b"large", b"small")]) == 403
    assert _chunked(gateway, ALICE, chunks) in (403, 503)


@pytest.mark.parametrize("pad", [9 * 1024 * 1024, 10 * 1024 * 1024 + 1])
def test_a_large_body_is_read_to_its_end_or_refused(gateway, pad):
    body = {"messages": [{"role": "user", "content": "a" * pad}], "model": "aurora-large"}

    reply = gateway.ask(BOB, body)

    assert reply.code == ("model_suspended" if pad < 10 * 1024 * 1024 else "body_too_large")


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"aurora-small","model":"aurora-large"}',
        b'{"model":"aurora-large","model":"aurora-small"}',
        rb'{"model":"aurora-small","mod\u0065l":"aurora-large"}',
        b'{"model":"aurora-small","MODEL":"aurora-large"}',
        b'{"model":"aurora-small"}\n{"model":"aurora-large"}',
        rb'{"model":"aurora-large\u0000"}',
        b'{"model":"aurora-small","tools":[],"tools":[{"name":"shell"}]}',
        b'{"model":"aurora-small","Tools":[{"name":"shell"}]}',
        b'{"model":"aurora-small","Web_Search_Options":{}}',
    ],
)
@pytest.mark.parametrize("path", PATHS)
def test_two_meanings_in_one_body_are_refused(gateway, path, body):
    assert gateway.ask(BOB, body, path=path).code == "invalid_json"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"tools": [{"type": "function", "function": {"name": "shell"}}]}, "tools_restricted"),
        ({"functions": [{"name": "shell"}]}, "tools_restricted"),
        ({"tools": [{"type": "shell"}]}, "tools_restricted"),
        ({"mcp_servers": [{"name": "shell"}]}, "tools_restricted"),
        ({"tools": [{"type": "web_search_preview_2025_03_11"}]}, "feature_restricted"),
        ({"web_search_options": {}}, "feature_restricted"),
        ({"logprobs": 0}, "feature_restricted"),
        ({"include": ["message.output_text.logprobs"]}, "feature_restricted"),
        ({"tools": [{"type": "code_execution_20250522", "name": "x"}]}, "feature_restricted"),
    ],
)
def test_what_is_off_is_off_by_every_name(gateway, more, code):
    assert gateway.ask(BOB, {**SMALL, **more}).code == code


@pytest.mark.parametrize(
    "more", [{"logprobs": False}, {"top_logprobs": 0}, {"include": ["file_search_call.results", 1]}]
)
def test_what_only_looks_like_a_feature_is_served(gateway, more):
    assert gateway.ask(BOB, {**SMALL, **more}).status == 200


def test_http2_is_no_other_door(gateway):
    tools = json.dumps({**SMALL, "tools": [{"name": "shell"}]}).encode()

    assert _http2(gateway, "alice", [json.dumps(SMALL).encode()]) == 403
    assert _http2(gateway, "bob", [b'{"mod', b'el":"aurora', b'-large"}']) == 503
    assert _http2(gateway, "bob", [tools]) == 403
    assert _http2(gateway, "bob", [gzip.compress(tools)], ("content-encoding", "gzip")) == 400
    assert _http2(gateway, "alice", [json.dumps(SMALL).encode()], ("x-irapp-client", CLAIMED)) == 403
    assert _http2(gateway, "bob", [json.dumps(SMALL).encode()]) == 200


def _chunked(gateway, who, chunks):
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    headers = {"authorization": f"Bearer sk-demo-{who}", "transfer-encoding": "chunked"}
    try:
        connection.request("POST", PATHS[0], body=iter(chunks), headers=headers, encode_chunked=True)
        return connection.getresponse().status
    finally:
        connection.close()


def _http2(gateway, who, pieces, *more):
    connection = H2Connection(H2Configuration(header_encoding="utf-8"))
    headers = [
        (":method", "POST"),
        (":path", PATHS[0]),
        (":scheme", "http"),
        (":authority", "gateway"),
        ("authorization", f"Bearer sk-demo-{who}"),
        *more,
    ]
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as line:
        connection.initiate_connection()
        connection.send_headers(1, headers)
        for place, piece in enumerate(pieces, 1):
            connection.send_data(1, piece, end_stream=place == len(pieces))
            line.sendall(connection.data_to_send())
        return _status(connection, line)


def _status(connection, line):
    status = None
    while raw := line.recv(65536):
        for event in connection.receive_data(raw):
            if isinstance(event, ResponseReceived):
                status = int(dict(event.headers)[":status"])
            if isinstance(event, DataReceived):
                connection.acknowledge_received_data(event.flow_controlled_length, 1)
            if isinstance(event, StreamEnded | StreamReset):
                return status
        line.sendall(connection.data_to_send())
    return status
