from datetime import UTC, datetime

import pytest

from corrections.panels.impact import percent
from corrections.panels.terms import changes, described
from corrections.panels.words import CLASS_OF, CLASSES, sentence, summary
from corrections.terms import Terms
from enforcement.policy import EFFECTS

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
LARGE = {"models": ["aurora-large"]}


def terms(kind, **said):
    return Terms(**{"kind": kind, "review_at": NOON, "exit_criteria": "Fixed."} | said)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            terms("block", users={"users": ["alice"]}, functionality=LARGE),
            "Refuses user alice on aurora-large, all endpoints",
        ),
        (
            terms("block", users={"users": ["a", "b"], "organisations": ["acme"]}),
            "Refuses users a and b and organisation acme on every model, all endpoints",
        ),
        (
            terms("request_limit", parameters={"requests": 5, "window_seconds": 60, "per": "key"}),
            "Limits everyone to 5 requests per minute for each key on every model, all endpoints",
        ),
        (
            terms("tools_off", parameters={"tools": ["a", "b"]}, users={"keys": ["k"]}),
            "Refuses requests that offer one of the tools a and b, from key k, on every model, all endpoints",
        ),
        (
            terms("tools_off", parameters={"tools": []}),
            "Refuses requests that offer any tool, from everyone, on every model, all endpoints",
        ),
        (
            terms("output_cap", parameters={"max_tokens": 256}),
            "Caps answers to everyone at 256 tokens on every model, all endpoints",
        ),
        (
            terms("forbid_use", functionality={"use_cases": ["medical"], "models": list("abcde")}),
            "Refuses requests from everyone on a, b, c and 2 more, use case medical only",
        ),
        (terms("suspend", functionality=LARGE), "Stops aurora-large for everyone, all endpoints"),
        (
            terms("reroute", functionality=LARGE, parameters={"fallback_model": "small"}, percentage=10),
            "Answers everyone with small instead of aurora-large, all endpoints, for 10 % of users",
        ),
        (
            terms("block", users={"users": ["alice"]}, mode="shadow"),
            "Dry run, nothing is refused: refuses user alice on every model, all endpoints",
        ),
    ],
)
def test_a_correction_is_told_in_a_few_words(said, words):
    assert summary(said) == words


@pytest.mark.parametrize(
    ("said", "ending"),
    [
        ({}, ", until it is lifted."),
        ({"starts_at": NOON}, ", from 2026-05-04 12:00 UTC, until it is lifted."),
        ({"expires_at": NOON}, ", until 2026-05-04 12:00 UTC, then held until somebody lifts it."),
        ({"expires_at": NOON, "at_expiry": "lift"}, ", until 2026-05-04 12:00 UTC, then lifts by itself."),
    ],
)
def test_the_sentence_says_until_when(said, ending):
    said = terms("block", users={"users": ["alice"]}, **said)

    assert sentence(said) == summary(said) + ending


def test_every_kind_belongs_to_the_class_that_the_policy_gives_it():
    assert {kind: words.code for kind, words in CLASS_OF.items()} == {
        kind: effect.correction_class for kind, effect in EFFECTS.items()
    }
    assert [words.code for words in CLASSES] == ["T1", "T2", "T3", "T4", "T5"]


def test_what_differs_stands_before_what_stays():
    before = terms("request_limit", parameters={"requests": 5, "window_seconds": 60, "per": "user"})
    after = terms("request_limit", parameters={"requests": 15, "window_seconds": 60, "per": "user"})

    rows = changes(before, after)

    assert [(row.label, row.old, row.new) for row in rows if row.changed] == [("Requests", "5", "15")]
    assert rows[0].label == "Requests"
    assert len(rows) == len(described(after))


@pytest.mark.parametrize(
    ("share", "words"), [(0, "0 %"), (0.0004, "less than 1 %"), (0.126, "13 %"), (1, "100 %")]
)
def test_a_small_share_is_never_shown_as_nothing(share, words):
    assert percent(share) == words
