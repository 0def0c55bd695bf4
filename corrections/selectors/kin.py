"""What hangs together with a correction: its versions, and exemptions with what they spare from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q

from corrections.models import Correction
from corrections.registers import spared_names
from corrections.states import IN_POLICY

if TYPE_CHECKING:
    from irapp.accounts.models import User


@dataclass(frozen=True)
class Kin:
    """What one question gives, as far as the reader may see it.

    :param versions: every version of its reference, the newest first.
    :param spares: what it spares from, where it is an exemption; every version that is in force.
    :param exemptions: those in force that spare somebody from it, the newest first.
    """

    versions: list[Correction]
    spares: list[Correction]
    exemptions: list[Correction]


def kin(correction: Correction, *, reader: User) -> Kin:
    """Ask for all of it at once."""
    spared = spared_names(correction.kind, correction.parameters)
    own, exempting = Q(reference=correction.reference), _exempting(correction)
    related = own | Q(reference__in=spared, state__in=IN_POLICY) | exempting
    rows = Correction.objects.visible_to(reader).filter(related).select_related("drafted_by")
    found = list(rows.order_by("reference", "version"))
    others = [each for each in found if each.reference != correction.reference]
    return Kin(
        versions=[each for each in reversed(found) if each.reference == correction.reference],
        spares=[each for each in others if each.reference in spared],
        exemptions=sorted(
            (each for each in others if each.reference not in spared), key=lambda each: -each.pk
        ),
    )


def _exempting(correction: Correction) -> Q:
    if correction.state not in IN_POLICY:
        return Q(pk__in=[])
    names = Q(parameters__corrections__contains=correction.reference)
    return Q(kind="exempt", state__in=IN_POLICY) & names
