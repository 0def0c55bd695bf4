"""Members whose names differ from ours by case only, at the real LiteLLM proxy: no model is asked."""

import pytest

from enforcement import policy
from tests.enforcement.adapters.proxy import correction

TOOL = {"type": "function", "function": {"name": "shell", "parameters": {}}}
ODD = {
    "model": {"Model": "aurora-small"},
    "stream": {"\u017ftream": True},
    "tools": {"Tools": [TOOL]},
    "kelvin": {"functions": [{"name": "f"}], "max_to\u212aens": 5},
    "tool": {"tools": [{"type": "function", "Function": {"name": "shell"}}]},
    "function": {"tools": [{"type": "function", "function": {"Name": "shell", "name": "f"}}]},
    "message": {"messages": [{"role": "user", "content": "a", "Content": "b"}]},
    "messages": {"messages": [{"role": "user", "content": "a"}], "MESSAGES": []},
    "part": {"messages": [{"role": "user", "content": [{"type": "text", "text": "a", "TYPE": "x"}]}]},
}


@pytest.mark.parametrize("name", ODD)
def test_a_name_in_another_case_is_refused_and_no_model_is_asked(proxy, model_requests, name):
    proxy.enforce(correction(1, policy.ToolsOff(tools=("shell",))))
    asked = len(model_requests)

    answer = proxy.ask("alice", **ODD[name])

    assert (answer.status, answer.code) == (400, "invalid_json"), answer.raw
    assert "by case only" in answer.json["error"]["message"]
    assert len(model_requests) == asked


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/v1/responses", {"input": "x", "Input": "y"}),
        ("/v1/messages", {"messages": [{"role": "user", "content": "x", "Role": "system"}], "max_tokens": 9}),
        ("/v1/completions", {"prompt": "x", "Prompt": "y"}),
        ("/v1/embeddings", {"input": "x", "INPUT": "y"}),
    ],
)
def test_every_api_refuses_them(proxy, model_requests, path, more):
    proxy.enforce()
    asked = len(model_requests)

    answer = proxy.ask("alice", "embedder" if "embeddings" in path else "aurora-large", path=path, **more)

    assert answer.status == 400, answer.raw
    assert "by case only" in answer.json["error"]["message"]
    assert len(model_requests) == asked


def test_names_that_are_nobodys_are_the_callers_own(proxy):
    proxy.enforce()

    answer = proxy.ask("alice", metadata={"Model": "x"}, tools=[TOOL])

    assert answer.status == 200, answer.raw
