"""What is sent, and how it is signed (Standard Webhooks): ``{"type", "timestamp", "data"}``."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

import msgspec
from django.conf import settings
from standardwebhooks import Webhook

from corrections.webhooks import tickets
from enforcement import policy

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from corrections.models import PolicyVersion
    from corrections.webhooks.models import Endpoint

PUBLISHED, PING = "policy.published", "ping"


def published(endpoint: Endpoint, version: PolicyVersion, *, now: datetime) -> bytes:
    """Tell of a policy: the signed document byte for byte, and where its attachments are."""
    content = policy.parse(bytes(version.content), policy.Content)
    attachments = [
        {"digest": digest, "url": tickets.address(digest)} for digest in sorted(policy.attachments(content))
    ]
    data: dict[str, Any] = {**_named(version), "policy": msgspec.Raw(bytes(version.raw))}
    if attachments:
        data["attachments"] = attachments
        data["attachments_authorization"] = f"Bearer {tickets.issue(endpoint, version)}"
    return _event(PUBLISHED, data, now=now)


def ping(newest: PolicyVersion | None, *, now: datetime) -> bytes:
    """Ask which policy is held, telling which one is wanted."""
    return _event(PING, _named(newest) if newest else {"version": None, "digest": ""}, now=now)


def headers(message: str, body: bytes, *, secrets: Iterable[str], now: datetime) -> dict[str, str]:
    """Sign a message with every secret that holds, so that receivers may change theirs at leisure."""
    signed = [Webhook(secret).sign(message, now, body.decode()) for secret in secrets]
    return {
        "Content-Type": "application/json",
        "User-Agent": f"irapp ({settings.PUBLIC_URL})",
        "webhook-id": message,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signed),
    }


def _named(version: PolicyVersion) -> dict[str, Any]:
    return {"version": version.version, "digest": version.digest}


def _event(kind: str, data: dict[str, Any], *, now: datetime) -> bytes:
    return msgspec.json.encode(
        {"type": kind, "timestamp": now.astimezone(UTC).isoformat().replace("+00:00", "Z"), "data": data}
    )
