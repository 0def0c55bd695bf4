"""Speaking to an enforcement service. Short timeouts: whoever is late is asked again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar

import msgspec
import structlog
import urllib3
from django.conf import settings

from enforcement import policy
from enforcement.report import GatewayReport, PolicyRef, TrafficRecord

# Once more only where a kept connection had been closed by the hub: everything asked here is idempotent.
_POOL: Final = urllib3.PoolManager(maxsize=8, retries=urllib3.Retry(1, connect=0, redirect=0, status=0))
_CONNECT, _READ = 2.0, 3.0
_T = TypeVar("_T")
_OK, _STORED, _UNCHANGED, _NOT_THERE, _CONFLICT = 200, 204, 304, 404, 409
_BINARY: Final = "application/octet-stream"
_PER_MEGABYTE = 2.0
"""Seconds that an attachment may take on its way, beside the usual patience."""
log = structlog.get_logger(__name__)


Cursor = Annotated[str, msgspec.Meta(max_length=200, pattern="^[!-~]*$")]


class HubError(Exception):
    """The hub did not do what was asked; the text says what it said, or why it could not be reached."""


class HubConflictError(HubError):
    """The hub holds a policy that is as new or newer."""


class MissingAttachmentsError(HubError):
    """The policy names attachments that the hub has not got; bring them and come again.

    :ivar missing: their addresses.
    """

    def __init__(self, said: str, missing: tuple[str, ...]) -> None:
        super().__init__(said)
        self.missing = missing


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What a hub knows: the policy it holds, and the last report of each gateway as it came."""

    policy: PolicyRef | None
    gateways: dict[str, msgspec.Raw]


class Heard(GatewayReport, frozen=True, kw_only=True):
    """A report, and when the hub last heard of the gateway."""

    seen_at: str
    live: bool


class Traffic(msgspec.Struct, frozen=True, kw_only=True):
    """A page of traffic records, and where the next one begins.

    :param dropped: records of the page that cannot be read.
    """

    records: tuple[TrafficRecord, ...]
    cursor: Cursor
    lost: int = 0
    dropped: int = 0


class _Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page as it comes: each record is read by itself, so that one cannot keep the others back."""

    records: tuple[msgspec.Raw, ...]
    cursor: Cursor
    lost: int = 0


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What matters to us of the problem details that a hub answers with."""

    code: str = ""
    missing: tuple[str, ...] = ()


for _first in (Status, Heard, Traffic, _Page, TrafficRecord, Problem):
    msgspec.json.Decoder(_first)  # before any thread does: see enforcement.policy


@dataclass
class HubClient:
    """One enforcement service, by its base address.

    :param etag: of the last status seen; a status that did not change is not sent again.
    """

    url: str
    etag: str = ""

    def put_policy(self, raw: bytes) -> None:
        """Hand over a policy; the same one again is fine.

        :raises MissingAttachmentsError: it names what the hub has not got.
        :raises HubConflictError: it holds a newer one, or another one of the same version.
        """
        answer = self._ask("PUT", "/v1/policy", body=raw)
        if answer.status == _CONFLICT:
            raise _conflict(answer)
        _expect_ok(answer)

    def has_attachment(self, digest: str) -> bool:
        """Ask whether an attachment is there."""
        answer = self._ask("HEAD", f"/v1/attachments/{digest}")
        if answer.status != _NOT_THERE:
            _expect_ok(answer)
        return answer.status == _OK

    def put_attachment(self, digest: str, raw: bytes) -> None:
        """Bring an attachment; the same one again is fine."""
        patience = round(len(raw) / 1e6 * _PER_MEGABYTE)
        answer = self._ask("PUT", f"/v1/attachments/{digest}", body=raw, kind=_BINARY, longer=patience)
        if answer.status != _STORED:
            raise HubError(_said(answer))

    def status(self, *, wait: int = 0) -> Status | None:
        """Give what the hub knows, or None where nothing changed since the last time.

        :param wait: how many seconds to wait for a change.
        """
        headers = {"If-None-Match": self.etag} if self.etag else {}
        query = f"?wait={wait}" if wait else ""
        answer = self._ask("GET", f"/v1/status{query}", headers=headers, longer=wait)
        if answer.status == _UNCHANGED:
            return None
        _expect_ok(answer)
        self.etag = answer.headers.get("ETag", "")
        return _decoded(answer.data, Status)

    def traffic(self, *, after: str, limit: int = 1000) -> Traffic:
        """Give the records after a cursor."""
        fields = {"after": after, "limit": str(limit)} if after else {"limit": str(limit)}
        answer = self._ask("GET", "/v1/traffic", fields=fields)
        _expect_ok(answer)
        return readable(_decoded(answer.data, _Page))

    def _ask(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        kind: str = "application/json",
        longer: int = 0,
        **how: Any,
    ) -> urllib3.BaseHTTPResponse:
        sent = {"Authorization": f"Bearer {settings.ENFORCEMENT_TOKEN}", **(headers or {})}
        if "body" in how:
            sent["Content-Type"] = kind
        timeout = urllib3.Timeout(connect=_CONNECT, read=_READ + longer)
        try:
            return _POOL.request(method, self.url.rstrip("/") + path, headers=sent, timeout=timeout, **how)
        except urllib3.exceptions.HTTPError as error:
            raise HubError(f"{self.url} cannot be reached: {error}") from error


def readable(page: _Page) -> Traffic:
    """Read what can be read of a page; the rest is dropped, for it will never be readable."""
    found = tuple(record for raw in page.records if (record := _record(raw)) is not None)
    dropped = len(page.records) - len(found)
    return Traffic(records=found, cursor=page.cursor, lost=page.lost, dropped=dropped)


def _record(raw: msgspec.Raw) -> TrafficRecord | None:
    try:
        return policy.parse(bytes(raw), TrafficRecord)
    except policy.PolicyError as error:
        log.warning("traffic_record_dropped", error=str(error))
        return None


def _decoded(raw: bytes, kind: type[_T]) -> _T:
    try:
        return policy.parse(raw, kind)
    except policy.PolicyError as error:
        raise HubError(f"The hub's answer cannot be understood: {error}") from error


def _conflict(answer: urllib3.BaseHTTPResponse) -> HubError:
    try:
        problem = policy.parse(answer.data, Problem)
    except policy.PolicyError:  # some other server's words: a conflict all the same
        problem = Problem()
    if problem.code == "missing_attachments":
        return MissingAttachmentsError(_said(answer), problem.missing)
    return HubConflictError(_said(answer))


def _expect_ok(answer: urllib3.BaseHTTPResponse) -> None:
    if answer.status != _OK:
        raise HubError(_said(answer))


def _said(answer: urllib3.BaseHTTPResponse) -> str:
    return f"The hub answered {answer.status}: {answer.data[:500].decode(errors='replace')}"
