"""A content filter as a process, with the files that an agent would write for it."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from enforcement import policy
from enforcement.agent import files
from tests.enforcement.patterns.making import pattern_set
from tests.enforcement.world import KEY, ROOT, Reply, correction, free_port
from tests.patience import wait_for

SECRET = "secret-of-the-tests"
PATHS = policy.ENDPOINTS


class Gate:
    """One filter before one model; asked as Envoy asks."""

    def __init__(self, folder: Path, upstream_port: int) -> None:
        self.folder, self.port, self.version = folder, free_port(), 0
        (folder / "attachments").mkdir()
        models = {name: {"upstream": f"127.0.0.1:{upstream_port}"} for name in ("large", "small")}
        models["named"] = {"upstream": f"localhost:{upstream_port}"}
        classifiers = {
            "toxic": {
                "url": f"http://127.0.0.1:{upstream_port}/classify",
                "token_file": str(folder / "token"),
            }
        }
        for name, text in {
            "filter.secret": SECRET,
            "token": "tok",
            "models.json": json.dumps(models),
            "classifiers.json": json.dumps(classifiers),
        }.items():
            (folder / name).write_text(text)
        self.enforce()
        environment = {
            "PATH": os.environ["PATH"],
            "FILTER_PORT": str(self.port),
            "FILTER_POLICY_FILE": str(folder / "policy.json"),
            "FILTER_MODELS_FILE": str(folder / "models.json"),
            "FILTER_CLASSIFIERS_FILE": str(folder / "classifiers.json"),
        }
        with (folder / "filter.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "enforcement.filter"],
                env=environment,
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )
        wait_for(self._up)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)

    def _up(self) -> bool:
        try:
            return self.ask({"model": "nobody"}).status == 404
        except OSError:
            return False

    def attach(self, *texts: str, regexes: tuple[str, ...] = ()) -> policy.PatternsRef:
        raw = policy.canonical(pattern_set(*texts, regexes=regexes))
        address = policy.address(raw)
        files.write(self.folder / "attachments" / address.removeprefix("sha256:"), raw)
        return policy.PatternsRef(attachment=address, name="tests", version=1)

    def enforce(self, *corrections: policy.Correction) -> None:
        self.version += 1
        content = policy.Content(corrections=tuple(sorted(corrections, key=lambda item: item.id)))
        signed = policy.sign(content, version=self.version, key=KEY, key_id="test")
        files.write(self.folder / "policy.json", policy.encode(signed))

    def filter(
        self, kind: type, *texts: str, action: str = "block", number: int = 1, threshold: int = 1, **more: Any
    ):
        effect = kind(patterns=self.attach(*texts), action=action, threshold=threshold)
        return correction(number, effect, **more)

    def open(
        self, body: Any, *, endpoint: str = "chat.completions", **headers: str
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        sent = {
            "content-type": "application/json",
            "x-irapp-secret": SECRET,
            "x-irapp-endpoint": endpoint,
            **{
                f"x-irapp-{name}": "alice"
                for name in ("user", "organisation", "key", "application", "use-case")
            },
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        raw = body if isinstance(body, bytes) else json.dumps({"model": "large", **body}).encode()
        connection.request("POST", PATHS[endpoint], body=raw, headers=sent)
        return connection, connection.getresponse()

    def ask(self, body: Any, *, endpoint: str = "chat.completions", **headers: str) -> Reply:
        connection, response = self.open(body, endpoint=endpoint, **headers)
        with closing(connection), response:
            found = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, found, response.read())

    def said(self, text: str, **more: Any) -> Any:
        return {"messages": [{"role": "user", "content": text}], **more}

    def events(self) -> list[dict[str, Any]]:
        file = self.folder / "filter-events.log"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
