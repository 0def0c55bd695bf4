"""Trees written for RE2: what a match is, and what could still become one."""

from __future__ import annotations

from collections.abc import Iterable

import re2

from enforcement.patterns.characters import kin
from enforcement.patterns.syntax import SyntaxProblemError
from enforcement.patterns.trees import ANY, WORD, Chars, Expression, Node, Repeat, Several, single

BESIDE_WORD = rf"[^{WORD}\pM]"
MARKS_MOST = 3
"""Marks that a class takes along with a letter."""
MEMORY = 256 << 20
"""Bytes that one engine may use: with too few RE2 falls back to a slower way."""


def options() -> re2.Options:
    """Give the options of every engine; it never logs a pattern."""
    found = re2.Options()
    found.max_mem, found.longest_match, found.log_errors, found.dot_nl = MEMORY, True, False, True
    return found


def search_set(expressions: Iterable[str]) -> re2.Set:
    """Give the engine that tells which of many expressions match somewhere."""
    return _filled(re2.Set.SearchSet(options()), expressions)


def full_set(expressions: Iterable[str]) -> re2.Set:
    """Give the engine that tells which of many expressions match a whole text."""
    return _filled(re2.Set.FullMatchSet(options()), expressions)


def _filled(found: re2.Set, expressions: Iterable[str]) -> re2.Set:
    try:
        for each in expressions:
            found.Add(each)
        found.Compile()
    except re2.error as error:
        raise SyntaxProblemError(str(error)) from error
    return found


def plain(text: str) -> Expression:
    """Give the expression of a folded literal."""
    return Expression(Several(tuple(single(one) for one in text)))


def whole(expression: Expression) -> str:
    """Write an expression with the character before it; the match itself is the group."""
    before = BESIDE_WORD if expression.word_before else "."
    return f"{before}({written(expression.tree)}){BESIDE_WORD if expression.word_after else ''}"


def sought(expression: Expression) -> str:
    """Write an expression to be looked for: as :func:`whole`, without what is always true."""
    before = BESIDE_WORD if expression.word_before else ""
    return f"{before}(?:{written(expression.tree)}){BESIDE_WORD if expression.word_after else ''}"


def begun(expression: Expression) -> str:
    """Write what an unfinished text may end with if more of it could complete a match.

    With the character before it. The last character may still take marks, and so may become another.
    """
    before = BESIDE_WORD if expression.word_before else "."
    tree = _begun(expression.tree)
    return f"{before}(?:{tree}|{written(expression.tree)}.)" if expression.word_after else f"{before}{tree}"


def written(node: Node) -> str:
    """Write a tree."""
    match node:
        case Several(items, either):
            return f"(?:{('|' if either else '').join(map(written, items))})"
        case Repeat(item, least, most):
            return f"(?:{written(item)}){{{least},{most}}}"
    return _class(node)


def _begun(node: Node) -> str:
    match node:
        case Several(items, True):
            return f"(?:{'|'.join(map(_begun, items))})"
        case Several(items):
            return _begun_sequence(items)
        case Repeat(item, _, most):
            return f"(?:{written(item)}){{0,{most - 1}}}{_begun(item)}"
    return _class(_or_base(node))


def _begun_sequence(items: tuple[Node, ...]) -> str:
    """A b c → a⁺, or a then b⁺, or a then b then c⁺: written from the back, so that it stays short."""
    text = ""
    for item in reversed(items):
        text = f"(?:{_begun(item)}|{written(item)}{text})" if text else _begun(item)
    return text or r"[^\x{0}-\x{10FFFF}]"


def _or_base(node: Chars) -> Chars:
    """Take in every character that marks turn into one of the class."""
    if node.negated:
        return ANY
    more = sorted({base for one in node.named if not one.isascii() for base in kin(one)})
    return Chars(node.body + "".join(single(one).body for one in more))


def _class(node: Chars) -> str:
    """Write a class; one that takes in letters nobody named takes the marks on them along."""
    if len(node.body) == 1:
        return node.body
    wide = node.negated or WORD in node.body
    return f"[{'^' if node.negated else ''}{node.body}]" + (rf"\pM{{0,{MARKS_MOST}}}" if wide else "")
