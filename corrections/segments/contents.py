"""What attachments hold, read once per process: their bytes never change, so neither does what was read.

Only a few are kept: 100 000 names take about ten megabytes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from weakref import WeakValueDictionary

from corrections.segments.models import Attachment
from enforcement import policy

_AT_HAND: Final[WeakValueDictionary[str, frozenset[str]]] = WeakValueDictionary()
"""Lists that somebody still holds, so that two who ask have the same one."""


class NotStoredError(policy.PolicyError, LookupError):
    """Nobody has imported an attachment with this digest."""


@lru_cache(maxsize=6)
def subjects(digest: str) -> frozenset[str]:
    """Give the names of a list.

    :raises NotStoredError: there is no such list here.
    """
    found = _AT_HAND.get(digest)
    if found is None:
        found = _AT_HAND[digest] = frozenset(_lines(digest))
    return found


@lru_cache(maxsize=4)
def in_order(*digests: str) -> tuple[str, ...]:
    """Give the names of several lists together, in order, each once."""
    return tuple(sorted(frozenset[str]().union(*(_lines(digest) for digest in digests))))


@lru_cache(maxsize=16)
def patterns(digest: str) -> policy.PatternSet:
    """Give a set of patterns.

    :raises NotStoredError: there is no such set here.
    """
    return policy.parse(raw(digest, kind=Attachment.Kind.PATTERNS), policy.PatternSet)


def raw(digest: str, *, kind: str | None = None) -> bytes:
    """Give the bytes of an attachment.

    :raises NotStoredError: there is none, or it is of another kind.
    """
    rows = Attachment.objects.filter(digest=digest)
    found = rows.filter(kind=kind) if kind else rows
    content = found.values_list("raw", flat=True).first()
    if content is None:
        raise NotStoredError(f"{digest}: the attachment is not at hand")
    return bytes(content)


def _lines(digest: str) -> list[str]:
    """Read our own list: it was checked when it was stored, and its address vouches for it since."""
    return raw(digest, kind=Attachment.Kind.SUBJECTS).decode().split("\n")[:-1]
