"""Parsed regular expressions: trees of classes, sequences, choices and repetitions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TypeAlias
from unicodedata import category

WORD = r"\pL\pN_"
"""Letters, digits and _; the marks on them are taken with them."""
NEVER = r"\x{0}\pM"
"""What no class that takes in letters nobody named begins with: the end, and a mark alone."""


@dataclass(frozen=True)
class Chars:
    """One character out of a class: the class as RE2 writes it, and the characters it names."""

    body: str
    negated: bool = False
    named: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Several:
    """One after the other, or one of them."""

    items: tuple[Node, ...]
    either: bool = False


@dataclass(frozen=True)
class Repeat:
    """As often as said."""

    item: Node
    least: int
    most: int


Node: TypeAlias = Chars | Several | Repeat
ANY = Chars(NEVER, negated=True)


@dataclass(frozen=True)
class Expression:
    """A parsed expression: its tree, and whether it ends or begins at a border of a word."""

    tree: Node
    word_before: bool = False
    word_after: bool = False


def longest(node: Node, *, one: int = 1) -> int:
    """Give the most characters of a match, each counted as so many."""
    match node:
        case Several(items, either):
            each = [longest(item, one=one) for item in items]
            return max(each) if either else sum(each)
        case Repeat(item, _, most):
            return most * longest(item, one=one)
    return one


def shortest(node: Node) -> int:
    """Give the fewest characters of a match."""
    match node:
        case Several(items, either):
            return min(map(shortest, items)) if either else sum(map(shortest, items))
        case Repeat(item, least, _):
            return least * shortest(item)
    return 1


def begins_with_mark(node: Node) -> bool:
    """Tell whether a match could begin with a mark: never found alone, since it joins what is before it."""
    match node:
        case Several(items, either):
            first = next((n for n, one in enumerate(items) if shortest(one)), len(items)) + 1
            return any(map(begins_with_mark, items if either else items[:first]))
        case Repeat(item):
            return begins_with_mark(item)
    return any(category(one)[0] == "M" for one in node.named)


@cache
def single(character: str) -> Chars:
    """Give the class of one folded character."""
    return Chars(point(character), named=frozenset(character))


def point(character: str) -> str:
    """Write one character for RE2."""
    plain = character.isascii() and (character.isalnum() or character == " ")
    return character if plain else f"\\x{{{ord(character):x}}}"
