"""What every page may show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from django.http import HttpRequest


def site(_request: HttpRequest) -> dict[str, object]:
    """Give the address of live updates and whether this is a demo."""
    return {"live_stream": f"{settings.LIVE_URL}/live/", "demo": settings.DEMO}
