"""What a policy names by content address: long lists of subjects, and sets of patterns."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from enforcement.policy.base import PolicyError, Positive, Strict, Text
from enforcement.policy.effects import InputFilter, OutputFilter
from enforcement.policy.scopes import LIST_MOST

PATTERNS_MOST = 10_000
PATTERN_LENGTH = 500
_NAME = re.compile(r"[^\s\x00-\x1f;=,\"\\|]{1,200}")


class Pattern(Strict, frozen=True, kw_only=True):
    """One term or regular expression. ``sample`` is a text it must match; a probe will send it."""

    id: Annotated[str, Meta(min_length=1, max_length=100)]
    kind: Literal["literal", "regex"] = "literal"
    text: Annotated[str, Meta(min_length=1, max_length=PATTERN_LENGTH)]
    weight: Annotated[int, Meta(ge=1, le=100)] = 1
    sample: Annotated[str, Meta(max_length=PATTERN_LENGTH)] = ""


class PatternSet(Strict, frozen=True, kw_only=True):
    """A versioned set of patterns. Ids are unique and sorted, so that same content has same bytes."""

    format: Literal["irapp-patterns/1"] = "irapp-patterns/1"
    name: Text
    version: Positive
    patterns: Annotated[tuple[Pattern, ...], Meta(min_length=1, max_length=PATTERNS_MOST)]

    def __post_init__(self) -> None:
        """Refuse two patterns with one id, and an order that would give the same set two digests."""
        ids = [pattern.id for pattern in self.patterns]
        if ids != sorted(set(ids)):
            raise ValueError("patterns: ids must be unique and sorted")


msgspec.json.Decoder(PatternSet)  # before any thread does: see enforcement.policy.document


def address(raw: bytes) -> str:
    """Give the content address of an attachment."""
    return "sha256:" + hashlib.sha256(raw).hexdigest()


def subject_list(names: Iterable[str]) -> bytes:
    """Give the bytes of a list: each name once, sorted bytewise, each on a line of its own.

    :raises PolicyError: naming the first name that is none, or a list that is empty or too long.
    """
    lines = sorted({name.encode() for name in names})
    if not 0 < len(lines) <= LIST_MOST:
        raise PolicyError(f"a list has 1 to {LIST_MOST} names, not {len(lines)}")
    raw = b"\n".join(lines) + b"\n"
    read_subject_list(raw)
    return raw


def read_subject_list(raw: bytes) -> frozenset[str]:
    """Read a list.

    :raises PolicyError: not in the one form that :func:`subject_list` writes.
    """
    try:
        lines = raw.decode().split("\n")
    except UnicodeDecodeError as error:
        raise PolicyError("a list is UTF-8") from error
    if lines.pop() != "" or not 0 < len(lines) <= LIST_MOST:
        raise PolicyError(f"a list has 1 to {LIST_MOST} lines, the last one ended")
    wrong = next((line for line in lines if not _NAME.fullmatch(line)), None)
    if wrong is not None:
        raise PolicyError(f"{wrong!r} is no name of a subject")
    names = frozenset(lines)
    if len(names) != len(lines) or sorted(map(str.encode, lines)) != list(map(str.encode, lines)):
        raise PolicyError("the names of a list are sorted, each once")
    return names


def named_by(correction: msgspec.Struct) -> frozenset[str]:
    """Give the addresses that one correction names."""
    effect, users = correction.effect, correction.users  # type: ignore[attr-defined]
    lists = {each.attachment for each in users.lists}
    if isinstance(effect, InputFilter | OutputFilter):
        lists.add(effect.patterns.attachment)
    return frozenset(lists)
