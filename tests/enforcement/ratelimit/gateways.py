"""An Envoy that has nothing but the chain of limits, and a model behind it.

Who asks is said by the headers that the gateway's script would set; the script has tests of its own.
"""

from __future__ import annotations

import http.client
import http.server
import json
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from enforcement import policy
from enforcement.envoy import binary, limits
from enforcement.envoy.corrections import limit_header
from enforcement.envoy.types import extension
from tests.enforcement.ratelimit.parts import Process
from tests.enforcement.world import Reply, free_port
from tests.patience import wait_for

NETWORK = (
    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
)
OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


class Gateway(Process):
    """One Envoy with limits."""

    def __init__(self, folder: Path, ratelimit_port: int, model_port: int) -> None:
        super().__init__()
        self.folder, self.port, self.admin_port = folder, free_port(), free_port()
        self._upstreams = {"ratelimit": ratelimit_port, "model": model_port}

    def start(self, content: policy.Content) -> None:
        path = self.folder / "envoy.json"
        path.write_text(json.dumps(self._bootstrap(content)))
        command = [str(binary.find()), "-c", str(path), "--concurrency", "2", "--disable-hot-restart"]
        self.launch([*command, "-l", "warning"], self.folder / "envoy.log")
        wait_for(self._up)

    def ask(
        self, *asked: policy.Correction, path: str = "/json", subject: str = "alice", **more: str
    ) -> Reply:
        connection = self.open(*asked, path=path, subject=subject, **more)
        try:
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, found, response.read())
        finally:
            connection.close()

    def open(self, *asked: policy.Correction, path: str, subject: str = "alice", **more: str) -> Any:
        """Send a request that the corrections count, and leave its answer to be read."""
        headers = {limit_header(item): subject for item in asked} | ({"x-irapp-hits": "1"} if asked else {})
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("POST", path, body=b'{"model":"m"}', headers=headers)
        return connection

    def _up(self) -> bool:
        try:
            return self.ask(path="/json").status == 200
        except OSError:
            return False

    def _bootstrap(self, content: policy.Content) -> dict[str, Any]:
        manager = {
            "@type": NETWORK,
            "stat_prefix": "irapp",
            "route_config": {
                "virtual_hosts": [
                    {
                        "name": "all",
                        "domains": ["*"],
                        "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "model"}}],
                    }
                ]
            },
            "local_reply_config": {"mappers": _replies()},
            "http_filters": [
                {"name": "limits", "typed_config": limits.chain(content)},
                extension("router", "http.router.v3.Router", suppress_envoy_headers=True),
            ],
        }
        listener = {
            "name": "gateway",
            "address": _address(self.port),
            "per_connection_buffer_limit_bytes": 1024 * 1024,
            "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
        }
        return {
            "admin": {"address": _address(self.admin_port)},
            "static_resources": {
                "listeners": [listener],
                "clusters": [_cluster(*each) for each in self._upstreams.items()],
            },
        }


def _replies() -> list[dict[str, Any]]:
    over = {
        "status_code_filter": {
            "comparison": {"op": "EQ", "value": {"default_value": 429, "runtime_key": "x"}}
        }
    }
    away = {"response_flag_filter": {"flags": ["RLSE"]}}
    return [
        {
            "filter": when,
            "body_format_override": {
                "text_format_source": {"inline_string": f"%DYNAMIC_METADATA(irapp.limit:{what})%"},
                "content_type": "application/json",
            },
        }
        for when, what in ((away, "closed"), (over, "refusal"))
    ]


def _cluster(name: str, port: int) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": _address(port)}}
    cluster = {
        "name": name,
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    if name == "ratelimit":
        http2 = {
            "@type": f"type.googleapis.com/{OPTIONS}",
            "explicit_http_config": {"http2_protocol_options": {}},
        }
        cluster["typed_extension_protocol_options"] = {OPTIONS: http2}
    return cluster


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


class _Model(http.server.BaseHTTPRequestHandler):
    """Answers by path, with 10 tokens in and 20 out."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.encodings.append(self.headers.get("accept-encoding"))
        self.server.headers_seen = {name.lower() for name in self.headers}
        kind, *words = self._asked(raw)
        if kind == "json":
            return self._json(words)
        if kind == "strange":
            return self._send(200, "application/octet-stream", b"?" * 80)
        if kind == "fail":
            return self._send(500, "application/json", b'{"error":{}}')
        return self._stream(kind, words)

    def _asked(self, raw: bytes) -> list[str]:
        """Read from the path what to answer; those of the real endpoints are told by their bodies."""
        endpoint = {"/v1/chat/completions": "chat", "/v1/responses": "responses", "/v1/messages": "messages"}
        if self.path not in endpoint:
            return self.path.strip("/").split("/")
        asked = json.loads(raw)
        words = str(asked.get("prompt_cache_key", "")).split()
        return [endpoint[self.path] if asked.get("stream") else "json", *words]

    def _json(self, words: list[str]) -> None:
        body = {
            "choices": [{"message": {"content": "a" * 40}}],
            "padding": "p" * (3_000_000 * ("big" in words)),
        }
        if "silent" not in words:
            body["usage"] = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30}
        self._send(200, "application/json; charset=utf-8", json.dumps(body).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, kind: str, words: list[str]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        pause = 0.05 if "slow" in words else 1 if "long" in words else 0
        try:
            for event in EVENTS[kind](silent="silent" in words):
                for piece in _pieces(f"{event}\n\n".encode(), small="split" in words):
                    self.wfile.write(piece)
                    self.wfile.flush()
                    time.sleep(0.001 if "split" in words else 0)  # so that pieces stay pieces on their way
                time.sleep(pause)
        except OSError:
            self.server.broken += 1

    def log_message(self, *_: Any) -> None:
        pass


def _pieces(data: bytes, *, small: bool) -> list[bytes]:
    size = max(7, len(data) // 12) if small else len(data)
    return [data[start : start + size] for start in range(0, len(data), size)]


def _chat(*, silent: bool) -> list[str]:
    chunk = {"choices": [{"delta": {"content": "word"}}], "usage": None}
    end = [] if silent else [{"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 20}}]
    return [*(f"data: {json.dumps(one)}" for one in [chunk] * 20 + end), "data: [DONE]"]


def _responses(*, silent: bool) -> list[str]:
    # What the client sent comes back in it, and must not count for less than the model's own figures.
    schema = {"properties": {"usage": {"input_tokens": 1, "output_tokens": 1}}}
    usage = {} if silent else {"usage": {"input_tokens": 10, "output_tokens": 20, "total_tokens": 30}}
    deltas = [{"type": "response.output_text.delta", "delta": "word"}] * 20
    done = {"type": "response.completed", "response": {"output": "x" * 20_000, **usage, "tools": [schema]}}
    return [f"event: {one['type']}\ndata: {json.dumps(one)}" for one in [*deltas, done]]


def _messages(*, silent: bool) -> list[str]:
    start = {"type": "message_start", "message": {"usage": {"input_tokens": 7, "cache_read_input_tokens": 3}}}
    text = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "word"}}
    steps = [{"type": "message_delta", "usage": {"output_tokens": tokens}} for tokens in (5, 20)]
    every = [text] * 20 if silent else [start, *[text] * 20, *steps]
    return [f"event: {one['type']}\ndata: {json.dumps(one)}" for one in every]


EVENTS = {"chat": _chat, "responses": _responses, "messages": _messages}


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


@contextmanager
def model() -> Any:
    """A model on a port of its own; ``encodings`` are those that it was offered."""
    server = _Server(("127.0.0.1", 0), _Model)
    server.encodings, server.broken = [], 0
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
