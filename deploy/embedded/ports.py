"""Ports: the usual ones, free ones for throw-away stacks, and a clear word when one is taken."""

from __future__ import annotations

import secrets
import socket
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from deploy.embedded.errors import StartError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LOOPBACK = "127.0.0.1"
LOWEST, HIGHEST = 10_240, 32_768


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Where each part listens. Each is set by ``IRAPP_<NAME>_PORT``; PostgreSQL's is 0 for any free one."""

    web: int = 8000
    live: int = 8001
    hub: int = 8070
    filter: int = 8071
    model: int = 8072
    ratelimit: int = 8073
    ratelimit_admin: int = 8074
    gateway: int = 8080
    envoy_admin: int = 9901
    postgres: int = 0


def variable(name: str) -> str:
    """Give the environment variable of a port."""
    return f"IRAPP_{name.upper()}_PORT"


def from_environment(environment: Mapping[str, str]) -> Ports:
    """Read the ports that were chosen.

    :raises StartError: one is no port.
    """
    chosen = {field.name: environment.get(variable(field.name), "") for field in fields(Ports)}
    for name, text in chosen.items():
        if text and not (text.isdecimal() and 0 < int(text) < 65_536):  # noqa: PLR2004 - all ports
            raise StartError(f"{variable(name)} must be a port number, not {text!r}")
    return Ports(**{name: int(text) for name, text in chosen.items() if text})


def all_free() -> Ports:
    """Choose free ports for everything. They are held until all are chosen, so that none comes twice."""
    names = [field.name for field in fields(Ports)]
    held = [_held() for _ in names]
    try:
        return Ports(**{name: probe.getsockname()[1] for name, probe in zip(names, held, strict=True)})
    finally:
        for probe in held:
            probe.close()


def check(ports: Ports, names: Iterable[str]) -> None:
    """Look whether the named ports can be had.

    :raises StartError: naming those that are taken and how to choose others.
    """
    taken = [name for name in names if not is_free(getattr(ports, name))]
    if taken:
        listed = ", ".join(f"{getattr(ports, name)} ({variable(name)})" for name in taken)
        raise StartError(f"taken by another program: port {listed}; end it, or set the variable to another")


def free() -> int:
    """Give a port that nobody listens on right now."""
    with _held() as probe:
        port: int = probe.getsockname()[1]
    return port


def _held() -> socket.socket:
    """Hold a free port, below those that systems give to outgoing connections.

    One of theirs could be taken by somebody's connection while the server that has it is started again.
    """
    while True:
        probe = socket.socket()
        try:
            probe.bind((LOOPBACK, LOWEST + secrets.randbelow(HIGHEST - LOWEST)))
        except OSError:
            probe.close()
        else:
            return probe


def is_free(port: int) -> bool:
    """Say whether a server could listen on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Say whether something accepts connections on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0
