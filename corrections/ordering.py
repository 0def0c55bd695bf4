"""Who may order a destruction, sign it, and hold or release evidence. Each rule raises its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corrections import holds
from corrections.models import DestructionOrder
from corrections.states import OrderState
from incidents.states import OPEN
from irapp.accounts.models import RoleCode
from irapp.common.errors import ConflictError, NotPermittedError

if TYPE_CHECKING:
    from corrections.models import EvidenceHold
    from incidents.models import Incident
    from irapp.accounts.models import User

SIGNING = RoleCode.EXECUTIVE
QUORUM = 2
"""Two executives. On purpose no line of the authority matrix: nobody can make it easier by editing one."""
AUTHORITY = {"roles": [str(SIGNING)], "quorum": QUORUM}
WRITING = (RoleCode.RESPONDER, RoleCode.COMMANDER)
HOLDING = (*WRITING, RoleCode.DUTY_OFFICER, RoleCode.EXECUTIVE)
RELEASING = (RoleCode.COMMANDER, RoleCode.EXECUTIVE)


def check_can_order(incident: Incident, user: User) -> None:
    """An order is drafted for an open incident, by those who respond to it."""
    _need(user, *WRITING)
    _open(incident)


def check_can_sign(order: DestructionOrder, user: User) -> None:
    """An executive who did not write it signs, once, while nothing holds the evidence."""
    if order.state != OrderState.DRAFTED:
        raise ConflictError(
            f"{order} is {order.get_state_display().lower()} already.", code="already_decided"
        )
    if user.person == order.drafted_by.person:
        raise NotPermittedError("Whoever wrote it does not sign it. Somebody else has to.", code="own_order")
    _need(user, SIGNING)
    if order.approvals.filter(person=user.person).exists():
        raise ConflictError("You have signed it already.", code="already_signed")
    check_nothing_in_the_way(order, user)


def check_nothing_in_the_way(order: DestructionOrder, user: User) -> None:
    """Evidence goes first: an active hold stops every order that could touch what it keeps."""
    if blocks := holds.standing_in_the_way(order, user):
        names = ", ".join(block.label for block in blocks)
        raise ConflictError(f"Evidence is held: {names}. Release it first.", code="evidence_held")


def check_can_withdraw_order(order: DestructionOrder, user: User) -> None:
    """Its author, a commander or an executive takes it back; one executive who objects is enough."""
    if user.pk != order.drafted_by_id:
        _need(user, RoleCode.COMMANDER, RoleCode.EXECUTIVE)
    if order.state == OrderState.WITHDRAWN:
        raise ConflictError(f"{order} is withdrawn already.", code="already_decided")


def check_can_hold(incident: Incident, user: User) -> None:
    """Whoever responds or decides can have evidence kept: a hold harms nobody."""
    _need(user, *HOLDING)
    _open(incident)


def check_can_release(hold: EvidenceHold, user: User) -> None:
    """A commander or executive releases it, but nobody who wrote an order that it stops."""
    _need(user, *RELEASING)
    if not hold.is_active:
        raise ConflictError(f"{hold} is released already.", code="already_released")
    mine = _orders_of(hold, user)
    if mine:
        raise NotPermittedError(
            f"You wrote {mine[0]}, which it stops. Somebody else has to release it.", code="own_order"
        )


def _orders_of(hold: EvidenceHold, user: User) -> list[DestructionOrder]:
    drafted = DestructionOrder.objects.filter(state=OrderState.DRAFTED, drafted_by__person=user.person)
    return [
        order
        for order in drafted.select_related("incident")
        if any(block.label == str(hold) for block in holds.evidence_holds(order))
    ]


def _open(incident: Incident) -> None:
    if incident.state not in OPEN:
        raise ConflictError(f"{incident} has ended; reopen it first.", code="incident_ended")


def _need(user: User, *roles: RoleCode) -> None:
    if not user.has_role(*roles):
        names = " or ".join(role.label.lower() for role in roles)
        raise NotPermittedError(f"You need to be {names} for this.", code="wrong_role")
