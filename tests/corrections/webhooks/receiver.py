"""A gateway of one's own: a real HTTP server that verifies with the library and keeps the newest policy."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from enforcement import policy


class Receiver:
    """What the server knows. ``answer_with`` says something else than the truth, for once or for ever."""

    def __init__(self, keys):
        self.keys, self.secret = keys, ""
        self.seen, self.held = [], {"version": None, "digest": ""}
        self.answers, self.url = [], ""

    def take(self, raw, headers):
        if self.answers:
            status, body = self.answers.pop(0)
            return status, body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            event = Webhook(self.secret).verify(raw, headers)
        except WebhookVerificationError as error:
            return 401, json.dumps({"error": str(error)}).encode()
        self.seen.append((event, headers))
        if event["type"] == "policy.published":
            self._keep(event["data"])
        return 200, json.dumps(self.held).encode()

    def _keep(self, data):
        signed = policy.verify(json.dumps(data["policy"]).encode(), keys=self.keys)
        if signed.version >= (self.held["version"] or 0):
            self.held = {"version": signed.version, "digest": signed.digest}


@contextmanager
def serving(receiver, *, context=None, port=0):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            raw = self.rfile.read(int(self.headers["content-length"]))
            status, body = receiver.take(raw, dict(self.headers))
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("location", body.decode())
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args):
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver.url = f"http{'s' if context else ''}://127.0.0.1:{server.server_port}/irapp"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
