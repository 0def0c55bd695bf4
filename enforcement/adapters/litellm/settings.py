"""The settings of the door, from the environment only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from enforcement import policy
from enforcement.keys import parse_keys
from enforcement.ratelimit import config as ratelimit


class SettingsError(Exception):
    """A setting is missing or wrong; the text names it. LiteLLM does not start then."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an operator tells the door.

    :param counting: where requests are counted, as for the rate-limit service of a gateway with Envoy.
    :param unguarded: call types of LiteLLM that pass although no policy speaks of them; others are refused.
    """

    gateway: str
    hubs: tuple[str, ...]
    token: str
    keys: dict[str, Ed25519PublicKey]
    state: Path
    unguarded: frozenset[str]
    counting: ratelimit.Settings


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Read the settings.

    :raises SettingsError: naming the variable.
    """
    state = Path(_text(environment, "IRAPP_STATE_DIR")).absolute()
    return Settings(
        gateway=_text(environment, "IRAPP_GATEWAY"),
        hubs=tuple(url.rstrip("/") for url in _names(_text(environment, "IRAPP_HUB_URLS"))),
        token=_content(environment, "IRAPP_TOKEN_FILE").decode().strip(),
        keys=_keys(environment),
        state=state,
        unguarded=frozenset(_names(environment.get("IRAPP_UNGUARDED_CALLS", ""))),
        counting=_counting(environment),
    )


def _counting(environment: Mapping[str, str]) -> ratelimit.Settings:
    """Read where to count: not REDIS_URL, which LiteLLM takes for its own cache."""
    url = environment.get("IRAPP_REDIS_URL", "").strip()
    try:
        return ratelimit.from_environment({**environment, "REDIS_URL": url})
    except ratelimit.SettingsError as error:
        raise SettingsError(
            f"IRAPP_REDIS_URL: {error}" if "REDIS_URL" in str(error) else str(error)
        ) from error


def _text(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise SettingsError(f"{name} is not set")
    return value


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _content(environment: Mapping[str, str], name: str) -> bytes:
    try:
        return Path(_text(environment, name)).read_bytes()
    except OSError as error:
        raise SettingsError(f"{name}: {error}") from error


def _keys(environment: Mapping[str, str]) -> dict[str, Ed25519PublicKey]:
    try:
        return parse_keys(_content(environment, "IRAPP_KEYS_FILE"))
    except policy.PolicyError as error:
        raise SettingsError(f"IRAPP_KEYS_FILE: {error}") from error
