"""Matches never depend on where a text was cut, and no more is held back than could still match."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from enforcement.patterns import SyntaxProblemError, hits, merged
from tests.enforcement.patterns.making import LITERALS, REGEXES, TEXTS, cut, made, read


def compile_or_skip(literals, regexes):
    try:
        return made(*literals, regexes=tuple(regexes))
    except SyntaxProblemError:
        assume(False)


@given(
    st.lists(LITERALS, min_size=1, max_size=4),
    st.lists(REGEXES, max_size=3, unique=True),
    TEXTS,
    st.lists(st.integers(0, 14), max_size=14),
)
@settings(max_examples=600, deadline=None)
def test_the_same_is_found_wherever_a_text_is_cut(literals, regexes, text, places):
    found = compile_or_skip(literals, regexes)

    whole, covered, _ = read(found, [text])
    in_pieces, covered_in_pieces, _ = read(found, cut(text, *places))

    assert (in_pieces, covered_in_pieces) == (whole, covered)


@given(
    st.lists(LITERALS, min_size=1, max_size=4),
    st.lists(REGEXES, max_size=3, unique=True),
    TEXTS,
)
@settings(max_examples=400, deadline=None)
def test_no_match_begins_in_what_was_let_go_before_it_was_found(literals, regexes, text):
    found = compile_or_skip(literals, regexes)
    every = hits(found, text)

    for place in range(len(text) + 1):
        _, covered, safe = read(found, cut(text, place))
        early = [hit for hit in every if hit.start < safe[0] < hit.end]
        assert all(set(range(hit.start, hit.end)) <= covered for hit in early)


@pytest.mark.parametrize("literal", ["secret word", "aab", "aaaa", "abcabd"])
def test_exactly_the_longest_end_that_begins_a_term_is_held(literal):
    found = made(literal, "word up")
    for text in map("".join, itertools.product(sorted(set(literal + "w")), repeat=4)):
        _, _, (safe, _) = read(found, [text, ""])
        begun = [n for n in range(len(text) + 1) if any(t.startswith(text[n:]) for t in (literal, "word up"))]
        assert safe == begun[0] or (text[begun[0] - 1 : begun[0]] == " "), text


@pytest.mark.parametrize(
    ("regex", "language"),
    [
        ("[ab]{2,3}c", ["".join(x) + "c" for n in (2, 3) for x in itertools.product("ab", repeat=n)]),
        ("a(?:b|cc)?d", ["ad", "abd", "accd"]),
        ("(?:ab){1,3}", ["ab", "abab", "ababab"]),
        ("a{0,2}b", ["b", "ab", "aab"]),
    ],
)
def test_exactly_the_longest_end_that_begins_a_regular_expression_is_held(regex, language):
    found = made("zzz", regexes=(regex,))
    for text in map("".join, itertools.product("abcdx", repeat=4)):
        _, _, (safe, _) = read(found, [text, ""])
        assert safe == min(n for n in range(5) if any(word.startswith(text[n:]) for word in language)), text


def test_a_letter_that_marks_could_turn_into_one_of_a_term_is_held():
    found = made("éa", regexes=("[ü]x",))

    assert read(found, ["xe", ""])[2][0] == 1
    assert read(found, ["xu", ""])[2][0] == 1
    assert read(found, ["xa", ""])[2][0] == 2
    assert read(found, ["xe", "\u0301a", ""])[1] == {1, 2, 3}
    assert read(found, ["xe", "a"])[0] == set()


def test_a_mark_behind_a_term_makes_it_another_word():
    found = made("cafe")

    assert read(found, ["cafe", "\u0301"])[0] == set()
    assert read(found, ["cafe", "\u200d", "\u0301"])[0] == set()
    assert read(found, ["cafe", " "])[0] == {0}
    assert read(found, ["caf", "e"])[0] == {0}


@pytest.mark.parametrize("regex", [r"\bbomb\b", r"\bbomb", r"bomb\b"])
def test_borders_of_words_count_every_script(regex):
    found = made("zzz", regexes=(regex,))
    for text in ("bomb", "a bomb", "bomb.", "(bomb)", "Bomb!"):
        for place in range(len(text)):
            assert read(found, cut(text, place))[0] == {1}, text
            assert read(found, [*cut(text, place, place + 1), ""])[0] == {1}, text
    before, after = regex.startswith(r"\b"), regex.endswith(r"\b")
    beside = {"ébomb": before, "bombe\u0301": after, "bombж": after, "xbomb": before}
    for text, border in beside.items():
        for place in range(len(text)):
            assert (read(found, cut(text, place))[0] == {1}) is not border, text


@pytest.mark.parametrize(
    "text",
    [
        "SECRET WORD",
        "secret\n\n\tword",
        "se\u00adcret\u200b word",
        "\uff53ecret w\u24derd".replace("\u24de", "\u24de"),
        "ſecret word",
        "secret\u00a0word",
        "\ufeffsecret \u2009 word",
        "s\u0000ecret word",
    ],
)
def test_disguises_are_seen_through_at_every_cut(text):
    found = made("secret word")
    for one, other in itertools.combinations_with_replacement(range(len(text) + 1), 2):
        assert read(found, cut(text, one, other))[0] == {0}


def test_escapes_of_json_are_seen_through_at_every_cut():
    found, text = made("bomb 😀"), r'{"a": "the \u0042\u006fmb\n\ud83d\ude00 \\"}'
    for one, other in itertools.combinations_with_replacement(range(len(text) + 1), 2):
        patterns, covered, _ = read(found, cut(text, one, other), escaped=True)
        assert patterns == {0}
        assert (min(covered), max(covered)) == (text.index("\\u0042"), text.index(" \\\\") - 1)


def test_a_text_of_ten_million_characters_takes_a_moment():
    found = made(*[f"term number {n}" for n in range(1000)])

    assert hits(found, "щука и рак, " * 300_000) == []


def test_places_that_touch_are_one():
    assert merged([(3, 5), (0, 1), (4, 8), (8, 9), (11, 12)]) == [(0, 1), (3, 9), (11, 12)]
