"""The outbox as workers see it. A message is a hint; what counts is the lease in the row."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from irapp.audit.outbox import carry_out


@shared_task
def deliver(item_id: int, lease: str) -> None:
    """Carry out one item that the relay handed out under the lease."""
    carry_out(item_id, UUID(lease))


@shared_task(expires=10)
def sweep() -> None:
    """Beat, every few seconds: the net under the relay, for what nobody has handed out."""
    from irapp.audit.relay import sweep as hand_out_overdue  # noqa: PLC0415 (it sends the task above)

    hand_out_overdue()
