"""The service's settings, from the environment only."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass


class SettingsError(Exception):
    """A setting is missing or wrong; the text names the variable."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an operator tells the service.

    :param redis: the shared counters; empty: every gateway counts for itself.
    :param envoy: the address of Envoy's admin, by which it is known when requests are gone with it.
    :param life: how long a place is held without a word from the service that gave it.
    :param longest: after this nothing is held any more, whatever is said.
    """

    host: str
    port: int
    admin_port: int
    redis: str
    prefix: str
    timeout: float
    envoy: str
    life: float
    longest: float


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings.

    :raises SettingsError: naming the variable.
    """
    return Settings(
        host=environment.get("RATELIMIT_HOST", "127.0.0.1"),
        port=_number(environment, "RATELIMIT_PORT", 8073, most=65_535),
        admin_port=_number(environment, "RATELIMIT_ADMIN_PORT", 8074, most=65_535),
        redis=_redis(environment),
        prefix=environment.get("RATELIMIT_PREFIX", "irapp"),
        timeout=_number(environment, "RATELIMIT_REDIS_TIMEOUT_MS", 250, most=10_000) / 1000,
        envoy=environment.get("RATELIMIT_ENVOY_ADMIN", "").rstrip("/"),
        life=_number(environment, "RATELIMIT_LEASE_SECONDS", 15, most=3600),
        longest=_number(environment, "RATELIMIT_STREAM_SECONDS", 3600, most=86_400),
    )


def _redis(environment: Mapping[str, str]) -> str:
    url = environment.get("REDIS_URL", "")
    if url and not url.startswith(("redis://", "rediss://", "unix://", "redis+socket://")):
        raise SettingsError("REDIS_URL must begin with redis://, rediss:// or unix://")
    return url


def _number(environment: Mapping[str, str], name: str, default: int, *, most: int) -> int:
    text = environment.get(name) or str(default)
    if not text.isdecimal() or not 0 < int(text) <= most:
        raise SettingsError(f"{name} must be a number from 1 to {most}, not {text!r}")
    return int(text)
