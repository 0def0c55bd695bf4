"""What a refused caller gets to see."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from enforcement.decide import REFUSALS
from enforcement.policy import OutputCap, Reroute
from enforcement.refusals import refusal, retry_after

if TYPE_CHECKING:
    from enforcement import policy


@dataclass(frozen=True)
class Refused:
    """The answer of the gateway: status line, headers and body."""

    status: HTTPStatus
    retry_after: int | None
    correction: str
    body: str


def refused(said: policy.Correction) -> Refused | None:
    """Show the answer to a caller whom this correction refuses; None where it refuses nobody."""
    if isinstance(said.effect, OutputCap | Reroute) or said.mode == "shadow":
        return None
    status = HTTPStatus(REFUSALS[type(said.effect)][1])
    body = json.dumps(refusal(said), indent=2, ensure_ascii=False)
    return Refused(status, retry_after(said), said.id, body)
