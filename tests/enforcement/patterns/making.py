"""Sets and texts for the tests of patterns."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st

from enforcement.patterns import Compiled, Matcher, compiled
from enforcement.policy import Pattern, PatternSet


def pattern_set(*texts: str, regexes: tuple[str, ...] = ()) -> PatternSet:
    every = [("literal", text) for text in texts] + [("regex", text) for text in regexes]
    patterns = (Pattern(id=f"{n:05}", kind=kind, text=text) for n, (kind, text) in enumerate(every))
    return PatternSet(name="tests", version=1, patterns=tuple(patterns))


def made(*texts: str, regexes: tuple[str, ...] = ()) -> Compiled:
    return compiled(pattern_set(*texts, regexes=regexes))


def read(
    found: Compiled, pieces: list[str], *, escaped: bool = False
) -> tuple[set[int], set[int], list[int]]:
    """Read a text in pieces: the patterns, every matched place, and what was safe after each piece."""
    matcher, patterns, places, safe = Matcher(found, escaped=escaped), set(), set(), []
    for number, piece in enumerate(pieces):
        which = matcher.feed(piece, final=number == len(pieces) - 1)
        patterns |= set(which)
        places |= {place for hit in matcher.hits(which) for place in range(hit.start, hit.end)}
        matcher.forget()
        safe.append(matcher.safe)
    return patterns, places, safe


def cut(text: str, *places: int) -> list[str]:
    ends = [0, *sorted({min(place, len(text)) for place in places}), len(text)]
    return [text[start:end] for start, end in pairwise(ends)]


# Few characters, so that texts and patterns meet; with marks, unseen ones and several kinds of space.
LETTERS = "abeE\u00e9\u0301\u0323\u200d \n\u00df\ufb01\uff41\u1e9e\u0130\u1100\u1161\u11a8\uac00"
TEXTS = st.text(LETTERS, max_size=14)
LITERALS = st.text(LETTERS, min_size=1, max_size=5)
REGEXES = st.sampled_from(
    [r"\bab", r"ab\b", r"\bab?e\b", "[ab]{2,3}", "a.e", "(?:ab|be){1,2}", "a[^b]e", "e?a", r"a\s*b", "é{2}",
     r"\w{3}\b", "[éx]a", r"a\sb", "ss", "fi", "(a|ae)(b|é)"]
)  # fmt: skip
