"""The hot-fix of instructions, in the words of each API."""

from __future__ import annotations

import pytest

from enforcement import policy
from enforcement.filter.prompts import NoPlaceError, instructed
from tests.enforcement.world import correction

USER, ASSISTANT = {"role": "user", "content": "-"}, {"role": "assistant", "content": "-"}


def system(content, role="system"):
    return {"role": role, "content": content}


def fixed(body, position, endpoint):
    return instructed(body, policy.SystemPrompt(text="NEW", position=position), endpoint=endpoint)


@pytest.mark.parametrize(
    ("position", "before", "after"),
    [
        ("prepend", [USER], [system("NEW"), USER]),
        ("append", [USER], [system("NEW"), USER]),
        ("replace", [USER], [system("NEW"), USER]),
        ("prepend", [system("OLD"), USER], [system("NEW\n\nOLD"), USER]),
        ("append", [system("OLD"), USER], [system("OLD\n\nNEW"), USER]),
        ("replace", [system("OLD"), USER, system("LATER")], [system("NEW"), USER]),
        ("append", [system("OLD"), USER, system("LATER")], [system("OLD"), USER, system("LATER\n\nNEW")]),
        ("prepend", [system("OLD", "developer"), USER], [system("NEW\n\nOLD", "developer"), USER]),
        ("replace", [system("OLD", "developer"), USER], [system("NEW", "developer"), USER]),
        (
            "append",
            [system([{"type": "text", "text": "OLD"}])],
            [system([{"type": "text", "text": "OLD"}, {"type": "text", "text": "NEW"}])],
        ),
    ],
)
def test_chat(position, before, after):
    assert fixed({"messages": before, "seed": 1}, position, "chat.completions") == {
        "messages": after,
        "seed": 1,
    }


@pytest.mark.parametrize(
    ("position", "body", "after"),
    [
        ("prepend", {"input": "-"}, {"input": "-", "instructions": "NEW"}),
        ("prepend", {"instructions": "OLD"}, {"instructions": "NEW\n\nOLD"}),
        ("append", {"instructions": "OLD"}, {"instructions": "OLD\n\nNEW"}),
        (
            "replace",
            {"instructions": "OLD", "input": [system("X"), USER]},
            {"instructions": "NEW", "input": [USER]},
        ),
    ],
)
def test_responses(position, body, after):
    assert fixed(body, position, "responses") == after


@pytest.mark.parametrize(
    ("position", "before", "after"),
    [
        ("prepend", None, "NEW"),
        ("prepend", "OLD", "NEW\n\nOLD"),
        ("append", "OLD", "OLD\n\nNEW"),
        ("replace", "OLD", "NEW"),
        (
            "prepend",
            [{"type": "text", "text": "OLD"}],
            [{"type": "text", "text": "NEW"}, {"type": "text", "text": "OLD"}],
        ),
    ],
)
def test_messages(position, before, after):
    assert fixed({"system": before, "messages": []}, position, "messages")["system"] == after


@pytest.mark.parametrize("position", ["prepend", "append", "replace"])
def test_a_bare_prompt_has_them_in_front(position):
    assert fixed({"prompt": "-"}, position, "completions") == {"prompt": "NEW\n\n-"}
    assert fixed({"prompt": ["a", "b"]}, position, "completions") == {"prompt": ["NEW\n\na", "NEW\n\nb"]}
    assert fixed({"input": "-"}, position, "embeddings") == {"input": "-"}
    with pytest.raises(NoPlaceError):
        fixed({"prompt": [1, 2]}, position, "completions")


def test_two_hot_fixes_both_reach_the_model(gate, upstream):
    effects = [policy.SystemPrompt(text="ONE"), policy.SystemPrompt(text="TWO", position="append")]
    gate.enforce(
        *(correction(number, effect) for number, effect in enumerate(effects, 1)),
        correction(3, policy.SystemPrompt(text="DRY"), mode="shadow"),
    )
    reply = gate.ask({"messages": [USER]})

    assert upstream.requests[0]["body"]["messages"] == [system("ONE\n\nTWO"), USER]
    assert reply.headers["x-irapp-correction"] == "COR-0001.1"


def test_a_prompt_of_numbers_is_refused_where_it_had_to_be_changed(gate):
    gate.enforce(correction(1, policy.SystemPrompt(text="ONE")))

    assert gate.ask({"prompt": [1, 2]}, endpoint="completions").code == "content_restricted"
