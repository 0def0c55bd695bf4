"""A set of patterns, compiled once: which of them match, where, and what might still become a match."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import re2

from enforcement.patterns import engine
from enforcement.patterns.characters import END, kin
from enforcement.patterns.folding import Folded, fold
from enforcement.patterns.syntax import (
    LONGEST,
    Expression,
    SyntaxProblemError,
    begins_with_mark,
    longest,
    parse,
)
from enforcement.policy import Pattern, PatternSet


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


@dataclass
class Compiled:
    """The engines of a set. Texts are given with the character before them in front."""

    patterns: tuple[Pattern, ...]
    expressions: list[Expression]
    longest: int = 0
    _literals: list[str] = field(default_factory=list)
    _becoming: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _sought: re2.Set | None = None
    _begun: re2.Set | None = None

    def __post_init__(self) -> None:
        self.longest = max(longest(each.tree, one=1 + engine.MARKS_MOST) for each in self.expressions) + 1
        self._literals = sorted(fold(one.text).strip(" ") for one in self.patterns if one.kind == "literal")
        for character in {one for text in self._literals for one in text if not one.isascii()}:
            for base in kin(character):
                self._becoming[base].add(character)
        self._sought = _set(re2.Set.SearchSet, map(engine.sought, self.expressions))
        regexes = [one for one, it in zip(self.expressions, self.patterns, strict=True) if it.kind == "regex"]
        self._begun = _set(re2.Set.FullMatchSet, map(engine.begun, regexes)) if regexes else None

    @cached_property
    def weights(self) -> list[int]:
        """Give the weight of every pattern."""
        return [pattern.weight for pattern in self.patterns]

    @cached_property
    def _each(self) -> dict[int, re2._Regexp[str]]:
        return {}

    def which(self, text: str) -> list[int]:
        """Give the patterns that match somewhere in the text (its first character only stands before it)."""
        assert self._sought is not None  # noqa: S101 - made at the beginning
        return self._sought.Match(text) or []

    def where(self, pattern: int, text: bytes) -> Iterator[Found]:
        """Give every place where a pattern matches, each as long as it can be; in bytes."""
        if pattern not in self._each:
            self._each[pattern] = re2.compile(engine.whole(self.expressions[pattern]), engine.options())
        expression, at = self._each[pattern], 0
        while (found := expression.search(text, at)) is not None:
            yield Found(pattern, found.start(1), found.end(1))
            at = found.start(1)  # the character before the next place

    def held(self, text: str, folded: Folded) -> int:
        """Give from where on the folded text must wait: the longest end of it that could still match.

        :param text: the character before, and the folded text.
        """
        if folded.wild:  # its last unit may become anything
            return self._first(text[: folded.closed + 1], folded.closed)
        return self._first(text, len(folded.text))

    def _first(self, text: str, otherwise: int) -> int:
        last = len(text) - 1
        ends = [text, *(text[:-1] + one for one in self._becoming.get(text[-1], ()))]
        for start in range(max(0, last - self.longest), last):
            if any(self._could_match(end, start) for end in ends):
                return start
        return otherwise

    def _could_match(self, text: str, start: int) -> bool:
        if self._literals:
            rest = text[start + 1 :]
            at = bisect_left(self._literals, rest)
            if at < len(self._literals) and self._literals[at].startswith(rest):
                return True
        return self._begun is not None and bool(self._begun.Match(text[start:]))


def compiled(patterns: PatternSet) -> Compiled:
    """Compile a set; takes about 5 ms per thousand.

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
    """Let the engine find every literal: an engine that is too large finds nothing, and does not say so."""
    for number, pattern in enumerate(found.patterns):
        if pattern.kind == "literal" and number not in found.which(f"{END}{fold(pattern.text)}{END}"):
            raise SyntaxProblemError(f"{pattern.id}: the set is too large for the engine")


def _set(kind: Callable[[re2.Options], re2.Set], expressions: Iterable[str]) -> re2.Set:
    found = kind(engine.options())
    for each in expressions:
        try:
            found.Add(each)
        except re2.error as error:
            raise SyntaxProblemError(str(error)) from error
    found.Compile()
    return found
