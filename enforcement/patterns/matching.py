"""One text, whole or in pieces, before one set of patterns."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from itertools import accumulate
from typing import NamedTuple

from enforcement.patterns.characters import END
from enforcement.patterns.compiled import Compiled
from enforcement.patterns.escapes import unescaped
from enforcement.patterns.folding import Folded, folded


class Hit(NamedTuple):
    """A match in the original text."""

    pattern: int
    start: int
    end: int


class Matcher:
    """Reads a text piece by piece. Offsets count from the beginning of the whole text.

    What it has found never depends on where the pieces were cut. After :meth:`feed` ask for :meth:`hits` if
    they matter, then let go by :meth:`forget`.
    """

    def __init__(self, compiled: Compiled, *, escaped: bool = False) -> None:
        """Begin a text; ``escaped``: it is written as JSON is."""
        self._compiled, self._escaped = compiled, escaped
        self.safe = 0
        """Up to here nothing can become part of a match that has not been found."""
        self._rest, self._before, self._seen, self._final = "", END, Folded("", (), 0, 0), False

    def feed(self, text: str, *, final: bool = False) -> list[int]:
        """Read on; give the patterns that match in what was read, again those of a text still held."""
        self._rest, self._final = self._rest + text, final
        self._seen = self._fold()
        self._before = self._seen.before or END
        return self._compiled.which(self._ready())

    def hits(self, patterns: Collection[int]) -> Iterator[Hit]:
        """Give where these patterns match in what was read."""
        if not patterns:
            return
        places = _Places(self._ready())
        for pattern in patterns:
            for found in self._compiled.where(pattern, places.data):
                start = self._seen.start(places.index(found.start) - 1)
                end = self._seen.end(places.index(found.end) - 1)
                yield Hit(pattern, self.safe + start, self.safe + end)

    def forget(self) -> None:
        """Let go of what cannot matter any more; moves :attr:`safe`."""
        seen = self._seen
        held = len(seen.text) if self._final else self._compiled.held(self._before + seen.text, seen)
        cut = seen.length if held >= len(seen.text) and not seen.wild else seen.start(held)
        gone = bisect_left(seen.starts, cut)
        if gone:
            self._before = seen.text[gone - 1]
        self._rest = self._rest[cut:]
        self.safe += cut

    def _fold(self) -> Folded:
        before = "" if self._before == END else self._before
        if not self._escaped or "\\" not in self._rest:
            return folded(self._rest, before=before, final=self._final)
        plain = unescaped(self._rest, final=self._final)
        seen = folded(plain.text, before=before, final=self._final)
        return replace(seen, starts=[plain.origins[at] for at in seen.starts], length=plain.origins[-1])

    def _ready(self) -> str:
        """What will not change any more, with the character before it and, at the end, the end."""
        return self._before + self._seen.text[: self._seen.closed] + (END if self._final else "")


class _Places:
    """A text as the engine reads it, and the way back from its bytes to characters."""

    def __init__(self, text: str) -> None:
        self.data = text.encode()
        lengths = [] if text.isascii() else [len(one.encode()) for one in text]
        self._starts = list(accumulate(lengths, initial=0))

    def index(self, place: int) -> int:
        return bisect_right(self._starts, place) - 1 if len(self._starts) > 1 else place


def hits(compiled: Compiled, text: str, *, escaped: bool = False) -> list[Hit]:
    """Give every match in a whole text, in order."""
    matcher = Matcher(compiled, escaped=escaped)
    which = matcher.feed(text, final=True)
    return sorted(matcher.hits(which), key=lambda hit: (hit.start, hit.end, hit.pattern))


def merged(places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join places that touch."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found
