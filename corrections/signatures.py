"""What orders of destruction put into inboxes: a signature that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corrections import holds, ordering
from corrections.models import DestructionOrder
from corrections.states import OrderState
from incidents import inbox
from incidents.inbox import InboxItem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from irapp.accounts.models import User


def orders(user: User) -> Iterator[InboxItem]:
    """Orders that this person can sign, or could but for a hold."""
    if not user.has_role(ordering.SIGNING):
        return
    drafted = DestructionOrder.objects.visible_to(user).filter(state=OrderState.DRAFTED)
    waiting = drafted.exclude(drafted_by__person=user.person).exclude(approvals__person=user.person)
    for order in waiting.select_related("incident").order_by("pk")[: inbox.CAP]:
        blocks = holds.standing_in_the_way(order, user)
        held = f"Blocked by {', '.join(block.label for block in blocks)}." if blocks else ""
        yield InboxItem(
            "Signature",
            f"{order}: destruction of {order.model_name}",
            held or "Two executives have to sign it.",
            order.get_absolute_url(),
            None,
            2 if blocks else 1,
            str(order.incident),
        )


def register() -> None:
    """Register the source."""
    inbox.register(orders)
