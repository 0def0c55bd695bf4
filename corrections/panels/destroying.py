"""Orders of destruction and holds on evidence, as pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse

from corrections import holds, ordering
from corrections.actions.destroying import counting
from corrections.models import DestructionOrder, EvidenceHold
from corrections.panels.asking import why_not
from corrections.states import OrderState

if TYPE_CHECKING:
    from incidents.models import Incident
    from irapp.accounts.models import User

SHOWN = 100


@dataclass(frozen=True)
class OrderPage:
    """Everything that the page of an order prints."""

    order: DestructionOrder
    topic: str
    track: list[dict[str, str]]
    in_the_way: list[holds.Block]
    groups: list[dict[str, object]]
    cast: list[dict[str, object]]
    why_not_sign: str
    why_not_withdraw: str


@dataclass(frozen=True)
class Register:
    """Orders and holds that this person may see."""

    orders: list[DestructionOrder]
    holds: list[EvidenceHold]


@dataclass(frozen=True)
class EvidencePanel:
    """What hangs on one incident."""

    orders: list[DestructionOrder]
    holds: list[EvidenceHold]
    hold_url: str
    order_url: str
    why_not_hold: str
    why_not_order: str


def order_page(order: DestructionOrder, user: User) -> OrderPage:
    """Collect the page for this reader."""
    open_ = order.state == OrderState.DRAFTED
    return OrderPage(
        order=order,
        topic=f"destructionorder:{order.pk}",
        track=_track(order),
        in_the_way=holds.standing_in_the_way(order, user) if open_ else [],
        groups=[_group(order)],
        cast=[
            {"who": each.user, "verdict": "APPROVE", "at": each.at, "reason": each.reason}
            for each in order.approvals.select_related("user")
        ],
        why_not_sign=why_not(ordering.check_can_sign, order, user),
        why_not_withdraw=why_not(ordering.check_can_withdraw_order, order, user),
    )


def register(user: User) -> Register:
    """Collect the list for this reader: the newest, and every hold that stands."""
    seen_orders = DestructionOrder.objects.visible_to(user).select_related("incident", "drafted_by")
    seen_holds = EvidenceHold.objects.visible_to(user).select_related("incident", "placed_by")
    return Register(list(seen_orders[:SHOWN]), list(seen_holds.order_by("-released_at", "-pk")[:SHOWN]))


def evidence_panel(incident: Incident, user: User) -> EvidencePanel:
    """Collect the panel of an incident."""
    asked = f"?incident={incident.pk}"
    return EvidencePanel(
        orders=list(DestructionOrder.objects.filter(incident=incident)),
        holds=list(EvidenceHold.objects.filter(incident=incident).select_related("placed_by")),
        hold_url=reverse("corrections:place_hold") + asked,
        order_url=reverse("corrections:order") + asked,
        why_not_hold=why_not(ordering.check_can_hold, incident, user),
        why_not_order=why_not(ordering.check_can_order, incident, user),
    )


def _track(order: DestructionOrder) -> list[dict[str, str]]:
    ordered = order.ordered_at is not None
    steps = [
        ("Drafted", "current" if order.state == OrderState.DRAFTED else "done"),
        ("Ordered", "current" if order.state == OrderState.ORDERED else "done" if ordered else "ahead"),
    ]
    if order.state == OrderState.WITHDRAWN:
        steps = [*(step for step in steps if step[1] == "done"), ("Withdrawn", "current")]
    return [{"label": label, "status": status} for label, status in steps]


def _group(order: DestructionOrder) -> dict[str, object]:
    quorum, signed = int(order.authority["quorum"]), len(counting(order))
    pips = ["given"] * signed
    return {
        "summary": f"{signed} of {quorum} executives have signed",
        "pips": pips + [""] * (quorum - len(pips)),
        "eligible": [],
    }
