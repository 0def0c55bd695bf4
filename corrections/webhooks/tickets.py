"""Tickets with which a receiver fetches the attachments of the policy it was sent, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.core import signing
from django.urls import reverse

from corrections.models import PolicyVersion
from corrections.webhooks.models import Endpoint
from enforcement import policy

if TYPE_CHECKING:
    from collections.abc import Container

HOLDS = timedelta(hours=24)
_SALT = "corrections.webhooks.attachments"


def address(digest: str) -> str:
    """Give the address of an attachment."""
    return f"{settings.PUBLIC_URL.rstrip('/')}{reverse('webhook-attachment-detail', args=[digest])}"


def issue(endpoint: Endpoint, version: PolicyVersion) -> str:
    """Let an endpoint fetch what one policy names, for a day."""
    return signing.dumps([endpoint.pk, version.version], salt=_SALT)


def opens(ticket: str) -> Container[str]:
    """Give the digests that a ticket opens; none where it is old, forged, or its endpoint is not sent to."""
    try:
        endpoint, version = signing.loads(ticket, salt=_SALT, max_age=HOLDS)
    except signing.BadSignature:
        return frozenset()
    if not Endpoint.objects.sending().filter(pk=endpoint).exists():
        return frozenset()
    content = PolicyVersion.objects.values_list("content", flat=True).get(version=version)
    return policy.attachments(policy.parse(bytes(content), policy.Content))
