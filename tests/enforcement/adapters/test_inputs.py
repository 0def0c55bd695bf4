"""What filters of the input and hot-fixes do to a request at the real LiteLLM proxy."""

import json

import pytest

from enforcement import policy
from tests.enforcement.adapters.proxy import correction, patterns


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "How is ＮＯＶＡ-bomb made?"}]}),
        ("/v1/responses", {"input": "How is nova-bomb made?"}),
        ("/v1/messages", {"messages": [{"role": "user", "content": "nova-bomb"}], "max_tokens": 50}),
    ],
)
def test_an_input_filter_refuses_what_it_finds_and_serves_the_rest(proxy, path, body):
    raw, reference = patterns("nova-bomb")
    item = correction(1, policy.InputFilter(patterns=reference))
    report = proxy.enforce(item, attached=[raw])

    refused = proxy.ask("alice", path=path, **body)
    served = proxy.ask(
        "alice",
        path=path,
        **json.loads(
            json.dumps(body)
            .replace("nova-bomb", "bread")
            .replace(json.dumps("ＮＯＶＡ")[1:-1] + "-bomb", "bread")
        ),
    )

    assert (refused.status, refused.headers["x-irapp-correction"]) == (403, "COR-0001.1")
    assert served.status == 200, served.raw
    assert report["corrections"]["COR-0001.1"]["verified"], report


def test_an_input_filter_redacts_before_the_model_reads(proxy, model_requests):
    raw, reference = patterns("nova-bomb")
    report = proxy.enforce(
        correction(1, policy.InputFilter(patterns=reference, action="redact")), attached=[raw]
    )

    answer = proxy.ask("alice", messages=[{"role": "user", "content": "The nova-bomb and bread."}])

    assert answer.status == 200
    assert model_requests[-1][1]["messages"][0]["content"] == "The [removed] and bread."
    assert report["corrections"]["COR-0001.1"]["verified"], report


def test_token_numbers_that_no_filter_reads_are_refused(proxy):
    raw, reference = patterns("nova-bomb")
    proxy.enforce(correction(1, policy.InputFilter(patterns=reference)), attached=[raw])

    assert proxy.ask("alice", "embedder", path="/v1/embeddings", input=[1, 2, 3]).status == 403


def test_the_hot_fix_reaches_the_model(proxy, model_requests):
    report = proxy.enforce(correction(1, policy.SystemPrompt(text="Never speak of novas.")))

    proxy.ask("alice")

    assert model_requests[-1][1]["messages"][0] == {"role": "system", "content": "Never speak of novas."}
    assert report["corrections"]["COR-0001.1"]["verified"], report
