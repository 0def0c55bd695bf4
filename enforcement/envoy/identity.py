"""Who is calling: API keys and what they are registered for."""

from __future__ import annotations

from collections.abc import Collection

from enforcement.envoy.gateway import Client, Gateway
from enforcement.envoy.types import any_of
from enforcement.envoy.unreached import BUSY, UNMARKED, tag

PROBE = f"{UNMARKED}probe"
"""What the key filter calls the agent's own key; such a request names the identity it speaks for."""


def keys(gateway: Gateway, unreached: Collection[Client] = ()) -> dict[str, object]:
    """Give the key filter: who is calling, behind the mark of those whom nothing reaches.

    The key itself goes no further than this.
    """
    free = tag(unreached)

    def mark(client: Client) -> str:
        return (free if client in unreached else UNMARKED) + (BUSY if client.key_id in gateway.busy else "")

    credentials = [
        {"key": client.key, "client": f"{mark(client)};{client.line}"} for client in gateway.clients
    ]
    return any_of(
        "http.api_key_auth.v3.ApiKeyAuth",
        credentials=[*credentials, {"key": gateway.probe_key, "client": PROBE}],
        key_sources=[{"header": "authorization"}],
        forwarding={"header": "x-irapp-client", "hide_credentials": True},
    )
