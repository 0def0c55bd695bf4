"""How each API of a model writes a stream: where its texts are, and how it ends."""

from __future__ import annotations

from enforcement.filter.wire.base import Text, Wire
from enforcement.filter.wire.chat import Chat
from enforcement.filter.wire.messages import Messages
from enforcement.filter.wire.responses import Responses

__all__ = ["Text", "Wire", "of"]

_WIRES: dict[str, type[Wire]] = {
    "chat.completions": Chat,
    "completions": Chat,
    "responses": Responses,
    "messages": Messages,
}


def of(endpoint: str) -> Wire:
    """Give the wire of an endpoint, for one stream. What has none of its own is read like a chat."""
    return _WIRES.get(endpoint, Chat)()
