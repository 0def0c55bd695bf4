"""What stands in the way of destroying anything: holds on evidence, here and on the floors above (T-8).

Whoever keeps evidence registers here, and is asked before an order is signed and again before it stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q

from corrections.models import EvidenceHold
from incidents.models import Incident

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from corrections.models import DestructionOrder
    from irapp.accounts.models import User

    Keeper = Callable[[DestructionOrder], Iterable["Block"]]


@dataclass(frozen=True)
class Block:
    """Something that has to be released first.

    :param label: what it is, for example ``HLD-0002``.
    :param detail: what it keeps, and why.
    :param url: its page, where there is one.
    :param incident_id: whoever may not see this incident learns only that something is held.
    """

    label: str
    detail: str
    url: str = ""
    incident_id: int | None = None


UNSEEN = Block("a hold you may not see", "It belongs to an incident that is restricted.")


_keepers: list[Keeper] = []


def register(keeper: Keeper) -> None:
    """Let ``keeper`` say what stands in the way of an order; called from ``AppConfig.ready``."""
    if keeper not in _keepers:
        _keepers.append(keeper)


def standing_in_the_way(order: DestructionOrder, reader: User) -> list[Block]:
    """Ask everybody who registered. What the reader may not see still stands there, without its content."""
    blocks = [block for keeper in _keepers for block in keeper(order)]
    asked = {block.incident_id for block in blocks} - {None}
    seen = {None, *Incident.objects.visible_to(reader).filter(pk__in=asked).values_list("pk", flat=True)}
    return [block if block.incident_id in seen else UNSEEN for block in blocks]


def evidence_holds(order: DestructionOrder) -> Iterable[Block]:
    """Give the active holds on the incident, on the model, or on an incident of that model."""
    of_model = Q(model_name=order.model_name) | Q(model_name="", incident__model_name=order.model_name)
    holds = EvidenceHold.objects.active().filter(Q(incident=order.incident_id) | of_model)
    return [
        Block(str(hold), f"{hold.what} {hold.reason}", hold.get_absolute_url(), hold.incident_id)
        for hold in holds
    ]
