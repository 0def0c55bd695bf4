"""Texts that are there as a whole: requests, answers that do not stream, and the last events of streams."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from enforcement.filter.guards import REMOVED, Findings, Guard, Place
from enforcement.filter.texts import Leaf
from enforcement.patterns import Matcher, merged

PART = 3
"""Steps to a text part, at least: the list, the number, ``text``."""


def review(leaves: Sequence[Leaf], guards: Iterable[Guard], findings: Findings, choice: object) -> bool:
    """Look at texts that are read as one; redact in them. Tell whether anything was changed.

    :raises BlockedError: a correction blocks.
    """
    texts = [leaf.text for leaf in leaves]
    text, places = "".join(texts), list[tuple[int, int]]()
    for guard in guards:
        matcher = Matcher(guard.compiled, escaped=leaves[0].escaped)
        which = matcher.feed(text, final=True)
        if findings.acts(guard, which, choice) and which:
            places += [(hit.start, hit.end) for hit in matcher.hits(which)]
    start = 0
    for leaf, part in zip(leaves, texts, strict=True) if places else ():
        leaf.write(redacted(part, merged(places), start))
        start += len(part)
    return bool(places)


def redacted(text: str, places: Iterable[tuple[int, int]], start: int = 0) -> str:
    """Replace places, counted from ``start``; one that began earlier has been replaced already."""
    parts, at, end = list[str](), start, start + len(text)
    for first, last in places:
        if last <= at or first >= end:
            continue
        if first >= at:
            parts += [text[at - start : first - start], REMOVED]
        at = min(last, end)
    return "".join([*parts, text[at - start :]])


def together(leaves: Iterable[Leaf]) -> Iterator[list[Leaf]]:
    """Join the text parts of one message: a model reads them as one text."""
    for message, parts in groupby(leaves, _message):
        if message is None:
            yield from ([leaf] for leaf in parts)
        else:
            yield list(parts)


def _message(leaf: Leaf) -> Place | None:
    """Give the way to the list of parts in which a text stands, if it stands in one."""
    return leaf.path[:-2] if len(leaf.path) >= PART and leaf.path[-1] == "text" else None
