"""What the gateways said last, and whether they still speak."""

from __future__ import annotations

import asyncio
import secrets
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import structlog

from enforcement.hub import disk
from enforcement.hub.http import ProblemError
from enforcement.policy import Name
from enforcement.report import GatewayReport

if TYPE_CHECKING:
    from pathlib import Path

    from enforcement.hub.bell import Bell

LIVE_SECONDS = 10.0
MOST_GATEWAYS = 2_000
SAVE_EVERY = 1.0
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
log = structlog.get_logger()


class SeenReport(GatewayReport, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A gateway's last report, when it came, and whether the gateway still speaks."""

    seen_at: datetime
    live: bool


msgspec.json.Decoder(SeenReport)  # before any thread does: see enforcement.policy


class Statuses:
    """The last report of each gateway. Outlives a restart of the hub, so that silence is noticed."""

    def __init__(self, folder: Path, bell: Bell) -> None:
        self._path = disk.private_folder(folder) / "statuses.json"
        self._bell = bell
        self._seen: dict[str, SeenReport] = self._load()
        self._heard: dict[str, float] = {}
        self._told: dict[str, bytes] = {}
        self._kept = frozenset(self._seen)
        self._saving = asyncio.Lock()
        self._beside: asyncio.Future[None] | None = None
        self._written: dict[str, tuple[SeenReport, bool, msgspec.Raw]] = {}
        self._saved = 0.0
        self._start = secrets.token_hex(4)
        self._revision = 0

    def take(self, report: GatewayReport) -> None:
        """Note a report; wake those who wait if it says something new."""
        if report.gateway not in self._seen and len(self._seen) >= MOST_GATEWAYS:
            raise ProblemError(422, "bad_report", f"gateway: there are {MOST_GATEWAYS} already")
        was_live = self._is_live(report.gateway)
        fields = {name: getattr(report, name) for name in report.__struct_fields__}
        self._seen[report.gateway] = SeenReport(**fields, seen_at=datetime.now(UTC), live=True)
        self._heard[report.gateway] = time.monotonic()
        said = msgspec.json.encode(_without_times(report))
        if not was_live or self._told.get(report.gateway) != said:
            self._told[report.gateway] = said
            self._revision += 1
            self._bell.ring()

    def all(self) -> dict[str, msgspec.Raw]:
        """Give every gateway's last report, by name; each is written out once only."""
        return {name: self._raw(name, seen) for name, seen in sorted(self._seen.items())}

    def _raw(self, name: str, seen: SeenReport) -> msgspec.Raw:
        live = self._is_live(name)
        known = self._written.get(name)
        if known is None or known[0] is not seen or known[1] != live:
            raw = msgspec.Raw(msgspec.json.encode(msgspec.structs.replace(seen, live=live)))
            known = self._written[name] = (seen, live, raw)
        return known[2]

    @property
    def tag(self) -> str:
        """What changes whenever a gateway says something new or falls silent.

        Who comes back counts as news, so between two pieces of news there can only be fewer who live.
        """
        since = time.monotonic() - LIVE_SECONDS
        live = sum(heard > since for heard in self._heard.values())
        return f"{self._start}-{self._revision}-{live}"

    def next_silence(self) -> float:
        """Give the seconds until a gateway that lives now would count as silent."""
        now = time.monotonic()
        ages = [now - heard for heard in self._heard.values()]
        return min((LIVE_SECONDS - age for age in ages if age < LIVE_SECONDS), default=LIVE_SECONDS) + 0.01

    async def keep(self, gateway: str) -> None:
        """Write the reports down: at once for a gateway never seen, else beside other work, once a second."""
        if gateway not in self._kept:
            await self._save(gateway)
        elif time.monotonic() - self._saved >= SAVE_EVERY and not self._saving.locked():
            self._beside = asyncio.ensure_future(self._save())

    async def _save(self, gateway: str = "") -> None:
        async with self._saving:
            if gateway and gateway in self._kept:
                return  # written down together with another one's
            self._saved, seen = time.monotonic(), frozenset(self._seen)
            try:
                await asyncio.to_thread(disk.replace, self._path, msgspec.json.encode(self._seen))
            except OSError as error:
                log.warning("statuses_not_stored", error=error.strerror)
            else:
                self._kept = seen

    def _is_live(self, name: str) -> bool:
        return time.monotonic() - self._heard.get(name, -LIVE_SECONDS) < LIVE_SECONDS

    def _load(self) -> dict[str, SeenReport]:
        raw = disk.read(self._path)
        if raw is None:
            return {}
        try:
            return msgspec.json.decode(raw, type=dict[str, SeenReport])
        except msgspec.DecodeError as error:
            # Every gateway reports again within seconds; only who fell silent before is forgotten.
            log.warning("statuses_unreadable", error=str(error))
            return {}


def check_name(name: str) -> None:
    """Refuse what cannot be a gateway's name.

    :raises ProblemError: saying why.
    """
    try:
        msgspec.convert(name, Name)
    except msgspec.ValidationError as error:
        raise ProblemError(422, "bad_report", f"gateway: {error}") from error


def _without_times(report: GatewayReport) -> GatewayReport:
    """Leave out what changes although nothing happened."""
    return msgspec.structs.replace(
        report,
        reported_at=NEVER,
        corrections={
            name: msgspec.structs.replace(correction, checked_at=NEVER)
            for name, correction in report.corrections.items()
        },
    )
