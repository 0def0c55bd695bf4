"""The demo model, as the real ``openai`` client sees it."""

import json
from contextlib import closing

import openai
import pytest

from deploy.demo.model import application
from tests.deploy.serving import post, served

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Look up the weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"enum": ["celsius", "kelvin"]}},
            "required": ["city", "unit"],
        },
    },
}


@pytest.fixture(scope="module")
def url():
    with served(application()) as address:
        yield address


@pytest.fixture
def client(url):
    with closing(openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)) as client:
        yield client


def ask(client, content, **options):
    messages = [{"role": "user", "content": content}]
    return client.chat.completions.create(model="aurora-large", messages=messages, **options)


def test_an_answer_is_about_the_question_and_labelled_as_a_demo(client):
    answer = ask(client, "What about the weather?", seed=1)

    assert "weather" in answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.system_fingerprint == "irapp-demo"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_the_same_seed_gives_the_same_answer_and_another_one_another(client):
    texts = [ask(client, "Tell me a story", seed=seed).choices[0].message.content for seed in (1, 1, 2)]

    assert texts[0] == texts[1] != texts[2]


def test_the_two_models_write_differently(client):
    texts = {
        client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "A long story"}], seed=3
        )
        .choices[0]
        .message.content
        for model in ("aurora-large", "aurora-small")
    }

    assert len(texts) == 2


def test_an_answer_ends_at_max_tokens(client):
    answer = ask(client, "Write a long story", max_tokens=7)

    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 7


def test_an_answer_ends_before_a_stop_sequence(client):
    answer = ask(client, "Write a long story", stop=["."])

    assert "." not in answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"


def test_a_stream_says_the_same_as_the_whole_and_ends_with_the_usage(client):
    whole = ask(client, "How do I cook soup?", seed=5)
    chunks = list(
        ask(client, "How do I cook soup?", seed=5, stream=True, stream_options={"include_usage": True})
    )

    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert len(chunks) > 5
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage == whole.usage


def test_a_tool_is_called_when_the_prompt_asks_for_it(client):
    answer = ask(client, "What is the weather in Oslo?", tools=[WEATHER])

    [call] = answer.choices[0].message.tool_calls
    assert answer.choices[0].finish_reason == "tool_calls"
    assert (call.function.name, json.loads(call.function.arguments)) == (
        "get_weather",
        {"city": "Oslo", "unit": "celsius"},
    )


@pytest.mark.parametrize(
    ("prompt", "choice", "called"),
    [
        ("What is the weather in Oslo?", "none", False),
        ("Sing to me", "auto", False),
        ("Sing to me", "required", True),
        ("Sing to me", {"type": "function", "function": {"name": "get_weather"}}, True),
    ],
)
def test_a_tool_is_called_as_the_choice_says(client, prompt, choice, called):
    answer = ask(client, prompt, tools=[WEATHER], tool_choice=choice)

    assert bool(answer.choices[0].message.tool_calls) is called


def test_a_streamed_call_arrives_whole_and_a_result_is_answered_with_text(client):
    messages = [{"role": "user", "content": "What is the weather in Oslo?"}]
    with client.chat.completions.stream(model="aurora-large", messages=messages, tools=[WEATHER]) as stream:
        message = stream.get_final_completion().choices[0].message
    result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "The weather is mild."}
    answer = client.chat.completions.create(
        model="aurora-large", messages=[*messages, message.to_dict(), result], tools=[WEATHER]
    )

    assert message.tool_calls[0].function.name == "get_weather"
    assert answer.choices[0].message.content


def test_a_completion_goes_on_where_the_prompt_ends(client):
    answer = client.completions.create(
        model="aurora-large", prompt="Long ago there was a lighthouse at the", max_tokens=2, temperature=0
    )

    assert answer.choices[0].text == "end of"


def test_a_completion_streams_and_takes_several_prompts(client):
    chunks = list(client.completions.create(model="aurora-small", prompt=["soup", "rain"], stream=True))

    assert {chunk.choices[0].index for chunk in chunks} == {0, 1}


def test_a_response_streams_what_it_contains(client):
    with client.responses.stream(model="aurora-large", input="Tell me about the sea") as stream:
        deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
        response = stream.get_final_response()

    assert "".join(deltas) == response.output_text
    assert response.usage.output_tokens == len(deltas)


def test_a_response_that_is_cut_says_so(client):
    response = client.responses.create(model="aurora-large", input="A long story", max_output_tokens=4)

    assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")


def test_a_response_calls_a_tool(client):
    tool = {"type": "function", **WEATHER["function"], "strict": False}
    response = client.responses.create(model="aurora-large", input="The weather in Oslo?", tools=[tool])

    assert (response.output[0].type, response.output[0].name) == ("function_call", "get_weather")


def test_texts_with_the_same_words_have_near_embeddings(client):
    texts = ["rain in the valley", "in the valley: rain", "a recipe for bread"]
    first, near, far = (
        item.embedding for item in client.embeddings.create(model="aurora-small", input=texts).data
    )

    def product(one, other):
        return sum(a * b for a, b in zip(one, other, strict=True))

    assert product(first, first) == pytest.approx(1)
    assert product(first, near) > 0.8 > product(first, far)


def test_the_models_are_listed(client):
    assert [model.id for model in client.models.list()] == ["aurora-large", "aurora-small"]


def test_messages_answer_in_their_own_shape(url):
    body = {
        "model": "aurora-large",
        "max_tokens": 3,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "A long story"}]}],
    }
    _, answer = post(f"{url}/v1/messages", json.dumps(body).encode())

    assert answer["content"][0]["type"] == "text"
    assert (answer["stop_reason"], answer["usage"]["output_tokens"]) == ("max_tokens", 3)


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"max_tokens": 0}, "max_tokens"),
        ({"temperature": 7}, "temperature"),
        ({"messages": []}, "messages"),
        ({"stream": "yes"}, "stream"),
    ],
)
def test_a_bad_request_is_refused_by_field(client, options, param):
    messages = [{"role": "user", "content": "Hello"}]
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**{"model": "aurora-large", "messages": messages, **options})

    assert refused.value.param == param
    assert refused.value.type == "invalid_request_error"


def test_an_unknown_model_is_not_found(client):
    with pytest.raises(openai.NotFoundError) as refused:
        client.embeddings.create(model="gpt", input="Hello")

    assert refused.value.code == "model_not_found"


@pytest.mark.parametrize("body", [b"nope", b'{"a":' * 100_000, b'{"model": "aurora-large'])
def test_a_body_that_is_not_json_is_a_bad_request(url, body):
    status, answer = post(f"{url}/v1/chat/completions", body)

    assert (status, answer["error"]["code"]) == (400, "invalid_json")


def test_an_unknown_path_is_an_error_in_the_same_shape(client):
    with pytest.raises(openai.NotFoundError) as refused:
        client.get("/v1/nothing", cast_to=object)

    assert refused.value.type == "invalid_request_error"
