"""What a subject may be called: as the policy says, and so that a reader can tell two names apart."""

from __future__ import annotations

import re
from typing import Final

from enforcement import policy

LONGEST: Final = 200
_PLAIN: Final = re.compile(r"[A-Za-z0-9._@:/+*#~!?%&$()\[\]{}<>^'`-]{1,200}")
"""Names that need no closer look: nearly all."""
_WHITE: Final = re.compile(r"\s")


def why_no_name(name: str) -> str:
    """Say why the gateways could not know a subject by this name; nothing where they can."""
    if _PLAIN.fullmatch(name):
        return ""
    if not name:
        return "no value in this column"
    if len(name) > LONGEST:
        return f"longer than {LONGEST} characters"
    if _WHITE.search(name):
        return "contains white space"
    hidden = next((character for character in name if not character.isprintable()), "")
    if hidden:
        return f"contains an invisible character (U+{ord(hidden):04X})"
    return _why_not_in_policy(name)


def _why_not_in_policy(name: str) -> str:
    try:
        policy.convert(name, policy.Name)
    except policy.PolicyError:
        wrong = next((mark for mark in ';=,"\\|' if mark in name), "")
        return f"contains {wrong}" if wrong else "not a name that gateways know"
    return ""
