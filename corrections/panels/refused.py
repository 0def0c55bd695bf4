"""What a refused caller gets to see."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from enforcement import policy
from enforcement.decide import REFUSALS
from enforcement.refusals import refusal, retry_after

if TYPE_CHECKING:
    from enforcement.policy import Correction

CHANGES = policy.OutputCap | policy.Rerouting | policy.SystemPrompt
LOOKS = policy.InputFilter | policy.OutputFilter | policy.Classifier


@dataclass(frozen=True)
class Refused:
    """The answer of the gateway: status line, headers and body."""

    status: HTTPStatus
    retry_after: int | None
    correction: str
    body: str


def refused(said: Correction) -> Refused | None:
    """Show the answer to a caller whom this correction refuses; None where it refuses nobody."""
    if unrefused(said):
        return None
    status = HTTPStatus(REFUSALS[type(said.effect)][1])
    body = json.dumps(refusal(said), indent=2, ensure_ascii=False)
    return Refused(status, retry_after(said), said.id, body)


def unrefused(said: Correction) -> str:
    """Say what callers see instead of a refusal; nothing where they are refused."""
    effect = said.effect
    if said.mode == "shadow":
        return "Nobody is refused by this: it is only counted."
    if isinstance(effect, policy.Exempt):
        return "Nobody is refused by this: whoever is in the scope is spared."
    if isinstance(effect, CHANGES):
        return "Nobody is refused by this: answers change."
    if isinstance(effect, LOOKS):
        return _looked_at(effect)
    return ""


def _looked_at(effect: LOOKS) -> str:
    if effect.action != "block":
        changed = "what matches is blacked out" if effect.action == "redact" else "matches are only counted"
        return f"Nobody is refused by this: {changed}."
    output = isinstance(effect, policy.OutputFilter) or getattr(effect, "where", "") == "output"
    ends = "An answer that is held back ends cleanly, with the finish reason content_filter."
    return ends if output else ""
