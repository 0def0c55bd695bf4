"""Who is calling: API keys and what they are registered for."""

from __future__ import annotations

from enforcement.envoy.gateway import Gateway
from enforcement.envoy.types import any_of

PROBE = "probe"
"""What the key filter calls the agent's own key; such a request names the identity it speaks for."""


def keys(gateway: Gateway) -> dict[str, object]:
    """Give the key filter. The key itself goes no further than this."""
    credentials = [{"key": client.key, "client": client.line} for client in gateway.clients]
    return any_of(
        "http.api_key_auth.v3.ApiKeyAuth",
        credentials=[*credentials, {"key": gateway.probe_key, "client": PROBE}],
        key_sources=[{"header": "authorization"}],
        forwarding={"header": "x-irapp-client", "hide_credentials": True},
    )
