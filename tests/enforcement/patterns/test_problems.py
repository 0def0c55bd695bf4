"""What is said about a pattern before it is used, and trying a set out on a text."""

from __future__ import annotations

import pytest

from enforcement.patterns import SyntaxProblemError, compiled, matches, problem
from enforcement.policy import Pattern
from tests.enforcement.patterns.making import pattern_set


@pytest.mark.parametrize(
    ("regex", "why"),
    [
        ("a+", "+ has no bound"),
        ("a*b", "* has no bound"),
        ("a{2,}", "{2,} has no bound"),
        ("(a", "a ( without its )"),
        ("a)", "a ) without its ("),
        ("[a", "a [ without its ]"),
        ("a{2,1}", "{2,1} is no range"),
        ("^a", "^ has no place"),
        ("a$", "$ has no place"),
        (r"\d{501}", "longer than 500"),
        ("x?", "matches the empty text"),
        ("a|", "matches the empty text"),
        ("(?=a)b", "only plain groups"),
        (r"foo\bbar", r"\b is not known here"),
        (r"(a)\1", r"\1 is not known"),
        ("a{2}{3}", "a repetition of a repetition"),
        ("*a", "a * that follows nothing"),
        ("[z-a]", "z-a is no range"),
        ("\u0301a", "begins with a mark"),
        ("(" * 30 + "a" + ")" * 30, "nested too deeply"),
        ("\\", "\\ is not known"),
    ],
)
def test_what_cannot_be_used_says_why(regex, why):
    assert why in problem(Pattern(id="p", kind="regex", text=regex))


@pytest.mark.parametrize(
    ("regex", "text", "found"),
    [
        (r"k-\w{4}", "a K-12zé b", "K-12zé"),
        (r"a\s+b\s*c", "A \n B C", "A \n B C"),
        (r"[A-C]{2}", "xbcx", "bc"),
        (r"[^a]b", "abxb", "xb"),
        (r"(?:one|two){2}", "onetwo", "onetwo"),
        (r"\$\d{1,3}\.\d{2}", "for $12.50", "$12.50"),
        (r"[]a-]b", "-b", "-b"),
        (r"straße", "STRASSE", "STRASSE"),
        (r"a.{0,5}?b", "a12b", "a12b"),
        (r"[а-я]{4}", "ЩУКА", "ЩУКА"),
    ],
)
def test_the_language_means_what_people_expect(regex, text, found):
    assert problem(Pattern(id="p", kind="regex", text=regex)) == ""
    assert [text[start:end] for _, start, end in matches(pattern_set(regexes=(regex,)), text)] == [found]


def test_a_sample_that_is_not_matched_is_a_problem():
    def told(sample):
        return problem(Pattern(id="p", kind="regex", text=r"\d{3}", sample=sample))

    assert (told("12"), told("a 123")) == ("does not match its own sample", "")


@pytest.mark.parametrize("text", ["\u200b\u00ad", " ", "\u0301x"])
def test_a_term_of_which_nothing_is_left_is_a_problem(text):
    assert problem(Pattern(id="p", text=text))


def test_a_set_names_the_pattern_that_cannot_be_used():
    with pytest.raises(SyntaxProblemError, match="00001: "):
        compiled(pattern_set("fine", regexes=("a+",)))


def test_every_pattern_that_matches_is_told_also_the_same_text_twice():
    found = [name for name, _, _ in matches(pattern_set("bomb", "Bomb", "bom"), "the bomb")]

    assert found == ["00002", "00000", "00001"]
