"""What hangs together: exemptions with what they spare from, versions with the share of users they reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from corrections.states import State

if TYPE_CHECKING:
    from corrections.models import Correction
    from corrections.selectors import Kin

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


def links(correction: Correction, kin: Kin) -> Links:
    """Say what hangs together with it."""
    return Links(kin.spares, kin.exemptions, _stages(correction, kin.versions))


def _stages(correction: Correction, versions: list[Correction]) -> list[Stage]:
    """Give the steps by which it reached more users or fewer, the first one first."""
    if all(version.percentage == ALL for version in versions):
        return []
    return [
        Stage(version, version.percentage, version.pk == correction.pk)
        for version in reversed(versions)
        if version.state not in GIVEN_UP or version.pk == correction.pk
    ]
