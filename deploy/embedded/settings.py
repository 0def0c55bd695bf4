"""The environment that the parts of a stack run in.

What the operator set stays; the rest points at the parts that are started here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy.embedded import leftovers
from deploy.embedded.process import ROOT
from deploy.embedded.secret import write_private
from deploy.embedded.state import GATEWAY, KEY_ID

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from deploy.embedded.ports import Ports
    from deploy.embedded.state import State

DEMO = ROOT / "deploy" / "demo"
PEOPLE = "people.json"
OFF = {"", "0", "false", "no", "off"}


@dataclass(frozen=True)
class Addresses:
    """Where people and programs find the parts. One host name, so that cookies fit pages and live updates."""

    web: str
    live: str
    gateway: str
    hub: str

    @classmethod
    def of(cls, ports: Ports) -> Addresses:
        """Give the addresses for the ports."""
        return cls(
            web=f"http://localhost:{ports.web}",
            live=f"http://localhost:{ports.live}",
            gateway=f"http://localhost:{ports.gateway}",
            hub=f"http://127.0.0.1:{ports.hub}",
        )


def is_on(environment: Mapping[str, str], name: str) -> bool:
    """Say whether a switch is on; it is unless it was switched off."""
    return environment.get(name, "true").lower() not in OFF


def compose(environment: Mapping[str, str], *, state: State, ports: Ports) -> dict[str, str]:
    """Add to the operator's environment what the parts need and it does not say."""
    addresses = Addresses.of(ports)
    result = {
        "DEMO": "true",
        "PUBLIC_URL": addresses.web,
        "LIVE_URL": addresses.live,
        "GATEWAY_URL": addresses.gateway,
        "ENFORCEMENT_URLS": addresses.hub,
        "POLICY_SIGNING_KEY_FILE": str(state.secret("policy-signing-key.pem")),
        "POLICY_KEY_ID": KEY_ID,
        "STATIC_ROOT": str(state.folder / "static"),
        "IRAPP_WEB_BIND": f"127.0.0.1:{ports.web}",
        "PYTHONUNBUFFERED": "1",
        **environment,
        "IRAPP_STATE_DIR": str(state.folder),
        leftovers.MARK: str(state.folder),
    }
    _offer_file(result, "SECRET_KEY", state.secret("secret-key"))
    _offer_file(result, "ENFORCEMENT_TOKEN", state.secret("control-token"))
    return result


def enforcement(environment: Mapping[str, str], *, state: State, ports: Ports) -> dict[str, str]:
    """Add what hub, agent, filter, rate-limit service and demo model need."""
    agent = state.folder / "agent"
    return {
        **environment,
        "HUB_HOST": "127.0.0.1",
        "HUB_PORT": str(ports.hub),
        "HUB_STATE_DIR": str(state.folder / "hub"),
        "HUB_CONTROL_TOKEN_FILE": str(state.secret("control-token")),
        "HUB_AGENT_TOKEN_FILE": str(state.secret("agent-tokens")),
        "POLICY_KEYS_FILE": str(state.secret("policy-keys.json")),
        "AGENT_GATEWAY": GATEWAY,
        "AGENT_HUB_URLS": Addresses.of(ports).hub,
        "AGENT_TOKEN_FILE": str(state.secret("agent-token")),
        "AGENT_STATE_DIR": str(agent),
        "AGENT_CLIENTS_FILE": str(DEMO / "clients.json"),
        "AGENT_MODELS_FILE": str(_models_file(state, ports)),
        "AGENT_GATEWAY_PORT": str(ports.gateway),
        "AGENT_ADMIN_PORT": str(ports.envoy_admin),
        "AGENT_FILTER_ADDRESS": f"127.0.0.1:{ports.filter}",
        "FILTER_HOST": "127.0.0.1",
        "FILTER_PORT": str(ports.filter),
        "FILTER_POLICY_FILE": str(agent / "policy.json"),
        "FILTER_MODELS_FILE": str(_models_file(state, ports)),
        "AGENT_RATELIMIT_ADDRESS": f"127.0.0.1:{ports.ratelimit}",
        "AGENT_RATELIMIT_URL": f"http://127.0.0.1:{ports.ratelimit_admin}",
        "RATELIMIT_PORT": str(ports.ratelimit),
        "RATELIMIT_ADMIN_PORT": str(ports.ratelimit_admin),
        "RATELIMIT_ENVOY_ADMIN": f"http://127.0.0.1:{ports.envoy_admin}",
        "REDIS_URL": _shared_counters(environment),
        "DEMO_MODEL_PORT": str(ports.model),
        "TRAFFIC_GATEWAY_URL": Addresses.of(ports).gateway,
        "TRAFFIC_CLIENTS_FILE": str(DEMO / "clients.json"),
    }


def _shared_counters(environment: Mapping[str, str]) -> str:
    """Give where limits are counted: the broker's Redis, unless there is another or the broker is none."""
    broker = environment.get("CELERY_BROKER_URL", "")
    return environment.get("REDIS_URL", "") or (broker if broker.startswith(("redis", "unix")) else "")


def _offer_file(environment: dict[str, str], name: str, path: Path) -> None:
    if not environment.get(name):
        environment.setdefault(f"{name}_FILE", str(path))


def _models_file(state: State, ports: Ports) -> Path:
    """Write the demo's models with the port at which the model really listens."""
    models = json.loads((DEMO / "models.json").read_text())
    for model in models.values():
        model["upstream"] = f"127.0.0.1:{ports.model}"
    text = json.dumps(models)
    if state.recall("models.json") != text:
        write_private(state.folder / "models.json", text)
    return state.folder / "models.json"
