"""Which characters count as space, which as marks on the one before, and which as nothing at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from unicodedata import category, normalize

END = "\0"
"""Stands for the beginning and the end of a text; folding removes it from within."""

LEAD, VOWEL, FINAL, SYLLABLE = "\u1100-\u115e", "\u1161-\u11a7", "\u11a8-\u11ff", "\uac00-\ud7a3"
"""Of Hangul, whose vowels and finals join what is before them."""
_UNSEEN_LETTERS = "\u115f\u1160\u3164\uffa0\u034f\u17b4\u17b5"
_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0), range(0x180B, 0x1810))


def kin(character: str) -> set[str]:
    """Give the characters that further marks could turn into this one, as ``e`` becomes ``é``.

    Marks come in any order and are sorted, so ``é`` too may become ``ẹ`` (with an acute).
    """
    first, *marks = list(normalize("NFD", character))
    if not marks:
        return set()
    if "\u1100" <= first <= "\u11ff":
        return {first, normalize("NFC", first + marks[0])} - {character}
    return {first, *_FAMILIES[first]} - {character}


def _ignored(character: str) -> bool:
    code = ord(character)
    unseen = character in _UNSEEN_LETTERS or any(code in some for some in _SELECTORS)
    return unseen or (category(character) in ("Cf", "Cc") and not character.isspace())


def _mark(character: str) -> bool:
    return category(character)[0] == "M"


def _class(members: Iterable[str]) -> str:
    """Write a class as ranges: one by one, characters beyond the first plane would be slow to look up."""
    parts: list[list[int]] = []
    for code in sorted(map(ord, members)):
        if parts and parts[-1][1] == code - 1:
            parts[-1][1] = code
        else:
            parts.append([code, code])
    return "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in parts)


_every = [chr(code) for code in (*range(0x3000), *range(0xA000, 0xB000), *range(0xF900, 0x1F000))]
_every += [chr(code) for code in range(0x3000, 0x3400)] + [chr(code) for code in range(0xE0000, 0xE0200)]

IGNORED = _class(filter(_ignored, _every))
MARKS = _class(one for one in _every if _mark(one) and not _ignored(one))
SPACE = _class(filter(str.isspace, _every))

_FAMILIES: dict[str, set[str]] = defaultdict(set)
for _one in _every:
    if len(_parts := normalize("NFD", _one)) > 1:
        _FAMILIES[_parts[0]].add(_one)
