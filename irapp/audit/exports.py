"""The log as a file, streamed. Taking it out is itself an event."""

from __future__ import annotations

import csv
import json
from datetime import UTC
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import transaction

from irapp.audit import incidents
from irapp.audit.models import Event
from irapp.audit.policies import check_can_export
from irapp.audit.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from django.db.models import QuerySet

    from irapp.accounts.models import User

FORMATS = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}
COLUMNS = (
    *("id", "at", "verb", "actor_id", "actor_name", "target_type", "target_id", "target_name"),
    *("incident_id", "incident", "request_id", "data"),
)
BATCH = 1_000
# What a spreadsheet would take for the beginning of a formula.
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")


class Export(NamedTuple):
    """A file on its way."""

    name: str
    content_type: str
    lines: Iterator[str]


@transaction.atomic
def export(*, events: QuerySet[Event], kind: str, asked: Mapping[str, str], by: User) -> Export:
    """Record who takes what, and give it, the oldest first. What happens from now on is not in it."""
    check_can_export(by)
    newest = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    taken = events.filter(pk__lte=newest)
    record("audit.exported", by, by=by, format=kind, filter=dict(asked), rows=taken.count(), up_to=newest)
    rows = (_row(event) for event in taken.order_by("pk").iterator(chunk_size=BATCH))
    lines = _csv(rows) if kind == "csv" else _ndjson(rows)
    return Export(f"irapp-audit-up-to-{newest}.{kind}", FORMATS[kind], lines)


def _row(event: Event) -> dict[str, Any]:
    row = {name: getattr(event, name) for name in COLUMNS if name not in {"at", "incident"}}
    at = event.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    named = {"at": at, "incident": incidents.named(event.incident_id)[0]}
    return {name: (row | named)[name] for name in COLUMNS}


def _ndjson(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        yield json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n"


class _Echo:
    """What ``csv`` writes to: it hands the line back."""

    def write(self, line: str) -> str:
        return line


def _csv(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for row in rows:
        data = json.dumps(row["data"], ensure_ascii=False, sort_keys=True)
        yield writer.writerow([_harmless(value) for value in (row | {"data": data}).values()])


def _harmless(value: object) -> object:
    """Put an apostrophe before a text that a spreadsheet would execute."""
    return f"'{value}" if isinstance(value, str) and value.startswith(DANGEROUS) else value
