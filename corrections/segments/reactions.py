"""What is carried out for segments and pattern sets after the commit."""

from __future__ import annotations

from typing import Any

from corrections.publishing import delivery
from corrections.segments.actions import merge
from irapp.audit.outbox import handles


@handles("segment.merge", within=60)
def merge_segment(payload: dict[str, Any], _item_id: int) -> None:
    """Pack a segment anew, unless that was done already."""
    merge(segment_id=payload["segment"])


@handles("attachments.deliver", within=60, attempts=5)
def deliver_attachments(payload: dict[str, Any], _item_id: int) -> None:
    """Bring attachments to the hubs before a decision names them."""
    delivery.bring(payload["digests"])
