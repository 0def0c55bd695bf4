"""Going on above a policy that hubs hold and this database has lost, as after restoring a backup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from corrections import policies
from corrections.models import Hub
from corrections.publishing.compile import publish
from corrections.validation import text
from irapp.audit.record import hint, record

if TYPE_CHECKING:
    from corrections.models import PolicyVersion
    from irapp.accounts.models import User


@transaction.atomic
def continue_policy(*, reason: str, by: User) -> PolicyVersion:
    """Publish what is wanted here above every version that a hub holds.

    Until somebody says this the gateways go on enforcing what they have: this database may have forgotten
    corrections, and going on without them lifts them.
    """
    conflicting = Hub.objects.select_for_update().exclude(conflict_at=None)
    policies.check_can_continue(by, conflicting)
    because = text(reason, field="reason", required=True)
    above = conflicting.aggregate(most=Max("policy_version"))["most"]
    version = publish(by=by, now=timezone.now(), above=above)
    record("policy.continued", version, by=by, version=version.version, above=above, reason=because)
    hint("gateways")
    return version
