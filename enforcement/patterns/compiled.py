"""A set of patterns, compiled once: which of them match, where, and what might still become a match."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import re2

from enforcement.patterns import engine
from enforcement.patterns.beginnings import Beginnings
from enforcement.patterns.characters import END
from enforcement.patterns.folding import Folded, fold
from enforcement.patterns.syntax import LONGEST, SyntaxProblemError, parse
from enforcement.patterns.trees import Expression, begins_with_mark
from enforcement.policy import Pattern, PatternSet

CHECKED = 500


@dataclass(frozen=True)
class Found:
    """One match: which pattern, and where."""

    pattern: int
    start: int
    end: int


def expression(pattern: Pattern) -> Expression:
    """Read a pattern.

    :raises SyntaxProblemError: it cannot be used.
    """
    if pattern.kind == "regex":
        return parse(pattern.text)
    text = fold(pattern.text).strip(" ")
    if not text:
        raise SyntaxProblemError("nothing is left of it once folded")
    if len(text) > LONGEST:
        raise SyntaxProblemError(f"is longer than {LONGEST} characters once folded")
    if begins_with_mark(found := engine.plain(text).tree):
        raise SyntaxProblemError("begins with a mark, which belongs to the character before it")
    return Expression(found)


class Compiled:
    """The engines of a set. Texts are given with the character before them in front."""

    def __init__(self, patterns: tuple[Pattern, ...], expressions: list[Expression]) -> None:
        self.patterns, self._expressions = patterns, expressions
        self.weights = [pattern.weight for pattern in patterns]
        both = list(zip(patterns, expressions, strict=True))
        literals = [fold(pattern.text).strip(" ") for pattern, _ in both if pattern.kind == "literal"]
        self._sought = engine.search_set(map(engine.sought, expressions))
        self._beginnings = Beginnings(literals, [each for pattern, each in both if pattern.kind == "regex"])
        self._each: dict[int, re2._Regexp[str]] = {}

    def which(self, text: str) -> list[int]:
        """Give the patterns that match somewhere in the text."""
        return self._sought.Match(text) or []

    def where(self, pattern: int, text: bytes) -> Iterator[Found]:
        """Give every place where a pattern matches, each as long as it can be; in bytes."""
        if pattern not in self._each:
            self._each[pattern] = re2.compile(engine.whole(self._expressions[pattern]), engine.options())
        expression, at = self._each[pattern], 0
        while (found := expression.search(text, at)) is not None:
            yield Found(pattern, found.start(1), found.end(1))
            at = found.start(1)  # the character before the next place

    def held(self, text: str, folded: Folded) -> int:
        """Give from where on the folded text must wait."""
        return self._beginnings.held(text, folded)


def compiled(patterns: PatternSet) -> Compiled:
    """Compile a set; takes about 10 ms per thousand.

    :raises SyntaxProblemError: naming the pattern.
    """
    expressions = []
    for pattern in patterns.patterns:
        try:
            expressions.append(expression(pattern))
        except SyntaxProblemError as error:
            raise SyntaxProblemError(f"{pattern.id}: {error}") from error
    found = Compiled(patterns.patterns, expressions)
    _check(found)
    return found


def _check(found: Compiled) -> None:
    """Let the engine find some literals: an engine that is too large finds nothing, and does not say so."""
    literals = [number for number, pattern in enumerate(found.patterns) if pattern.kind == "literal"]
    for number in [*literals[:1], *literals[::CHECKED], *literals[-1:]]:
        if number not in found.which(f"{END}{fold(found.patterns[number].text)}{END}"):
            raise SyntaxProblemError(f"{found.patterns[number].id}: the set is too large for the engine")
