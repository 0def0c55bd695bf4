"""Callers whom no correction can reach go past the script; nobody else ever does."""

from __future__ import annotations

import dataclasses
import http.client
import json
from collections import Counter
from datetime import UTC, datetime
from itertools import count, product
from random import Random

import pytest
from msgspec.structs import replace

from enforcement import policy
from enforcement.agent import files
from enforcement.asking import as_sent, request_body
from enforcement.decide import Attributes, Rules
from enforcement.envoy import identity, lists, render, unreached
from enforcement.envoy.gateway import Client
from tests.enforcement import wide
from tests.enforcement.bare import SOMEBODY, Bare
from tests.enforcement.generated import APPLICATIONS, KEYS, MODELS, ORGANISATIONS, USERS
from tests.enforcement.servers import Servers
from tests.enforcement.world import KEY, Reply, correction
from tests.patience import wait_for

EVERYTHING = {"tools": ("shell",), "features": policy.FEATURES, "body_bytes": 9_000_000, "stream": True}


def make_clients(number=24):
    rng = Random(7)  # noqa: S311 - the same callers at each run
    return tuple(
        Client(
            key=f"sk-client-{place}",
            key_id=rng.choice(KEYS),
            user=rng.choice(USERS),
            organisation=rng.choice(ORGANISATIONS),
            application=rng.choice(APPLICATIONS),
            use_case=rng.choice(("", *wide.USES)),
            region=rng.choice(("", *wide.REGIONS)),
            tier=rng.choice(("", *wide.TIERS)),
            platform=rng.choice(("", *wide.PLATFORMS)),
        )
        for place in range(number)
    )


CLIENTS = make_clients()
NUMBERS = count()
WHENEVER = {"starts_at": None, "expires_at": None, "grace_until": None}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with Servers() as servers:
        found = Bare(
            tmp_path_factory.mktemp("unreached"),
            MODELS,
            upstream=f"127.0.0.1:{servers.model_port}",
            streams="direct",
            clients=CLIENTS,
        )
        for raw in wide.ATTACHED.values():
            found.attach(raw)
        try:
            found.start()
            yield found
        finally:
            found.stop()


def attributes_of(client, **more):
    same = {name: getattr(client, name) for name in ("user", "organisation", "application", "use_case")}
    place = {name: getattr(client, name) for name in ("region", "tier", "platform")}
    return Attributes(**same, **place, key=client.key_id, **more)


def ask(gateway, client, attributes, path=None, method="POST", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", gateway.gateway.port, timeout=20)
    sent = {"authorization": f"Bearer {client.key}", "content-type": "application/json", **headers}
    try:
        path = path or policy.ENDPOINTS[attributes.endpoint]
        connection.request(method, path, body=request_body(attributes), headers=sent)
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, found, response.read())
    finally:
        connection.close()


def few(number):
    """Give a policy of which a part of the callers is free."""
    content, rng = wide.drawn(number)
    kept = tuple(item for item in content.corrections if not item.users.everyone)
    return policy.Content(corrections=kept[: rng.randint(0, 4)])


def free_in(content, gateway):
    written = lists.write(gateway.folder / lists.FOLDER, set(wide.ATTACHED) & named(content), gateway)
    return unreached.unreached(gateway.gateway, content, written)


def named(content):
    return {each.attachment for item in content.corrections for each in item.users.lists}


def test_whoever_is_free_is_served_whatever_is_asked_and_whenever(gateway):
    met = set()
    for number in range(300):
        content = few(number) if number % 2 else wide.drawn(number)[0]
        free = free_in(content, gateway)
        met.add("none" if not free else "all" if len(free) == len(set(CLIENTS)) else "some")
        always = tuple(replace(item, **WHENEVER) for item in content.corrections)
        rules = Rules(policy.Content(corrections=always), wide.Attachments())
        for client, endpoint, model in product(free, policy.ENDPOINTS, MODELS):
            asked = attributes_of(client, endpoint=endpoint, model=model, **EVERYTHING)
            verdict = rules.decide(asked, now=datetime.now(UTC))
            assert verdict == Rules(policy.Content()).decide(asked, now=datetime.now(UTC)), (number, client)
    assert met == {"none", "some", "all"}


@pytest.mark.timeout(0)
def test_a_gateway_with_free_callers_gives_the_verdict_of_the_reference(gateway):
    met = set()
    for number in range(1, 120, 2):
        content = few(number)
        free, rng = free_in(content, gateway), Random(number)  # noqa: S311 - named by its number
        gateway.enforce(content)
        settle(gateway, content)
        rules = Rules(content, wide.Attachments())
        for client in rng.sample(CLIENTS, 8):
            _, like = wide.attributes(rng)
            asked = as_sent(attributes_of(client, endpoint=like.endpoint, model=like.model, tools=like.tools))
            verdict = rules.decide(asked, now=datetime.now(UTC))
            if verdict.by_filter or verdict.limits:
                continue
            reply = ask(gateway, client, asked)
            met.add((client in free, reply.status))
            assert reply.status == verdict.status, (number, client, reply.raw)
            assert reply.headers.get("x-irapp-correction") == verdict.correction
    assert {(True, 200), (False, 200), (False, 403)} <= met


def settle(gateway, content):
    """Wait until the key filter gives the marks of this policy, too."""
    wanted = next(file.version for file in gateway._files if file.filter == "identity")
    connection = http.client.HTTPConnection("127.0.0.1", gateway.gateway.admin_port, timeout=5)

    def given():
        connection.request("GET", "/stats?filter=irapp-identity.version_text")
        return wanted in connection.getresponse().read().decode()

    try:
        wait_for(given)
    finally:
        connection.close()


def blocked(client):
    return correction(1, policy.Block(), users=policy.Users(users=(client.user,)))


CHAT = {"endpoint": "chat.completions", "model": MODELS[0]}


def test_a_mark_of_another_set_of_callers_means_nothing(gateway):
    """Whichever file Envoy takes first, nobody goes past a policy that reaches them."""
    first = CLIENTS[0]
    other = next(client for client in CLIENTS if client.user != first.user)
    gateway.enforce(policy.Content(corrections=(blocked(other),)))
    settle(gateway, None)
    assert ask(gateway, first, attributes_of(first, **CHAT)).status == 200

    gateway.version += 1
    signed = policy.sign(
        policy.Content(corrections=(blocked(first),)), version=gateway.version, key=KEY, key_id="test"
    )
    for file in render.policy_files(gateway.gateway, signed, gateway):
        if file.filter != "identity":
            files.write(gateway.folder / file.name, file.data)
    wait_for(lambda: gateway._current(render.version_of(signed)))

    for _ in range(40):
        assert ask(gateway, first, attributes_of(first, **CHAT)).code == "access_restricted"
        assert ask(gateway, other, attributes_of(other, **CHAT)).status == 200


def test_a_worker_without_a_script_serves_nobody_but_whom_nothing_reaches(gateway):
    """Envoy lets requests pass where a worker could not load the script: for want of file handles, say."""
    first = CLIENTS[0]
    other = next(client for client in CLIENTS if client.user != first.user)
    gateway.enforce(policy.Content(corrections=(blocked(first),)))
    settle(gateway, None)
    path = gateway.folder / "corrections.json"
    config = json.loads(path.read_bytes())
    script = config["resources"][0]["typed_config"]["extension_config"]["typed_config"]["default_source_code"]
    script["inline_string"] = "local nothing = true"
    config["version_info"] = "broken"
    files.write(path, json.dumps(config).encode())
    wait_for(lambda: ask(gateway, first, attributes_of(first, **CHAT)).code != "access_restricted")

    for client in (first, other):
        answers = {ask(gateway, client, attributes_of(client, **CHAT)).status for _ in range(30)}
        assert answers == ({503} if client is first else {200})
    assert ask(gateway, first, attributes_of(first, **CHAT)).code == "gateway_error"
    assert gateway.ask(SOMEBODY).status == 503


def test_nobody_can_mark_themselves(gateway):
    first = CLIENTS[0]
    gateway.enforce(policy.Content(corrections=(blocked(first),)))
    free = free_in(policy.Content(corrections=(blocked(first),)), gateway)
    mark = f"{unreached.tag(free)};{first.line}"

    for headers in ({"x-irapp-client": mark}, {"X-Irapp-Client": mark}, {"x-irapp-route": "free"}):
        assert free
        assert ask(gateway, first, attributes_of(first, **CHAT), **headers).code == "access_restricted"


def test_what_the_mark_does_not_tell_goes_by_the_script(gateway):
    gateway.enforce(policy.Content())
    settle(gateway, None)
    client = CLIENTS[0]
    asked = attributes_of(client, **CHAT)

    assert ask(gateway, client, asked).status == 200
    for _ in range(20):
        assert ask(gateway, client, asked, path="/v1/chat/completions?a=1").status == 200
        assert ask(gateway, client, asked, path="/v1/files").code == "not_found"
        assert ask(gateway, client, asked, path="/v1/chat/completions/").code == "not_found"
        assert ask(gateway, client, asked, method="PUT").code == "not_found"
        assert ask(gateway, client, asked, **{"irapp-use-case": "unheard-of"}).code == "invalid_request"
        assert ask(gateway, client, asked, **{"irapp-use-case": b"\xff"}).code == "invalid_request"


def test_a_gateway_whose_bodies_are_all_read_marks_nobody(bare):
    bare.enforce(policy.Content())

    marks = {each["client"].split(";")[0] for each in identities(bare)}

    assert marks <= {unreached.UNMARKED, identity.PROBE}


def identities(gateway):
    raw = (gateway.folder / "identity.json").read_bytes()
    return json.loads(raw)["resources"][0]["typed_config"]["credentials"]


def test_with_very_many_clients_nobody_is_marked(gateway, monkeypatch):
    monkeypatch.setattr(unreached, "CLIENTS_MOST", len(CLIENTS) - 1)

    assert unreached.unreached(gateway.gateway, policy.Content(), {}) == frozenset()


def test_a_list_is_looked_up_as_the_script_does():
    names = [f"user-{place}" for place in range(1000)] + ["zoë"]
    table = lists.Table(lists.table(policy.subject_list(names)))

    assert all(name in table for name in names)
    assert not any(name in table for name in ("user-1000", "user", "", "zoe", "ser-1"))


def noted(gateway, client, times, status=200, **more):
    """Let a client ask; give what was noted of that, by weight."""
    begin = written(gateway)
    for _ in range(times):
        assert ask(gateway, client, attributes_of(client, **CHAT, **more)).status == status
    end = written(gateway)
    lines = (gateway.folder / "access.log").read_bytes()[begin:end].splitlines()
    requests = [json.loads(line.replace(b'"dry":-', b'"dry":null'))["request"] for line in lines]
    return Counter(each.get("weight", 1) for each in requests if each["key"] == client.key_id)


def written(gateway):
    """Wait until all that was noted is written down: a probe always is, and lines keep their order."""
    name = f"mark-{next(NUMBERS)}"
    gateway.ask(dataclasses.replace(SOMEBODY, user=name))
    log = gateway.folder / "access.log"
    wait_for(lambda: log.exists() and name.encode() in log.read_bytes(), told="the log")
    raw = log.read_bytes()
    return raw.index(b"\n", raw.index(name.encode())) + 1


def test_of_a_busy_caller_whom_a_correction_can_reach_everything_is_noted_that_came_of_one(
    gateway, monkeypatch
):
    quiet, busy = CLIENTS[0], next(each for each in CLIENTS if each.key_id != CLIENTS[0].key_id)
    monkeypatch.setattr(gateway, "gateway", replace(gateway.gateway, busy=frozenset((busy.key_id,))))
    dry = correction(2, policy.ToolsOff(tools=("browser",)), mode="shadow")
    gateway.enforce(policy.Content(corrections=(correction(1, policy.ToolsOff(tools=("shell",))), dry)))
    settle(gateway, None)

    assert noted(gateway, quiet, 50) == {1: 50}
    assert noted(gateway, busy, 50, status=403, tools=("shell",)) == {1: 50}
    assert noted(gateway, busy, 50, tools=("browser",)) == {1: 50}
    of_busy = noted(gateway, busy, 800)
    assert set(of_busy) == {unreached.SAMPLE}
    assert 50 <= of_busy[unreached.SAMPLE] <= 160


def test_of_a_busy_caller_less_is_noted_and_it_stands_for_more(gateway, monkeypatch):
    quiet, busy = CLIENTS[0], next(each for each in CLIENTS if each.key_id != CLIENTS[0].key_id)
    monkeypatch.setattr(gateway, "gateway", replace(gateway.gateway, busy=frozenset((busy.key_id,))))
    gateway.enforce(policy.Content())
    settle(gateway, None)

    of_quiet, of_busy = noted(gateway, quiet, 400), noted(gateway, busy, 3000)

    assert set(of_quiet) == {unreached.SAMPLE}
    assert 20 <= of_quiet[unreached.SAMPLE] <= 90
    assert set(of_busy) == {unreached.BUSY_SAMPLE}
    assert 1 <= of_busy[unreached.BUSY_SAMPLE] <= 40


def test_a_busy_caller_is_refused_like_any_other(gateway, monkeypatch):
    first = CLIENTS[0]
    monkeypatch.setattr(gateway, "gateway", replace(gateway.gateway, busy=frozenset((first.key_id,))))
    gateway.enforce(policy.Content())
    settle(gateway, None)
    assert ask(gateway, first, attributes_of(first, **CHAT)).status == 200

    gateway.enforce(policy.Content(corrections=(blocked(first),)))

    assert {ask(gateway, first, attributes_of(first, **CHAT)).status for _ in range(300)} == {403}
