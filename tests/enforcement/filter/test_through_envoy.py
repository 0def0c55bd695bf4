"""The filter where it belongs: behind a real Envoy, before a slow model."""

from __future__ import annotations

import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from enforcement import policy
from enforcement.agent import files
from enforcement.envoy.gateway import Client, Model
from tests.enforcement.bare import Bare
from tests.enforcement.filter.making import chat, events_of, said
from tests.enforcement.patterns.making import pattern_set
from tests.enforcement.world import Reply, correction
from tests.patience import in_time

TERM = chat("word ").split(b"\n\n")[1].decode() + "\n\n"
READERS = ThreadPoolExecutor(130)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, upstream):
    found = Bare(tmp_path_factory.mktemp("envoy"), ("large", "small"))
    models = {name: Model(upstream=f"127.0.0.1:{upstream.port}") for name in ("large", "small")}
    client = Client(key="sk-alice-secret", key_id="k", user="zoë", organisation="o", application="a")
    found.gateway = msgspec.structs.replace(found.gateway, models=models, clients=(client,))
    try:
        found.start()
        yield found
    finally:
        found.stop()


def attach(gateway, *texts):
    raw = policy.canonical(pattern_set(*texts))
    (gateway.folder / "attachments").mkdir(exist_ok=True)
    files.write(gateway.folder / "attachments" / policy.address(raw).removeprefix("sha256:"), raw)
    return policy.PatternsRef(attachment=policy.address(raw), name="tests", version=1)


def opened(gateway, body, path="/v1/chat/completions"):
    connection = http.client.HTTPConnection("127.0.0.1", gateway.gateway.port, timeout=20)
    headers = {"authorization": "Bearer sk-alice-secret", "content-type": "application/json"}
    raw = json.dumps({"model": "large", "messages": [{"role": "user", "content": "-"}], **body})
    connection.request("POST", path, body=raw, headers=headers)
    return connection, connection.getresponse()


def ask(gateway, body):
    connection, response = opened(gateway, body)
    reply = Reply(
        response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    )
    response.close()
    connection.close()
    return reply


def start(gateway, model):
    body = {"model": model, "stream": True, "metadata": {"events": [TERM], "then": "silence"}}
    connection, response = opened(gateway, body)
    assert response.status == 200
    first = response.read1()

    def read():
        raw = first
        while piece := response.read1():
            raw += piece
        response.close()
        connection.close()
        return raw, time.monotonic()

    return READERS.submit(read)


def test_a_phrase_never_comes_out_wherever_the_model_cuts_it(gateway):
    where = policy.Functionality(models=("large",))
    effect = policy.OutputFilter(patterns=attach(gateway, "red mercury"))
    gateway.enforce(policy.Content(corrections=(correction(1, effect, functionality=where),)))
    for place in range(len("red mercury") + 1):
        raw = chat("so ", "red mercury"[:place], "red mercury"[place:], " more")
        wish = {"stream": True, "metadata": {"events": [raw[:90].decode(), raw[90:].decode()]}}

        dirty, clean = ask(gateway, wish), ask(gateway, {**wish, "model": "small"})

        assert said(dirty.raw)["content"] in ("so ", "so")
        assert events_of(dirty.raw)[-1]["choices"][0]["finish_reason"] == "content_filter"
        assert clean.raw == raw


def test_a_hundred_streams_end_within_two_seconds_and_the_others_run_on(gateway, upstream):
    gateway.enforce(policy.Content())
    upstream.broken = 0
    inside = [start(gateway, "large") for _ in range(100)]
    beside = [start(gateway, "small") for _ in range(10)]
    began = time.monotonic()
    gateway.enforce(
        policy.Content(
            corrections=(correction(1, policy.Halt(), functionality=policy.Functionality(models=("large",))),)
        )
    )
    ends = [stream.result(30) for stream in inside]

    in_time(max(at for _, at in ends) - began, 2, told="the end of a hundred streams")
    assert all(events_of(raw)[-1]["error"]["code"] == "inference_halted" for raw, _ in ends)
    assert not any(stream.done() for stream in beside)
    assert ask(gateway, {}).code == "inference_halted"
    gateway.enforce(
        policy.Content(
            corrections=(correction(1, policy.Halt(), functionality=policy.Functionality(models=("small",))),)
        )
    )
    assert all(events_of(stream.result(30)[0])[-1]["error"] for stream in beside)


def test_a_name_in_any_script_is_the_same_to_the_filter(gateway):
    users = policy.Users(users=("zoë",))
    gateway.enforce(policy.Content(corrections=(correction(1, policy.TurnLimit(turns=1), users=users),)))
    twice = [{"role": "user", "content": "-"}] * 2

    assert ask(gateway, {"messages": twice}).code == "turns_limited"
    assert ask(gateway, {}).status == 200
