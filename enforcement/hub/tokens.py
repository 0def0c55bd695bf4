"""The files of tokens: who may call the hub, and for which gateway an agent may speak."""

from __future__ import annotations

import msgspec

from enforcement.hub.access import AgentToken
from enforcement.policy import Name


class TokenError(Exception):
    """A file of tokens that cannot be used; the text names the line, never a token."""


def plain_tokens(text: str) -> tuple[str, ...]:
    """Read tokens, one a line: two for as long as one replaces the other.

    :raises TokenError: there is none.
    """
    tokens = tuple(text.split())
    if not tokens:
        raise TokenError("the file holds no token")
    return tokens


def bound_tokens(text: str, *, unbound_too: bool = False) -> tuple[AgentToken, ...]:
    """Read lines of ``gateway token``; a gateway may have several while one replaces the other.

    :param unbound_too: accept lines of a token alone, which may speak for any gateway.
    :raises TokenError: there is none, a line is something else, or a token stands for two gateways.
    """
    lines = [(number, line.split()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    found = tuple(_token(number, words, unbound_too=unbound_too) for number, words in lines)
    if not found:
        raise TokenError("the file holds no token")
    owners = {one.token: one.gateway for one in found}
    for (number, _), one in zip(lines, found, strict=True):
        if owners[one.token] != one.gateway:
            raise TokenError(f"line {number}: the same token stands for another gateway too")
    return found


def _token(number: int, words: list[str], *, unbound_too: bool) -> AgentToken:
    if len(words) == 1 and unbound_too:
        return AgentToken("", words[0])
    if len(words) != 2:  # noqa: PLR2004
        raise TokenError(f"line {number}: must be a gateway's name and its token")
    try:
        return AgentToken(msgspec.convert(words[0], Name), words[1])
    except msgspec.ValidationError as error:
        raise TokenError(f"line {number}: not a name for a gateway: {error}") from error
