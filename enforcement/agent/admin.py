"""Envoy's own word about what it runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import aiohttp

from enforcement.envoy import listener

_LINE = re.compile(r"irapp-(\w+)\.(version_text|update_rejected|config_fail): \"?([^\"\n]*)\"?")
_REJECTION = re.compile(r"update rejected: (.*)")
_ERROR = re.compile(r"\[(?:error|critical)\]\[\w+\] (?:\[\S+\] )?(.*)")
TAIL = 20_000


class Loaded(NamedTuple):
    """The versions that Envoy runs by filter, and how many updates it rejected since it started."""

    versions: dict[str, str]
    rejected: int


class Admin:
    """A client of Envoy's admin port, which listens on the loopback only."""

    def __init__(self, session: aiohttp.ClientSession, port: int) -> None:
        self._session = session
        self._url = f"http://127.0.0.1:{port}"

    async def loaded(self) -> Loaded | None:
        """Ask for versions and rejections; nothing means that Envoy does not answer."""
        text = await self._get("/stats?filter=extension_config_discovery")
        if text is None:
            return None
        versions: dict[str, str] = {}
        rejected = 0
        for name, what, value in _LINE.findall(text):
            if what == "version_text":
                versions[name] = value
            elif what == "update_rejected":
                rejected += int(value)
        return Loaded(versions, rejected)

    async def live(self) -> bool:
        """Tell whether Envoy serves: a port that it cannot bind leaves it up without a listener."""
        text = await self._get("/stats?filter=^listener_manager.total_listeners_active$")
        return text is not None and text.strip().endswith(f": {listener.COUNT}")

    async def node(self) -> str | None:
        """Give the path of the configuration that the Envoy at this port runs."""
        text = await self._get("/server_info")
        found = re.search(r'"config_path": "([^"]*)"', text or "")
        return found.group(1) if found else None

    async def reopen_logs(self) -> None:
        """Make Envoy write to new log files, after the old ones were renamed."""
        await self._post("/reopen_logs")

    async def _get(self, path: str) -> str | None:
        try:
            async with self._session.get(self._url + path) as response:
                return await response.text()
        except (aiohttp.ClientError, TimeoutError):
            return None

    async def _post(self, path: str) -> None:
        try:
            async with self._session.post(self._url + path):
                pass
        except (aiohttp.ClientError, TimeoutError):
            return


def last_rejection(log: Path) -> str:
    """Give the last reason for a rejection that Envoy logged."""
    return _last(_REJECTION, log)


def last_words(log: Path) -> str:
    """Give what Envoy logged last about an error, or about a port that is taken."""
    return _last(_ERROR, log) or last_rejection(log)


def _last(pattern: re.Pattern[str], log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - TAIL))
            found = pattern.findall(file.read().decode(errors="replace"))
    except OSError:
        return ""
    return found[-1][:500] if found else ""
