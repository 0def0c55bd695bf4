"""Holding a text against patterns, with the engine of the content filter."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from enforcement import patterns as engine
from enforcement import policy


@dataclass(frozen=True)
class Matched:
    """A pattern that matches, and how often."""

    pattern: policy.Pattern
    times: int


@dataclass(frozen=True)
class Piece:
    """A part of the text: matched by these patterns, or by none."""

    text: str
    by: tuple[str, ...]


@dataclass(frozen=True)
class Tried:
    """What the patterns find in a text.

    :ivar weight: of the distinct patterns that match: what a correction's threshold is compared with.
    """

    matched: tuple[Matched, ...]
    pieces: tuple[Piece, ...]
    weight: int


def try_out(patterns: Sequence[policy.Pattern], text: str) -> Tried:
    """Say which patterns match, where, and what they weigh together."""
    if not patterns:
        return Tried((), (Piece(text, ()),), 0)
    hits = engine.hits(_compiled(tuple(patterns)), text)
    found = [(patterns[hit.pattern].id, hit.start, hit.end) for hit in hits]
    times: dict[str, int] = defaultdict(int)
    for name, _, _ in found:
        times[name] += 1
    matched = tuple(Matched(each, times[each.id]) for each in patterns if each.id in times)
    return Tried(matched, _pieces(text, found), sum(each.pattern.weight for each in matched))


@lru_cache(maxsize=2)
def _compiled(patterns: tuple[policy.Pattern, ...]) -> engine.Compiled:
    """Compile once for somebody who tries one text after the other."""
    return engine.compiled(policy.PatternSet(name="-", version=1, patterns=patterns))


def _pieces(text: str, found: Sequence[tuple[str, int, int]]) -> tuple[Piece, ...]:
    """Cut the text where matches begin and end; they may overlap."""
    begins, ends = defaultdict(list), defaultdict(list)
    for name, start, end in found:
        begins[start].append(name)
        ends[end].append(name)
    open_now: Counter[str] = Counter()
    pieces = []
    for start, end in pairwise(sorted({0, len(text), *begins, *ends})):
        open_now.update(begins[start])
        open_now.subtract(ends[start])
        pieces.append(Piece(text[start:end], tuple(sorted(+open_now))))
    return tuple(pieces)
