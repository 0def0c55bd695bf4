"""What each limit of a policy is counted by at a gateway, asked of the service beside it."""

from __future__ import annotations

import aiohttp
import msgspec

from enforcement import policy
from enforcement.report import Basis


class _Told(msgspec.Struct):
    basis: Basis


async def bases(session: aiohttp.ClientSession, url: str, content: policy.Content) -> dict[str, Basis]:
    """Give the basis of every limit by its correction; ``url`` is that of the service, "" without one."""
    limits = [item for item in content.corrections if isinstance(item.effect, policy.Limiting)]
    told = await _asked(session, url) if url and limits else None
    return {item.id: told or without_service(item.effect) for item in limits}


def without_service(effect: policy.Effect) -> Basis:
    """Give what is left when nobody answers: for requests the floor of this gateway, else nothing."""
    return "gateway" if isinstance(effect, policy.RequestLimit) else "closed"


async def _asked(session: aiohttp.ClientSession, url: str) -> Basis | None:
    try:
        async with session.get(f"{url.rstrip('/')}/basis") as answer:
            return msgspec.json.decode(await answer.read(), type=_Told).basis
    except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError):
        return None
