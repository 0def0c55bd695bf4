"""Which addresses may be sent to: nobody is to reach the inside of our network through a webhook."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings

from irapp.common.errors import InvalidError

Address = IPv4Address | IPv6Address
_LONGEST = 500
_PORTS = {"https": 443, "http": 80}
_NAT64 = ip_network("64:ff9b::/96")
_NEVER = [
    ip_network(each)
    for each in (
        *("169.254.0.0/16", "fe80::/10"),  # link-local, where clouds keep their metadata services
        *("100.100.100.200/32", "168.63.129.16/32", "fd00:ec2::254/128"),  # … and where some others do
    )
]


class AddressError(Exception):
    """The host cannot be found, or lies where nothing is sent to."""


class NotFoundError(AddressError):
    """The host cannot be found, now."""


@dataclass(frozen=True)
class Target:
    """An address, taken apart."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        """The value of the ``Host`` header."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == _PORTS[self.scheme] else f"{name}:{self.port}"


def parse(url: str) -> Target:
    """Take an address apart.

    :raises InvalidError: it is none, or one that is never sent to.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise _wrong(f"This is not an address: {error}.") from error
    if len(url) > _LONGEST or not url.isascii() or any(char <= " " for char in url):
        raise _wrong(f"An address has at most {_LONGEST} characters, without spaces, in plain ASCII.")
    if parts.scheme not in _PORTS or not host:
        raise _wrong("An address begins with https:// and a host.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise _wrong("An address holds no user name, no password and no fragment.")
    query = f"?{parts.query}" if parts.query else ""
    target = Target(parts.scheme, host, port or _PORTS[parts.scheme], (parts.path or "/") + query)
    if target.scheme == "http" and not _names_loopback(host):
        raise _wrong("Plain http:// is for the loopback only; use https://.")
    return target


def resolve(target: Target) -> list[str]:
    """Find the addresses of a host now; whoever connects uses one of these and asks no second time.

    :raises NotFoundError: there are none.
    :raises AddressError: one of them lies where nothing is sent to.
    """
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotFoundError(f"{target.host} cannot be found: {error}") from error
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    for each in addresses:
        if reason := why_not(ip_address(each.partition("%")[0]), target.scheme):
            raise AddressError(f"{target.host} is {each}: {reason}")
    return addresses


def why_not(address: Address, scheme: str) -> str:
    """Say why nothing is sent to an address; empty where it may be."""
    address = _inner(address)
    if any(address in network for network in _NEVER):
        return "link-local and metadata addresses are never sent to."
    if scheme == "http" and not address.is_loopback:
        return "plain http:// is for the loopback only."
    if address.is_global and not address.is_multicast:
        return ""
    if any(address in ip_network(network) for network in settings.WEBHOOK_ALLOWED_NETWORKS):
        return ""
    return "private addresses are sent to only where WEBHOOK_ALLOWED_NETWORKS names them."


def _inner(address: Address) -> Address:
    """See through IPv6 addresses that stand for IPv4 ones."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _names_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _wrong(message: str) -> InvalidError:
    return InvalidError(message, field="url")
