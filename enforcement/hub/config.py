"""The hub's settings, from the environment only."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from enforcement import policy
from enforcement.hub.access import Access
from enforcement.hub.tokens import TokenError, bound_tokens, plain_tokens
from enforcement.keys import parse_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


UNBOUND = "HUB_UNBOUND_AGENT_TOKENS"


class SettingsError(Exception):
    """A setting is missing or wrong; the text names the variable."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an operator tells the hub."""

    host: str
    port: int
    state: Path
    access: Access
    keys: dict[str, Ed25519PublicKey]
    traffic_records: int


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings.

    :raises SettingsError: naming the variable.
    """
    return Settings(
        host=environment.get("HUB_HOST", "127.0.0.1"),
        port=_number(environment, "HUB_PORT", 8070, most=65_535),
        state=Path(_required(environment, "HUB_STATE_DIR")),
        access=_access(environment),
        keys=_keys(environment),
        traffic_records=_number(environment, "HUB_TRAFFIC_RECORDS", 1_000_000, most=50_000_000),
    )


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise SettingsError(f"{name} is not set")
    return value


def _number(environment: Mapping[str, str], name: str, default: int, *, most: int) -> int:
    text = environment.get(name) or str(default)
    if not text.isdecimal() or not 0 < int(text) <= most:
        raise SettingsError(f"{name} must be a number from 1 to {most}, not {text!r}")
    return int(text)


def _read(environment: Mapping[str, str], name: str) -> str:
    path = Path(_required(environment, name))
    try:
        return path.read_text()
    except OSError as error:
        raise SettingsError(f"{name}: cannot read {path}: {error.strerror}") from error


def _access(environment: Mapping[str, str]) -> Access:
    name = "HUB_CONTROL_TOKEN_FILE"
    try:
        control = plain_tokens(_read(environment, name))
        name = "HUB_AGENT_TOKEN_FILE"
        agent = bound_tokens(_read(environment, name), unbound_too=_is_on(environment, UNBOUND))
    except TokenError as error:
        raise SettingsError(f"{name}: {error}") from error
    if set(control) & {one.token for one in agent}:
        raise SettingsError("HUB_CONTROL_TOKEN_FILE and HUB_AGENT_TOKEN_FILE must not share a token")
    return Access(control=control, agent=agent)


def _is_on(environment: Mapping[str, str], name: str) -> bool:
    text = environment.get(name, "").lower()
    if text not in {"", "true", "false"}:
        raise SettingsError(f"{name} must be true or false, not {text!r}")
    return text == "true"


def _keys(environment: Mapping[str, str]) -> dict[str, Ed25519PublicKey]:
    try:
        return parse_keys(_read(environment, "POLICY_KEYS_FILE").encode())
    except policy.PolicyError as error:
        raise SettingsError(f"POLICY_KEYS_FILE: {error}") from error
