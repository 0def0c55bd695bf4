"""Who listens: the browser's session, asked again while the stream is open."""

from __future__ import annotations

from datetime import timedelta
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.db import close_old_connections
from django.db.models import Q
from django.http import HttpRequest  # noqa: TID251 - get_user() reads a request

from irapp.accounts.models import User
from irapp.audit.live import topics
from irapp.audit.models import Event

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

COMMITTING = timedelta(seconds=5)
"""An event carries the time at which it was written; its transaction, and the page, end a little later."""
MISSED = 200
"""More missed hints than this are not told one by one."""


def session_key(cookies: str) -> str:
    """Give the session named by a Cookie header, or nothing."""
    try:
        morsel = SimpleCookie(cookies).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


@sync_to_async
def topics_heard(key: str, asked: Iterable[str]) -> frozenset[str] | None:
    """Give what the session's person may hear of what was asked; None when nobody is signed in."""
    close_old_connections()
    user = _person(key)
    return topics.heard_by(user, asked) if user else None


@sync_to_async
def missed(
    heard: frozenset[str], *, after: int | None, since: datetime | None
) -> list[dict[str, object]] | None:
    """Give the hints told after an event, or since a page was made; None when there are too many."""
    later = _later(after, since)
    if later is None:
        return []
    close_old_connections()
    events = list(Event.objects.filter(later).order_by("id")[: MISSED + 1])
    if len(events) > MISSED:
        return None
    told = ((event.pk, sorted(heard.intersection(topics.of_event(event)))) for event in events)
    return [{"topics": names, "id": number} for number, names in told if names]


def _later(after: int | None, since: datetime | None) -> Q | None:
    if after is not None:
        return Q(id__gt=after)
    return Q(at__gte=since - COMMITTING) if since else None


def _person(key: str) -> User | None:
    request = HttpRequest()
    request.session = SessionStore(key or None)
    user = get_user(request)
    return user if isinstance(user, User) and user.is_active else None
