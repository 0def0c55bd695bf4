"""The content filter as a process."""

from __future__ import annotations

import http.client
import json

import pytest

from enforcement import policy
from tests.enforcement.bare import SECRET
from tests.enforcement.world import correction

IDENTITY = {
    "x-irapp-user": "alice",
    "x-irapp-organisation": "acme",
    "x-irapp-key": "key-1",
    "x-irapp-application": "app",
    "x-irapp-use-case": "research",
    "x-irapp-endpoint": "chat.completions",
}


@pytest.fixture
def ask(bare):
    def send(body, headers):
        connection = http.client.HTTPConnection("127.0.0.1", bare.filter_port, timeout=10)
        connection.request("POST", "/v1/chat/completions", body=body, headers=headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
        connection.close()
        return response.status, answer

    return send


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET + "x"])
def test_only_envoy_may_call_it(ask, secret):
    headers = {**IDENTITY, **({} if secret is None else {"x-irapp-secret": secret})}

    status, answer = ask(b'{"model":"aurora-large"}', headers)

    assert (status, answer["error"]["code"]) == (403, "not_allowed")


def test_it_refuses_by_itself_what_the_policy_refuses(bare, ask):
    bare.enforce(
        policy.Content(corrections=(correction(1, policy.Block(), users=policy.Users(users=("alice",))),))
    )

    status, answer = ask(b'{"model":"aurora-large"}', {**IDENTITY, "x-irapp-secret": SECRET})

    assert (status, answer["error"]["correction"]) == (403, "COR-0001.1")


@pytest.mark.parametrize("raw", [b"{", b'{"model":"a","model":"b"}', b'{"model":1}', b'{"a":1}'])
def test_a_body_that_is_no_request_is_refused(ask, raw):
    assert ask(raw, {**IDENTITY, "x-irapp-user": "bob", "x-irapp-secret": SECRET})[0] == 400


def test_a_model_that_does_not_answer_is_a_clear_503(bare, ask):
    bare.enforce(policy.Content(corrections=(correction(1, policy.OutputCap(max_tokens=1)),)))

    status, answer = ask(b'{"model":"aurora-large"}', {**IDENTITY, "x-irapp-secret": SECRET})

    assert (status, answer["error"]["code"]) == (503, "upstream_unavailable")
