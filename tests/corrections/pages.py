"""What people type into the form of a correction."""

from datetime import UTC, timedelta
from uuid import uuid4

from django.urls import reverse
from django.utils import timezone


def typed(**changes):
    """Give a form that is filled in rightly, as browsers send it; None leaves a field out."""
    now = timezone.now().astimezone(UTC)
    plain = {
        "kind": "block",
        "users": "alice",
        "mode": "enforce",
        "at_expiry": "hold",
        "percentage": "100",
        "running_streams": "finish",
        "expires_at": f"{now + timedelta(days=3):%Y-%m-%dT%H:%M}",
        "review_at": f"{now + timedelta(days=1):%Y-%m-%dT%H:%M}",
        "exit_criteria": "The fix is deployed.",
        "once": str(uuid4()),
        "package": "new",
        "title": "Response",
        "step": "draft",
    }
    return {name: value for name, value in (plain | changes).items() if value is not None}


def create_url(incident):
    return f"{reverse('corrections:create')}?incident={incident.pk}"


def url(name, record):
    return reverse(f"corrections:{name}", args=[record.pk])


def text(response):
    """Give what a reader sees, in one line."""
    return " ".join(response.content.decode().split())
