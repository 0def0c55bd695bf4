"""How many tokens a request is charged when its stream has ended."""

from __future__ import annotations

from collections.abc import Mapping

BYTES_PER_TOKEN = 4
"""Of English text; what an estimate goes by."""
PARTS = ("input", "output", "chunks", "text", "received", "sent", "status")
"""The figures of a stream, one descriptor each; what is not known is 0."""


def charge(metric: str, parts: Mapping[str, int]) -> int:
    """Give the tokens to charge: as the model said, or else estimated; never nothing for an answer."""
    said = {name: parts.get(name, 0) for name in ("input", "output")}
    if not any(said.values()):
        said = _estimated(parts)
    return sum(said.values()) if metric == "total" else said[metric]


def _estimated(parts: Mapping[str, int]) -> dict[str, int]:
    status = parts.get("status", 0)
    if status >= 300:  # noqa: PLR2004 - refused or failed: the model generated nothing
        return {"input": 0, "output": 0}
    chunks, text = parts.get("chunks", 0), parts.get("text", 0)
    if not (chunks or text):  # of a form that nobody knows, or compressed against our word
        text = parts.get("sent", 0)
    return {
        "input": max(1, _tokens(parts.get("received", 0))),
        "output": max(1, _tokens(text), chunks),
    }


def _tokens(size: int) -> int:
    return -(-size // BYTES_PER_TOKEN)
