"""What is carried out for corrections after the commit."""

from __future__ import annotations

from typing import Any

from corrections.publishing import delivery
from irapp.audit.outbox import handles


@handles("policy.deliver", within=30)
def deliver_policy(_payload: dict[str, Any], _item_id: int) -> None:
    """Hand the newest policy to every hub, whichever version was owed: an older one is history."""
    delivery.deliver()
