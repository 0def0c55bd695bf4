"""The agent's settings, from the environment only."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from enforcement import policy
from enforcement.agent import files
from enforcement.envoy.binary import find
from enforcement.envoy.gateway import Gateway, load_clients, load_models
from enforcement.keys import parse_keys

SECRET_FILE = "filter.secret"  # noqa: S105 - the name of a file


class SettingsError(Exception):
    """A setting is missing or wrong; the text names it and says what it should be."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an operator tells the agent."""

    gateway: str
    host: str
    port: int
    admin_port: int
    filter_address: str
    ratelimit_address: str
    ratelimit_url: str
    hubs: tuple[str, ...]
    token: str
    keys: dict[str, Ed25519PublicKey]
    state: Path
    clients_file: Path
    models_file: Path
    envoy: Path
    concurrency: str


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Read the settings.

    :raises SettingsError: naming the variable.
    """
    take = _Reader(environment)
    hubs = tuple(url.strip().rstrip("/") for url in take.text("AGENT_HUB_URLS").split(",") if url)
    return Settings(
        gateway=take.text("AGENT_GATEWAY"),
        host=take.text("AGENT_GATEWAY_HOST", "127.0.0.1"),
        port=take.port("AGENT_GATEWAY_PORT", "8080"),
        admin_port=take.port("AGENT_ADMIN_PORT", "9901"),
        filter_address=take.text("AGENT_FILTER_ADDRESS", "127.0.0.1:8071"),
        ratelimit_address=take.text("AGENT_RATELIMIT_ADDRESS", ""),
        ratelimit_url=take.text("AGENT_RATELIMIT_URL", ""),
        hubs=hubs,
        token=take.token("AGENT_TOKEN_FILE"),
        keys=load_keys(take.file("POLICY_KEYS_FILE")),
        state=Path(take.text("AGENT_STATE_DIR")).absolute(),
        clients_file=take.file("AGENT_CLIENTS_FILE"),
        models_file=take.file("AGENT_MODELS_FILE"),
        envoy=take.binary("AGENT_ENVOY"),
        concurrency=take.text("AGENT_ENVOY_CONCURRENCY", "0"),
    )


def load_keys(path: Path) -> dict[str, Ed25519PublicKey]:
    """Read the public keys that policies are signed with.

    :raises SettingsError: not a JSON object of base64 keys.
    """
    try:
        return parse_keys(path.read_bytes())
    except policy.PolicyError as error:
        raise SettingsError(f"POLICY_KEYS_FILE: {error}") from error


def load_gateway(settings: Settings, *, probe_key: str) -> Gateway:
    """Read the files of models and clients.

    :raises SettingsError: a file cannot be read or understood.
    """
    try:
        models, clients = load_models(settings.models_file), load_clients(settings.clients_file)
    except (OSError, policy.PolicyError) as error:
        raise SettingsError(f"models or clients: {error}") from error
    return Gateway(
        name=settings.gateway,
        host=settings.host,
        port=settings.port,
        admin_port=settings.admin_port,
        filter_address=settings.filter_address,
        folder=settings.state / "envoy",
        models=models,
        clients=clients,
        probe_key=probe_key,
        secret=filter_secret(settings.state),
        ratelimit_address=settings.ratelimit_address,
    )


def filter_secret(state: Path) -> str:
    """Give the secret by which the content filter knows Envoy, made on the first start."""
    path = state / SECRET_FILE
    kept = files.read(path)
    if kept is None:
        kept = secrets.token_urlsafe(32).encode()
        files.write(path, kept, durable=True)
    return kept.decode()


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def text(self, name: str, default: str | None = None) -> str:
        value = self._environment.get(name) or default
        if value is None:
            raise SettingsError(f"{name} is not set")
        return value

    def port(self, name: str, default: str) -> int:
        text = self.text(name, default)
        if not text.isdigit() or not 0 < int(text) < 2**16:
            raise SettingsError(f"{name} must be a port number, not {text!r}")
        return int(text)

    def file(self, name: str) -> Path:
        path = Path(self.text(name)).absolute()
        if not path.is_file():
            raise SettingsError(f"{name} names no file: {path}")
        return path

    def token(self, name: str) -> str:
        lines = self.file(name).read_text().split()
        if not lines:
            raise SettingsError(f"{name} names an empty file")
        return lines[0]

    def binary(self, name: str) -> Path:
        try:
            return find(self._environment.get(name, ""))
        except FileNotFoundError as error:
            raise SettingsError(str(error)) from error
