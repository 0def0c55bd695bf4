"""Who may call what: two kinds of bearer tokens."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from enforcement.hub.http import ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from enforcement.hub.http import Request

Role: TypeAlias = Literal["control", "agent"]


class AgentToken(NamedTuple):
    """A token, and the gateway that alone it speaks for; no name means any gateway."""

    gateway: str
    token: str


class _Known(NamedTuple):
    digest: bytes
    role: Role
    gateway: str = ""


class Access:
    """The known tokens, as digests: comparing those takes the same time wherever they differ."""

    def __init__(self, *, control: Iterable[str], agent: Iterable[AgentToken]) -> None:
        self._known = [
            *(_Known(_digest(token), "control") for token in control),
            *(_Known(_digest(one.token), "agent", one.gateway) for one in agent),
        ]

    def check(self, request: Request, allowed: tuple[Role, ...]) -> None:
        """Let the request pass and note for which gateway it may speak, or refuse it.

        :raises ProblemError: 401 without a known token, 403 with one of the wrong kind.
        """
        scheme, _, token = request.header("authorization").partition(" ")
        offered = _digest(token.strip())
        found = [known for known in self._known if hmac.compare_digest(known.digest, offered)]
        if scheme.lower() != "bearer" or not found:
            raise ProblemError(401, "unauthorized", "A known bearer token is needed.")
        if found[0].role not in allowed:
            raise ProblemError(403, "forbidden", f"This needs a token for {' or '.join(allowed)}.")
        request.gateway = found[0].gateway


def check_speaks_for(request: Request, names: Iterable[str]) -> None:
    """Refuse who speaks for a gateway that the token does not belong to.

    :raises ProblemError: 403, naming the gateway.
    """
    for name in names:
        if request.gateway not in ("", name):
            raise ProblemError(403, "wrong_gateway", f"This token speaks for {request.gateway}, not {name}.")


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
