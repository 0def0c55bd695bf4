"""What an unfinished text ends with that could still become a match, and so has to wait."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable

from enforcement.patterns import engine
from enforcement.patterns.characters import kin
from enforcement.patterns.folding import Folded
from enforcement.patterns.trees import Expression, longest


class Beginnings:
    """The beginnings of all matches of a set: of its folded literals and of its regular expressions."""

    def __init__(self, literals: Iterable[str], regexes: list[Expression]) -> None:
        self._literals = sorted(set(literals))
        self._becoming = _becoming(self._literals)
        self._first_characters = {text[0] for text in self._literals}
        begun = [engine.begun(each) for each in regexes]
        self._anywhere = engine.search_set(f"{each}\\z" for each in begun) if begun else None
        self._exactly = engine.full_set(begun) if begun else None
        reach = [longest(each.tree, one=1 + engine.MARKS_MOST) + 1 for each in regexes]
        self._reach = max([*reach, *map(len, self._literals)], default=0)

    def held(self, text: str, folded: Folded) -> int:
        """Give from where on the folded text must wait: the longest end of it that could still match.

        :param text: the character before it, and the folded text.
        """
        if folded.wild:  # its last unit may become anything
            return self._first(text[: folded.closed + 1], folded.closed)
        return self._first(text, len(folded.text))

    def _first(self, text: str, otherwise: int) -> int:
        """Give the first place from which the text to its end could be the beginning of a match."""
        last = len(text) - 1
        near = text[max(0, last - self._reach) :]
        gone = len(text) - len(near)
        found = [place for place in (self._literal(near), self._regex(near)) if place is not None]
        return gone + min(found) if found else otherwise

    def _literal(self, text: str) -> int | None:
        ends = ("", *self._becoming.get(text[-1], ()))
        for start in range(1, len(text)):
            if start < len(text) - 1 and text[start] not in self._first_characters:
                continue
            if any(self._begins(text[start:-1] + end if end else text[start:]) for end in ends):
                return start - 1
        return None

    def _begins(self, text: str) -> bool:
        at = bisect_left(self._literals, text)
        return at < len(self._literals) and self._literals[at].startswith(text)

    def _regex(self, text: str) -> int | None:
        if self._anywhere is None or self._exactly is None or not self._anywhere.Match(text):
            return None
        return next(start for start in range(len(text)) if self._exactly.Match(text[start:]))


def _becoming(literals: Iterable[str]) -> dict[str, set[str]]:
    """Give, for every character that marks could turn into another one of the literals, those."""
    found: dict[str, set[str]] = defaultdict(set)
    for character in {one for text in literals for one in text if not one.isascii()}:
        for base in kin(character):
            found[base].add(character)
    return found
