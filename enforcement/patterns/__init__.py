"""Terms and patterns in text: folded, compiled once, found across any borders of a stream. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from enforcement.patterns import matching
from enforcement.patterns.compiled import Compiled, compiled, expression
from enforcement.patterns.matching import Hit, Matcher, hits, merged
from enforcement.patterns.syntax import SyntaxProblemError
from enforcement.policy import Pattern, PatternSet

__all__ = [
    "Compiled",
    "Hit",
    "Matcher",
    "Pattern",
    "PatternSet",
    "SyntaxProblemError",
    "compiled",
    "hits",
    "matches",
    "matching",
    "merged",
    "problem",
]


def problem(pattern: Pattern) -> str:
    """Say why a pattern cannot be used; nothing if it can. A sample that it does not match is a problem."""
    try:
        expression(pattern)
        alone = compiled(PatternSet(name="-", version=1, patterns=(pattern,)))
    except SyntaxProblemError as error:
        return str(error).removeprefix(f"{pattern.id}: ")
    if pattern.sample and not hits(alone, pattern.sample):
        return "does not match its own sample"
    return ""


def matches(patterns: PatternSet, text: str) -> Iterator[tuple[str, int, int]]:
    """Give the id, start and end of every match in a text, in order.

    :raises SyntaxProblemError: naming the pattern that cannot be used.
    """
    for hit in hits(compiled(patterns), text):
        yield patterns.patterns[hit.pattern].id, hit.start, hit.end
