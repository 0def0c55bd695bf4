"""Who may call what: two kinds of bearer tokens."""

from __future__ import annotations

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
    role: Role
    gateway: str = ""


class Access:
    """The known tokens, found by their digests: how long that takes says nothing of a token.

    However many agents there are, each of their requests looks its token up once.
    """

    def __init__(self, *, control: Iterable[str], agent: Iterable[AgentToken]) -> None:
        self._known = {_digest(one.token): _Known("agent", one.gateway) for one in agent}
        self._known |= {_digest(token): _Known("control") for token in control}

    def check(self, request: Request, allowed: tuple[Role, ...]) -> None:
        """Let the request pass and note for which gateway it may speak, or refuse it.

        :raises ProblemError: 401 without a known token, 403 with one of the wrong kind.
        """
        scheme, _, token = request.header("authorization").partition(" ")
        found = self._known.get(_digest(token.strip()))
        if scheme.lower() != "bearer" or found is None:
            raise ProblemError(401, "unauthorized", "A known bearer token is needed.")
        if found.role not in allowed:
            raise ProblemError(403, "forbidden", f"This needs a token for {' or '.join(allowed)}.")
        request.gateway = found.gateway


def check_speaks_for(request: Request, names: Iterable[str]) -> None:
    """Refuse who speaks for a gateway that the token does not belong to.

    :raises ProblemError: 403, naming the gateway.
    """
    for name in names:
        if request.gateway not in ("", name):
            raise ProblemError(403, "wrong_gateway", f"This token speaks for {request.gateway}, not {name}.")


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
