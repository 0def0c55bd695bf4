r"""Regular expressions of a bounded length, as trees.

The language: characters, ``.``, classes, groups, ``|``, ``?``, ``{m}``, ``{m,n}``, ``\d \w \s`` and their
opposites, and ``\b`` at either end ("no letter, digit or _ beside it"). What has no bound (``*``, ``+``,
``{m,}``) is refused, because a stream would have to be held back for as long; ``\s+`` and ``\s*`` are
allowed, since every run of white space is one space. Everything is folded like the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from enforcement.patterns.folding import fold
from enforcement.patterns.trees import (
    ANY,
    NEVER,
    WORD,
    Chars,
    Expression,
    Node,
    Repeat,
    Several,
    begins_with_mark,
    longest,
    point,
    shortest,
    single,
)

LONGEST = 500
"""Characters that one match may have at most, and so what is held back at most."""


class SyntaxProblemError(Exception):
    """The pattern cannot be used; the text says why, for the person who wrote it."""


_CLASSES = {"d": r"\p{Nd}", "w": WORD, "s": " "}
_ESCAPED = {"n": " ", "t": " ", "r": " ", "f": " ", "v": " "}
_COUNT = re.compile(r"\{(\d{1,4})(,?)(\d{0,4})\}")
_RANGE_MOST = 70_000


def parse(text: str) -> Expression:
    """Read a regular expression.

    :raises SyntaxProblemError: it is none, or none of this language.
    """
    before, after = text.startswith(r"\b"), bool(re.search(r"(?<!\\)(\\\\)*\\b$", text[2:]))
    reader = _Reader(text[2 if before else 0 : len(text) - (2 if after else 0)])
    tree = reader.whole()
    if begins_with_mark(tree):
        raise SyntaxProblemError("begins with a mark, which belongs to the character before it")
    if shortest(tree) == 0:
        raise SyntaxProblemError("matches the empty text")
    if longest(tree) > LONGEST:
        raise SyntaxProblemError(f"a match could be longer than {LONGEST} characters")
    return Expression(tree, before, after)


class _Reader:
    """Reads from left to right; ``at`` is the next character."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.depth = text, 0, 0

    def whole(self) -> Node:
        tree = self._either()
        if self.at < len(self.text):
            raise SyntaxProblemError("a ) without its (")
        return tree

    def _next(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def _take(self, what: str) -> bool:
        found = self.text.startswith(what, self.at)
        self.at += len(what) if found else 0
        return found

    def _either(self) -> Node:
        self.depth += 1
        if self.depth > 20:  # noqa: PLR2004
            raise SyntaxProblemError("groups are nested too deeply")
        options = [self._sequence()]
        while self._take("|"):
            options.append(self._sequence())
        self.depth -= 1
        return options[0] if len(options) == 1 else Several(tuple(options), either=True)

    def _sequence(self) -> Node:
        items: list[Node] = []
        while self._next() not in ("", "|", ")"):
            items.append(self._repeated(self._atom()))
        return Several(tuple(items))

    def _atom(self) -> Node:
        if self._take("("):
            return self._group()
        if self._take("["):
            return self._class()
        if self._take("."):
            return ANY
        if self._next() in "*+?{":
            raise SyntaxProblemError(f"a {self._next()} that follows nothing; write \\{self._next()}")
        if self._next() in "^$":
            raise SyntaxProblemError(f"{self._next()} has no place in a text that streams; write \\b or \\^")
        return self._escape() if self._take("\\") else self._literal(self._one())

    def _one(self) -> str:
        self.at += 1
        return self.text[self.at - 1]

    def _group(self) -> Node:
        if self._take("?") and not self._take(":"):
            raise SyntaxProblemError("only plain groups and (?: are known")
        tree = self._either()
        if not self._take(")"):
            raise SyntaxProblemError("a ( without its )")
        return tree

    def _escape(self) -> Node:
        kind = self._next()
        if kind == "" or (kind.isalnum() and kind.lower() not in _CLASSES and kind not in _ESCAPED):
            raise SyntaxProblemError(f"\\{kind} is not known" + (" here" if kind == "b" else ""))
        self.at += 1
        if kind.lower() in _CLASSES:
            return _named(_CLASSES[kind.lower()], negated=kind.isupper())
        return self._literal(_ESCAPED.get(kind, kind))

    @staticmethod
    def _literal(character: str) -> Node:
        seen = fold(character)
        if not seen:
            raise SyntaxProblemError(f"{character!r} cannot be seen and is never matched")
        return Several(tuple(single(one) for one in seen))

    def _repeated(self, item: Node) -> Node:
        count = _COUNT.match(self.text, self.at)
        if count:
            self.at = count.end()
            return self._lazy(_counted(item, *count.groups()))
        if self._take("?"):
            return self._lazy(Repeat(item, 0, 1))
        if self._next() in ("*", "+") and self._next():
            sign = self._one()
            if item != _named(" ", negated=False):
                raise SyntaxProblemError(f"{sign} has no bound; write how often at most, as in {{0,50}}")
            return self._lazy(Repeat(item, 0, 1) if sign == "*" else item)
        if self._next() == "{":
            raise SyntaxProblemError("a { without numbers; write \\{")
        return item

    def _lazy(self, item: Node) -> Node:
        """Accept the sign for "as few as possible": it makes no difference to whether something matches."""
        self._take("?")
        if self._next() and self._next() in "*+?{":
            raise SyntaxProblemError("a repetition of a repetition")
        return item

    def _class(self) -> Node:
        negated, members, named = self._take("^"), list[str](), set[str]()
        first = True
        while first or self._next() != "]":
            first = False
            if self._next() == "":
                raise SyntaxProblemError("a [ without its ]")
            self._member(members, named)
        self.at += 1
        if negated:
            members.append(NEVER)
        return Chars("".join(members), negated, frozenset(named))

    def _member(self, members: list[str], named: set[str]) -> None:
        if self._take("\\"):
            kind = self._one() if self._next() else ""
            if kind in _CLASSES:
                members.append(_CLASSES[kind])
                return
            if kind == "" or (kind.isalnum() and kind not in _ESCAPED):
                raise SyntaxProblemError(f"\\{kind} is not known in a class")
            low = _ESCAPED.get(kind, kind)
        else:
            low = self._one()
        found = _range(low, self._upper(low))
        named.update(found)
        members.extend(_ranges(found))

    def _upper(self, low: str) -> str:
        if self._next() != "-" or self.text[self.at + 1 : self.at + 2] in ("", "]", "\\"):
            return low
        self.at += 1
        return self._one()


def _named(body: str, *, negated: bool) -> Chars:
    return Chars(body + (NEVER if negated else ""), negated)


def _counted(item: Node, least: str, comma: str, most: str) -> Node:
    if comma and not most:
        raise SyntaxProblemError(f"{{{least},}} has no bound; write how often at most, as in {{{least},50}}")
    low, high = int(least), int(most or least)
    if high < low or high == 0:
        raise SyntaxProblemError(f"{{{least},{most}}} is no range")
    return Repeat(item, low, high)


def _range(low: str, high: str) -> list[str]:
    if ord(high) < ord(low) or ord(high) - ord(low) > _RANGE_MOST:
        raise SyntaxProblemError(f"{low}-{high} is no range, or too large a one")
    found = [fold(chr(code)) for code in range(ord(low), ord(high) + 1)]
    if low == high and len(found[0]) != 1:
        raise SyntaxProblemError(f"{low!r} is not one character once folded and cannot stand in a class")
    return sorted({one for one in found if len(one) == 1})


def _ranges(characters: list[str]) -> Iterator[str]:
    """Write characters as ranges, so that a class of thousands stays short."""
    first = last = ""
    for one in [*characters, ""]:
        if first and one and ord(one) == ord(last) + 1:
            last = one
            continue
        if first:
            yield point(first) if first == last else f"{point(first)}-{point(last)}"
        first = last = one
