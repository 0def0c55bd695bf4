"""A real LiteLLM proxy with the callback, before the demo model, and with a real hub."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import time
from base64 import b64encode
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from deploy.demo import model
from deploy.embedded import ports
from enforcement import policy
from tests.enforcement.adapters import echo
from tests.enforcement.hub_process import AGENT, DIGEST, KEY

ROOT = Path(__file__).resolve().parents[3]
LITELLM = ROOT / ".venv-litellm" / "bin" / "litellm"
MASTER = "sk-6f1d8a2b90c4e7f35a1b2c3d4e5f60718293a4b5c6d7e8f9"
AUTH = """
from litellm.proxy._types import UserAPIKeyAuth

async def check(request, api_key):
    if not api_key.startswith("sk-"):
        raise ValueError("no such key")
    stated = {"organisation": "acme", "use_cases": ["research"], "tier": "gold"}
    return UserAPIKeyAuth(api_key=api_key, user_id=api_key[3:], metadata={"irapp": stated})
"""
CONFIG = """
model_list:
  - {{model_name: aurora-large, litellm_params: {{model: openai/aurora-large, {there}}}}}
  - {{model_name: aurora-small, litellm_params: {{model: openai/aurora-small, {there}}}}}
  - {{model_name: writer, litellm_params: {{model: text-completion-openai/aurora-large, {there}}}}}
  - {{model_name: echo, litellm_params: {{model: openai/echo, {there}}}}}
  - {{model_name: echo-text, litellm_params: {{model: text-completion-openai/echo, {there}}}}}
  - {{model_name: echo-messages, litellm_params: {{model: anthropic/echo, api_key: x, api_base: "{plain}"}}}}
  - {{model_name: embedder, litellm_params: {{model: openai/aurora-small, {there}}}}}
  - {{model_name: broken, litellm_params: {{model: openai/aurora-small, api_key: x, api_base: "http://127.0.0.1:1"}}}}
  - {{model_name: mocked, litellm_params: {{model: openai/mocked, api_key: x, mock_response: "{mocked}"}}}}
router_settings:
  model_group_alias: {{"nickname": "aurora-large"}}
  fallbacks: [{{"broken": ["aurora-large"]}}]
  num_retries: {retries}
litellm_settings:
  callbacks: {callbacks}
general_settings:
  master_key: {master}
  custom_auth: auth.check
"""
MOCKED = "One two three four five six seven."


def correction(number, effect, **more):
    return policy.Correction(id=f"COR-{number:04}.1", effect=effect, approval_digest=DIGEST, **more)


def patterns(*texts):
    """Give a set of literal patterns, and the reference to it."""
    found = tuple(policy.Pattern(id=f"p{number}", text=text) for number, text in enumerate(texts))
    raw = policy.canonical(policy.PatternSet(name="words", version=1, patterns=found))
    return raw, policy.PatternsRef(attachment=policy.address(raw), name="words", version=1)


def signed(version, *corrections):
    content = policy.Content(corrections=tuple(sorted(corrections, key=lambda each: each.id)))
    return policy.encode(policy.sign(content, version=version, key=KEY, key_id="test"))


def recorded(requests):
    """Give the demo model, keeping what it is asked."""

    @web.middleware
    async def keep(request, handler):
        if request.method != "POST":
            return await handler(request)
        body = json.loads(await request.read())
        requests.append((request.path, body))
        return await (echo.answered(request, body) if body["model"] == "echo" else handler(request))

    application = model.application(pause=0.05)
    application.middlewares.insert(0, keep)
    return application


@dataclass
class Answer:
    status: int
    headers: dict
    raw: bytes

    @property
    def json(self):
        return json.loads(self.raw)

    @property
    def code(self):
        return self.json["error"]["code"]

    @property
    def events(self):
        lines = [line[6:] for line in self.raw.decode().splitlines() if line.startswith("data: ")]
        return [json.loads(line) for line in lines if line != "[DONE]"]


@dataclass
class Proxy:
    folder: Path
    upstream: str
    hub: object = None
    port: int = field(default_factory=ports.free)
    callbacks: str = "enforcement.adapters.litellm.callback.door"
    version: int = 0
    more: dict = field(default_factory=dict)
    """Settings besides the usual."""
    retries: int = 0

    def __post_init__(self):
        self.folder.mkdir(exist_ok=True)
        there = f'api_key: x, api_base: "{self.upstream}/v1"'
        named = {"callbacks": self.callbacks, "mocked": MOCKED, "plain": self.upstream}
        config = CONFIG.format(there=there, master=MASTER, retries=self.retries, **named)
        (self.folder / "config.yaml").write_text(config)
        (self.folder / "auth.py").write_text(AUTH)
        (self.folder / "token").write_text(AGENT)
        self.state, self.log, self.process = self.folder / "state", self.folder / "litellm.log", None

    def trust(self, name, public):
        """Trust a key without any hub."""
        (self.folder / "keys.json").write_text(json.dumps({name: b64encode(public).decode()}))

    def environment(self):
        hub = f"http://127.0.0.1:{self.hub.port}" if self.hub else "http://127.0.0.1:1"
        keys = self.hub.folder / "keys.json" if self.hub else self.folder / "keys.json"
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "PYTHONPATH": str(ROOT),
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_TELEMETRY": "False",
            "IRAPP_STATE_DIR": str(self.state),
            "IRAPP_GATEWAY": "gateway-1",
            "IRAPP_HUB_URLS": hub,
            "IRAPP_TOKEN_FILE": str(self.folder / "token"),
            "IRAPP_KEYS_FILE": str(keys),
            **self.more,
        }

    def start(self):
        command = [LITELLM, "--config", "config.yaml", "--host", "127.0.0.1", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, env=self.environment(), stdout=log, stderr=subprocess.STDOUT
            )
        until = time.monotonic() + 200
        while time.monotonic() < until:
            with suppress(OSError):
                self.call("GET", "/health/liveliness")
                return self
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            time.sleep(0.1)
        raise AssertionError(self.log.read_text()[-3000:])

    def end(self):
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def call(self, method, path, body=None, headers=None):
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            given = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, given, response.read())

    def ask(self, who, model_name="aurora-large", /, *, path="/v1/chat/completions", headers=None, **body):
        body = {"model": model_name, **(body or {"messages": [{"role": "user", "content": "Hello"}]})}
        if path == "/v1/chat/completions":
            body.setdefault("messages", [{"role": "user", "content": "Hello"}])
        sent = {"authorization": f"Bearer sk-{who}", "content-type": "application/json", **(headers or {})}
        return self.call("POST", path, json.dumps(body), sent)

    def enforce(self, *corrections, attached=()):
        """Publish a policy and wait until this door has acknowledged it; give its report."""
        self.version += 1
        for raw in attached:
            assert self.hub.call("PUT", f"/v1/attachments/{policy.address(raw)}", raw).status == 204
        answer = self.hub.put(signed(self.version, *corrections))
        assert answer.status == 200, answer.raw
        until = time.monotonic() + 20
        while time.monotonic() < until:
            found = self.report()
            if found and (found["policy"] or {}).get("version") == self.version:
                return found
            time.sleep(0.02)
        raise AssertionError(self.log.read_text()[-3000:])

    def report(self):
        return self.hub.get("/v1/status").json["gateways"].get("gateway-1")
