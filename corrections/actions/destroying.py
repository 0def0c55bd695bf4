"""Orders to destroy components, recorded and never carried out here; holds that keep evidence (T-8)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.utils import timezone

from corrections import ordering
from corrections.models import DestructionApproval, DestructionOrder, EvidenceHold
from corrections.validation import text
from enforcement import policy
from incidents import actions as incidents
from irapp.audit.record import hint, record
from irapp.common.errors import ConflictError, InvalidError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from irapp.accounts.models import User

_LOCK = 0x1_7A9_0002
"""Advisory lock: holds and signatures are taken one after another, whichever incident they belong to."""
COMPONENTS_MOST = 50


@transaction.atomic
def draft_order(
    *,
    incident_id: int,
    model_name: str,
    components: Sequence[str],
    reason: str,
    narrower_rejected: str,
    by: User,
) -> DestructionOrder:
    """Write down what is to be destroyed, and why nothing that can be undone is enough."""
    incident = incidents.locked(incident_id)
    ordering.check_can_order(incident, by)
    order: DestructionOrder = DestructionOrder(
        incident=incident,
        reference=_reference("corrections_order_reference", "DST"),
        model_name=text(model_name, field="model_name", required=True, most=200),
        components=_components(components),
        reason=text(reason, field="reason", required=True),
        narrower_rejected=text(narrower_rejected, field="narrower_rejected", required=True),
        authority=ordering.AUTHORITY,
        drafted_by=by,
    )
    order.digest = "sha256:" + hashlib.sha256(policy.canonical(content_of(order))).hexdigest()
    order.save()
    record("destruction.drafted", order, by=by, digest=order.digest, components=order.components)
    return order


@transaction.atomic
def sign_order(*, order_id: int, reason: str, digest: str, by: User) -> DestructionOrder:
    """Sign exactly this content; the last signature that is needed makes it an order.

    :raises ConflictError: ``evidence_held``, ``digest_mismatch``, ``already_signed``, ``already_decided``.
    """
    order = _locked(order_id)
    ordering.check_can_sign(order, by)
    if digest != order.digest:
        raise ConflictError("What you were shown is not what is written here.", code="digest_mismatch")
    because = text(reason, field="reason", required=True)
    now = timezone.now()
    DestructionApproval.objects.create(
        order=order, user=by, person=by.person, reason=because, digest=digest, at=now
    )
    record("destruction.signed", order, by=by, digest=digest, reason=because)
    if len(counting(order)) >= order.authority["quorum"]:
        order.ordered_at = now
        order.order()
        order.save()
        record("destruction.ordered", order, by=by, digest=digest)
    _tell(order)
    return order


@transaction.atomic
def withdraw_order(*, order_id: int, reason: str, by: User) -> DestructionOrder:
    """Take it back. Whoever was to act on it has to be told outside: nothing here ever acts on it."""
    order = _locked(order_id)
    ordering.check_can_withdraw_order(order, by)
    order.withdraw_reason = text(reason, field="reason", required=True)
    order.withdrawn_by, order.withdrawn_at = by, timezone.now()
    order.withdraw()
    order.save()
    record("destruction.withdrawn", order, by=by, reason=order.withdraw_reason)
    _tell(order)
    return order


@transaction.atomic
def place_hold(*, incident_id: int, what: str, reason: str, by: User, model_name: str = "") -> EvidenceHold:
    """Have something kept as it is; from now on no order that could touch it is signed."""
    incident = incidents.locked(incident_id)
    ordering.check_can_hold(incident, by)
    _one_at_a_time()
    hold = EvidenceHold.objects.create(
        incident=incident,
        reference=_reference("corrections_hold_reference", "HLD"),
        model_name=text(model_name, field="model_name", most=200),
        what=text(what, field="what", required=True),
        reason=text(reason, field="reason", required=True),
        placed_by=by,
    )
    record("hold.placed", hold, by=by, what=hold.what, reason=hold.reason, model=hold.model_name)
    hint("inbox")
    return hold


@transaction.atomic
def release_hold(*, hold_id: int, reason: str, by: User) -> EvidenceHold:
    """Let go of what was kept."""
    incidents.locked(EvidenceHold.objects.only("incident_id").get(pk=hold_id).incident_id)
    _one_at_a_time()
    hold = EvidenceHold.objects.select_related("incident").get(pk=hold_id)
    ordering.check_can_release(hold, by)
    hold.release_reason = text(reason, field="reason", required=True)
    hold.released_by, hold.released_at = by, timezone.now()
    hold.save()
    record("hold.released", hold, by=by, reason=hold.release_reason)
    hint("inbox")
    return hold


def content_of(order: DestructionOrder) -> dict[str, Any]:
    """Give what signatures are bound to."""
    return {
        "order": order.reference,
        "incident": str(order.incident),
        "model": order.model_name,
        "components": list(order.components),
        "reason": order.reason,
        "narrower_rejected": order.narrower_rejected,
        "authority": order.authority,
        "drafted_by": str(order.drafted_by.person),
        "drafted_at": order.drafted_at,
    }


def counting(order: DestructionOrder) -> list[DestructionApproval]:
    """Give the signatures of people who may still sign: one for each person, whatever their accounts."""
    signed = order.approvals.select_related("user").order_by("id")
    mine = order.drafted_by.person
    voices = {
        each.user.person: each
        for each in signed
        if each.digest == order.digest
        and each.user.person != mine
        and each.user.has_role(*order.authority["roles"])
    }
    return list(voices.values())


def _locked(order_id: int) -> DestructionOrder:
    """Lock the incident, then everything about holds, then the order."""
    incidents.locked(DestructionOrder.objects.only("incident_id").get(pk=order_id).incident_id)
    _one_at_a_time()
    rows = DestructionOrder.objects.select_for_update(of=("self",)).select_related("incident", "drafted_by")
    order: DestructionOrder = rows.get(pk=order_id)
    return order


def _components(given: Sequence[str]) -> list[str]:
    names = [text(name, field="components", most=300) for name in given]
    once = list(dict.fromkeys(name for name in names if name))
    if not once:
        raise InvalidError("Name at least one component.", field="components", code="required")
    if len(once) > COMPONENTS_MOST:
        raise InvalidError(f"At most {COMPONENTS_MOST} components.", field="components", code="too_many")
    return once


def _reference(sequence: str, prefix: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s)", [sequence])
        return f"{prefix}-{cursor.fetchone()[0]:04d}"


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _tell(order: DestructionOrder) -> None:
    hint("inbox", f"destructionorder:{order.pk}")
