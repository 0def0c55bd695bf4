"""The hub's settings, from the environment only."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from enforcement import policy
from enforcement.hub.access import Access
from enforcement.keys import parse_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


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
    control = _tokens(environment, "HUB_CONTROL_TOKEN_FILE")
    agent = _tokens(environment, "HUB_AGENT_TOKEN_FILE")
    if set(control) & set(agent):
        raise SettingsError("HUB_CONTROL_TOKEN_FILE and HUB_AGENT_TOKEN_FILE must not share a token")
    return Settings(
        host=environment.get("HUB_HOST", "127.0.0.1"),
        port=_number(environment, "HUB_PORT", 8070, most=65_535),
        state=Path(_required(environment, "HUB_STATE_DIR")),
        access=Access(control=control, agent=agent),
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


def _tokens(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Read tokens, one a line: two for as long as one replaces the other."""
    tokens = tuple(_read(environment, name).split())
    if not tokens:
        raise SettingsError(f"{name}: the file holds no token")
    return tokens


def _keys(environment: Mapping[str, str]) -> dict[str, Ed25519PublicKey]:
    try:
        return parse_keys(_read(environment, "POLICY_KEYS_FILE").encode())
    except policy.PolicyError as error:
        raise SettingsError(f"POLICY_KEYS_FILE: {error}") from error
