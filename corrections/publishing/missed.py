"""Requests that were let through although a correction in force refuses them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from corrections.models import Correction, Outcome, TrafficMatch

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

QUIET = timedelta(minutes=2)
"""So long after the last one it counts as healed."""
SHOWN = 5


@dataclass(frozen=True)
class Missed:
    """What one correction should have refused lately."""

    correction_id: int
    since: datetime
    detail: str
    examples: tuple[dict[str, Any], ...]


def missed(*, now: datetime) -> list[Missed]:
    """Give what was heard of lately, by correction."""
    rows = TrafficMatch.objects.filter(outcome=Outcome.MISSED, noted_at__gt=now - QUIET)
    found: dict[str, list[TrafficMatch]] = {}
    for row in rows.select_related("record").order_by("at"):
        found.setdefault(row.correction, []).append(row)
    known = _known(found)
    return [_missed(known[name], rows) for name, rows in found.items() if name in known]


def let_through(*, now: datetime) -> dict[str, dict[str, datetime]]:
    """Give, by correction and gateway, when a matching request was last let through lately."""
    rows = TrafficMatch.objects.filter(outcome=Outcome.MISSED, noted_at__gt=now - QUIET)
    found: dict[str, dict[str, datetime]] = {}
    for correction, gateway, at in rows.order_by("at").values_list("correction", "record__gateway", "at"):
        found.setdefault(correction, {})[gateway] = at
    return found


def attributes(match: TrafficMatch) -> dict[str, Any]:
    """Give what is shown of a request: who asked for what, never what was said."""
    record = match.record
    names = ("user", "organisation", "key", "application", "use_case", "endpoint", "model", "gateway")
    said = {name: getattr(record, name) for name in names}
    more = {"status": record.status, "policy": record.policy, "tools": record.tools}
    return {"at": record.at.isoformat(), **said, **more}


def _known(names: Iterable[str]) -> dict[str, int]:
    pairs = [name.rsplit(".", 1) for name in names]
    references = [pair[0] for pair in pairs]
    rows = Correction.objects.filter(reference__in=references).values_list("reference", "version", "pk")
    return {f"{reference}.{version}": pk for reference, version, pk in rows}


def _missed(correction_id: int, rows: list[TrafficMatch]) -> Missed:
    gateways = sorted({row.record.gateway for row in rows})
    where = ", ".join(gateways)
    detail = f"{where} let requests through that it refuses."
    examples = tuple(attributes(row) for row in rows[:SHOWN])
    return Missed(correction_id, rows[0].at, detail, examples)
