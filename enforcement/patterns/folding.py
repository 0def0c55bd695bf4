"""Text as patterns see it, with the way back to the original characters.

NFKC, case folded, without what cannot be seen, every run of white space one space. A character and the marks
on it are folded together as one unit, so that nothing depends on where a stream was cut; the last unit of an
unfinished text is open, since marks may still follow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from unicodedata import normalize

from enforcement.patterns.characters import FINAL, IGNORED, LEAD, MARKS, SPACE, SYLLABLE, VOWEL

_LONE = "\ud800-\udfff"  # halves of pairs, which JSON can spell and no engine reads
_ALONE = f"[^{SPACE}{MARKS}{IGNORED}{_LONE}{LEAD}{VOWEL}{FINAL}]"
_RUN = re.compile(f"{_ALONE}++(?: {_ALONE}++)*+")
"""Characters that fold one by one, as far as nothing joins the last of them."""
_SPACE = re.compile(f"[{SPACE}][{SPACE}{IGNORED}]*")
_UNIT = re.compile(rf"(?:[{LEAD}][{VOWEL}][{FINAL}]?|[{SYLLABLE}][{FINAL}]|.)[{MARKS}{IGNORED}]*", re.DOTALL)
_JOINS = re.compile(f"[{MARKS}{IGNORED}{FINAL}]")
_ODD = re.compile(r"[^ -~]|  ")
_IGNORED = re.compile(f"[{IGNORED}]")
_MARKED = re.compile(f"[{MARKS}]")
_MORE_SPACE = re.compile(f"[{SPACE}{IGNORED}]*")
_MORE_MARKS = re.compile(f"[{MARKS}{IGNORED}]*")


@dataclass(frozen=True)
class Folded:
    """Folded text; ``starts`` says for every character where its unit starts in the original.

    The units from ``closed`` (an index into the text) on may still change; ``wild``: into anything.
    """

    text: str
    starts: Sequence[int]
    length: int
    closed: int
    wild: bool = False
    before: str = ""
    """The character before it: what was, unless marks have joined it."""

    def start(self, index: int) -> int:
        """Give where the unit of a folded character starts in the original."""
        return self.starts[index] if index < len(self.starts) else self.length

    def end(self, index: int) -> int:
        """Give where the unit of the last folded character before ``index`` ends."""
        last = self.starts[index - 1]
        while index < len(self.starts) and self.starts[index] == last:
            index += 1
        return self.start(index)


def fold(text: str) -> str:
    """Fold a whole text."""
    return folded(text).text


def folded(text: str, *, before: str = "", final: bool = True) -> Folded:
    """Fold a text or a part of one.

    :param before: the last folded character in front of the part, if there is any.
    :param final: nothing follows, so that the last unit is closed.
    """
    skipped = _joined(text, before) if before else 0
    if not skipped and not _ODD.search(text):
        closed = len(text) - (not final and bool(text))
        return Folded(text.lower(), range(len(text)), len(text), closed, before=before)
    seen = _pieces(text, skipped, final=final)
    marks = _MARKED.findall(text, 0, skipped)
    return replace(seen, before=marks[-1] if marks else before)


def _joined(text: str, before: str) -> int:
    """Give how much at the beginning belongs to the unit in front of it."""
    found = (_MORE_SPACE if before == " " else _MORE_MARKS).match(text)
    return found.end() if found else 0


def _pieces(text: str, at: int, *, final: bool) -> Folded:
    parts: list[str] = []
    starts: list[int] = []
    closed, seen = 0, ""
    while at < len(text):
        closed = len(starts)
        end = _run_end(text, at)
        if end > at:
            seen, where = _run(text[at:end], at)
        else:
            end = (_SPACE.match(text, at) or _UNIT.match(text, at)).end()  # type: ignore[union-attr]
            seen = _unit(text[at:end])
            where = [at] * len(seen)
        parts.append(seen)
        starts.extend(where)
        at = end
    wild = not final and len(seen) > 1
    return Folded("".join(parts), starts, len(text), len(starts) if final else closed, wild)


def _run_end(text: str, at: int) -> int:
    """Give the end of the characters that fold one by one; what comes last may be joined, so it is none."""
    found = _RUN.match(text, at)
    if found is None:
        return at
    end = found.end()
    return end - 1 if end == len(text) or _JOINS.match(text, end) else end


def _run(raw: str, at: int) -> tuple[str, Sequence[int]]:
    seen = _normal(raw)
    if len(seen) == len(raw):
        return seen, range(at, at + len(raw))
    each = [_unit(one) for one in raw]
    return "".join(each), [place for place, one in enumerate(each, at) for _ in one]


def _normal(text: str) -> str:
    return normalize("NFKC", normalize("NFKC", text).casefold())


@lru_cache(4096)
def _unit(raw: str) -> str:
    seen = _IGNORED.sub("", raw)
    if seen.isspace():
        return " "
    return "\ufffd" if "\ud800" <= seen[:1] <= "\udfff" else _normal(seen)
