"""What a watchman asks: whether the database is there, and whether anything waits too long."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from irapp.audit.models import OutboxItem

if TYPE_CHECKING:
    from django.http import HttpRequest


@login_not_required
@never_cache
@require_safe
def healthz(_request: HttpRequest) -> JsonResponse:
    """Answer 200 while requests can be served; how long the oldest effect has been owed is for alarms."""
    try:
        owed = OutboxItem.objects.filter(done_at=None, dead_at=None).order_by("created_at").first()
    except DatabaseError:
        return JsonResponse({"database": "unreachable"}, status=HTTPStatus.SERVICE_UNAVAILABLE)
    age = (timezone.now() - owed.created_at).total_seconds() if owed else 0.0
    return JsonResponse({"database": "ok", "oldest_owed_seconds": round(age, 1)})
