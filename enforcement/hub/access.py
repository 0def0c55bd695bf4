"""Who may call what: two kinds of bearer tokens."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import TYPE_CHECKING, Literal, TypeAlias

from enforcement.hub.http import ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from enforcement.hub.http import Request

Role: TypeAlias = Literal["control", "agent"]


class Access:
    """The known tokens, as digests: comparing those takes the same time wherever they differ."""

    def __init__(self, *, control: Iterable[str], agent: Iterable[str]) -> None:
        self._known: list[tuple[bytes, Role]] = [
            *((_digest(token), "control") for token in control),
            *((_digest(token), "agent") for token in agent),
        ]

    def check(self, request: Request, allowed: tuple[Role, ...]) -> None:
        """Let the request pass, or refuse it.

        :raises ProblemError: 401 without a known token, 403 with one of the wrong kind.
        """
        scheme, _, token = request.header("authorization").partition(" ")
        offered = _digest(token.strip())
        roles = [role for known, role in self._known if hmac.compare_digest(known, offered)]
        if scheme.lower() != "bearer" or not roles:
            raise ProblemError(401, "unauthorized", "A known bearer token is needed.")
        if roles[0] not in allowed:
            raise ProblemError(403, "forbidden", f"This needs a token for {' or '.join(allowed)}.")


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
