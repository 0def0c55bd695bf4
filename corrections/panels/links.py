"""What hangs together: exemptions with what they spare from, versions with the share of users they reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from corrections.models import Correction
from corrections.registers import spared_by
from corrections.states import IN_POLICY, State
from corrections.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from irapp.accounts.models import User

ALL = 100
GIVEN_UP = frozenset({State.REJECTED, State.WITHDRAWN, State.EXPIRED})
"""Versions that never came to anything."""


@dataclass(frozen=True)
class Stage:
    """One version of a staged roll-out or restoration."""

    correction: Correction
    percentage: int
    current: bool


@dataclass(frozen=True)
class Links:
    """What the page leads to."""

    spares: list[Correction]
    exemptions: list[Correction]
    stages: list[Stage]


def links(correction: Correction, versions: Sequence[Correction], reader: User) -> Links:
    """Collect them, as far as the reader may see them.

    :param versions: every version of its reference, the newest first.
    """
    staged = any(version.percentage != ALL for version in versions)
    return Links(
        spares=spared_by(Terms.of(correction), reader=reader),
        exemptions=exemptions_from(correction, reader),
        stages=[
            Stage(version, version.percentage, version.pk == correction.pk)
            for version in reversed(versions)
            if version.state not in GIVEN_UP or version.pk == correction.pk
        ]
        if staged
        else [],
    )


def exemptions_from(correction: Correction, reader: User) -> list[Correction]:
    """Give the exemptions in force that spare somebody from this one."""
    if correction.state not in IN_POLICY:
        return []
    rows = Correction.objects.visible_to(reader).filter(
        kind="exempt", state__in=IN_POLICY, parameters__corrections__contains=correction.reference
    )
    return list(rows.order_by("-pk"))
