"""Requests as gateways tell of them."""

from datetime import UTC, timedelta
from itertools import count

from django.utils import timezone

from enforcement.report import TrafficRecord

_numbers = count(1)


def said(**changes):
    """Give one record; ``ago`` seconds lie between it and now."""
    ago = timedelta(seconds=changes.pop("ago", 0))
    plain = {
        "at": timezone.now().astimezone(UTC) - ago,
        "gateway": "gateway-1",
        "user": "alice",
        "organisation": "acme",
        "key": "key-alice",
        "application": "chat",
        "use_case": "writing",
        "endpoint": "chat.completions",
        "model": "aurora-large",
        "status": 200,
        "log": "a",
        "seq": next(_numbers),
    }
    return TrafficRecord(**plain | changes)


def refused(correction, **changes):
    return said(**{"status": 403, "correction": str(correction)} | changes)
