"""A real hub process, and a client for it."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from base64 import b64encode
from contextlib import closing, suppress
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.embedded import ports
from deploy.embedded.process import ROOT
from enforcement import policy
from tests.patience import PatienceError

KEY = Ed25519PrivateKey.generate()
CONTROL, AGENT = "control-token-of-the-test", "agent-token-of-the-test"
DIGEST = "sha256:" + "0" * 64


def signed(version, *users, key=KEY):
    """Give the bytes of a policy that blocks those users."""
    corrections = tuple(
        policy.Correction(
            id=f"COR-{number:04}.1",
            effect=policy.Block(),
            users=policy.Users(users=(user,)),
            approval_digest=DIGEST,
        )
        for number, user in enumerate(users)
    )
    content = policy.Content(corrections=corrections)
    return policy.encode(policy.sign(content, version=version, key=key, key_id="test"))


@dataclass
class Answer:
    status: int
    headers: dict
    raw: bytes
    seconds: float = 0

    @property
    def json(self):
        return json.loads(self.raw)


@dataclass
class HubProcess:
    folder: object
    port: int = field(default_factory=ports.free)
    more: dict = field(default_factory=dict)

    def __post_init__(self):
        public = b64encode(KEY.public_key().public_bytes_raw()).decode()
        (self.folder / "keys.json").write_text(json.dumps({"test": public}))
        (self.folder / "control").write_text(CONTROL)
        (self.folder / "agent").write_text(f"gateway-1 {AGENT}\ngateway-1 another-agent-token\n")
        self.state = self.folder / "hub"
        self.log = self.folder / "hub.log"
        self.process = None

    def environment(self):
        return {
            **os.environ,
            "HUB_PORT": str(self.port),
            "HUB_STATE_DIR": str(self.state),
            "HUB_CONTROL_TOKEN_FILE": str(self.folder / "control"),
            "HUB_AGENT_TOKEN_FILE": str(self.folder / "agent"),
            "POLICY_KEYS_FILE": str(self.folder / "keys.json"),
            **self.more,
        }

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "enforcement.hub"], env=self.environment(), cwd=ROOT, stderr=log
            )
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with suppress(OSError):
                self.call("GET", "/healthz", token=None)
                return self
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.02)
        raise PatienceError(self.log.read_text())

    def end(self, number=signal.SIGTERM):
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(60)

    def call(self, method, path, body=None, *, token=CONTROL, headers=()):
        headers = dict(headers) | ({"authorization": f"Bearer {token}"} if token else {})
        began = time.monotonic()
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=40)) as connection:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            given = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, given, response.read(), time.monotonic() - began)

    def put(self, raw, **options):
        return self.call("PUT", "/v1/policy", raw, **options)

    def get(self, path, **options):
        return self.call("GET", path, **options)

    def post(self, path, value, **options):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.call("POST", path, body, **({"token": AGENT} | options))
