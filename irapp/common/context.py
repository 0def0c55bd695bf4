"""What every page may show."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from django.http import HttpRequest


def site(_request: HttpRequest) -> dict[str, object]:
    """Give the address of live updates and whether this is a demo.

    ``since`` lets the stream tell what happened between the making of the page and its own beginning.
    """
    return {
        "live_stream": f"{settings.LIVE_URL}/live/?since={time.time_ns() // 1_000_000}",
        "demo": settings.DEMO,
    }
