"""Writing pulled traffic down: each record counted once, some of them kept, all of it in a few statements."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any, Final

import msgspec
from django.db import connection

from corrections.models import Outcome, TrafficRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from enforcement.report import TrafficRecord as Said

KEPT_PER_SECOND: Final = 50
"""Of busier traffic every n-th record is kept and stands for n; what corrections did is counted of all."""
KEPT_AT_LEAST: Final = 50
EXAMPLES: Final = 3
"""Of what a correction did, so many records of a page are kept in any case."""
MISSED_KEPT: Final = 20
REFUSAL: Final = 400
_BIGGEST: Final = 2**63 - 1
_COUNTED: Final = (Outcome.REFUSED, Outcome.SHADOW, Outcome.WARNED, Outcome.FLAGGED)

_RECORDS: Final = """
INSERT INTO corrections_trafficrecord (
  id, at, gateway, "user", organisation, key, application, use_case, region, tier, platform, endpoint, model,
  tools, features, stream, max_tokens, body_bytes, status, correction, policy, tokens_in, tokens_out, weight
)
SELECT
  id, at, gateway::varchar(200), "user"::varchar(200), organisation::varchar(200), key::varchar(200),
  application::varchar(200), use_case::varchar(200), region::varchar(200), tier::varchar(200),
  platform::varchar(200), endpoint::varchar(50), model::varchar(200), tools::varchar(200)[],
  features::varchar(40)[], stream, max_tokens, body_bytes, status, coalesce(correction, '')::varchar(40),
  policy, tokens_in, tokens_out, weight
FROM json_to_recordset(%s::json) AS said(
  id bigint, at timestamptz, gateway text, "user" text, organisation text, key text, application text,
  use_case text, region text, tier text, platform text, endpoint text, model text, tools text[],
  features text[], stream boolean, max_tokens bigint, body_bytes bigint, status smallint, correction text,
  policy bigint, tokens_in bigint, tokens_out bigint, weight integer
)
"""
_MATCHES: Final = """
INSERT INTO corrections_trafficmatch (record_id, correction, outcome, at, noted_at)
SELECT record, correction::varchar(40), outcome, at, %s
FROM json_to_recordset(%s::json) AS said(record bigint, correction text, outcome text, at timestamptz)
"""
ADDED: Final = """
ON CONFLICT ON CONSTRAINT refusals_once DO UPDATE SET
  refused = corrections_refusalcount.refused + excluded.refused,
  shadow = corrections_refusalcount.shadow + excluded.shadow,
  warned = corrections_refusalcount.warned + excluded.warned,
  flagged = corrections_refusalcount.flagged + excluded.flagged
"""
_COUNTS: Final = f"""
INSERT INTO corrections_refusalcount
  (correction, minute, organisation, "user", refused, shadow, warned, flagged)
SELECT
  correction::varchar(40), date_trunc('minute', at, 'UTC'), organisation::varchar(200), "user"::varchar(200),
  sum(refused), sum(shadow), sum(warned), sum(flagged)
FROM json_to_recordset(%s::json) AS said(
  correction text, at timestamptz, organisation text, "user" text,
  refused integer, shadow integer, warned integer, flagged integer
)
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
{ADDED}
"""  # noqa: S608 - of our own constants


@dataclass(frozen=True)
class Judged:
    """A record, and the correction that should have refused it, if any."""

    said: Said
    missed: str = ""

    def outcomes(self) -> Iterator[tuple[str, Outcome]]:
        """Give what each correction did to it."""
        if self.said.correction and self.said.status >= REFUSAL:
            yield self.said.correction, Outcome.REFUSED
        yield from ((name, Outcome.SHADOW) for name in self.said.shadow)
        yield from ((name, Outcome.WARNED) for name in self.said.warned)
        yield from ((name, Outcome.FLAGGED) for name in self.said.flagged)
        if self.missed:
            yield self.missed, Outcome.MISSED


@dataclass(frozen=True)
class Kept:
    """A record that is kept, and how many it stands for."""

    judged: Judged
    weight: int


def write(page: Sequence[Judged], *, now: datetime) -> None:
    """Count what corrections did, keep a sample. In the caller's transaction."""
    _count(page)
    kept = sample(page)
    ids = _numbers(len(kept))
    _execute(_RECORDS, [_row(each, number) for each, number in zip(kept, ids, strict=True)])
    matches = [
        {"record": number, "correction": name, "outcome": outcome, "at": each.judged.said.at}
        for each, number in zip(kept, ids, strict=True)
        for name, outcome in each.judged.outcomes()
    ]
    _execute(_MATCHES, matches, now)


def sample(page: Sequence[Judged]) -> list[Kept]:
    """Choose what is kept: every n-th, and a few more of what corrections did, which stand for none.

    A record may itself stand for several requests, or for none where another one tells of the same.
    """
    step = _step(page)
    spared = Counter[tuple[str, Outcome]]()
    return [
        Kept(each, each.said.weight * min(step, len(page) - place) if place % step == 0 else 0)
        for place, each in enumerate(page)
        if place % step == 0 or _telling(each, spared)
    ]


def _step(page: Sequence[Judged]) -> int:
    if not page:
        return 1
    moments = [each.said.at for each in page]
    seconds = (max(moments) - min(moments)).total_seconds()
    return ceil(len(page) / max(KEPT_AT_LEAST, KEPT_PER_SECOND * seconds))


def _telling(each: Judged, spared: Counter[tuple[str, Outcome]]) -> bool:
    """Whether it shows something of which not enough is kept yet."""
    found = [
        key
        for key in each.outcomes()
        if spared[key] < (MISSED_KEPT if key[1] == Outcome.MISSED else EXAMPLES)
    ]
    spared.update(found)
    return bool(found)


def _count(page: Sequence[Judged]) -> None:
    counts = Counter[tuple[str, Outcome, str, str, str]]()
    for each in page:
        said = each.said
        minute = said.at.strftime("%Y-%m-%dT%H:%M%z")
        for name, outcome in each.outcomes():
            counts[name, outcome, minute, said.organisation, said.user] += 1
    rows = [
        {"correction": name, "at": minute, "organisation": organisation, "user": user}
        | {each.value.lower(): count if each == outcome else 0 for each in _COUNTED}
        for (name, outcome, minute, organisation, user), count in counts.items()
        if outcome in _COUNTED
    ]
    _execute(_COUNTS, rows)


def _row(kept: Kept, number: int) -> dict[str, Any]:
    said = kept.judged.said
    row = {name: getattr(said, name) for name in said.__struct_fields__}
    big = {
        name: _bounded(row[name])
        for name in ("max_tokens", "body_bytes", "tokens_in", "tokens_out", "policy")
    }
    return row | big | {"id": number, "weight": kept.weight}


def _bounded(value: int | None) -> int | None:
    """Numbers come from callers too: keep them within what PostgreSQL holds."""
    return None if value is None else max(min(value, _BIGGEST), -_BIGGEST)


def _numbers(count: int) -> list[int]:
    """Draw ids beforehand, so that what belongs to a record can be written without asking back."""
    table = TrafficRecord._meta.db_table  # noqa: SLF001 - Django's public name
    with connection.cursor() as cursor:
        query = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
        cursor.execute(query, [table, count])
        return [number for (number,) in cursor.fetchall()]


def _execute(statement: str, rows: list[dict[str, Any]], *before: datetime) -> None:
    """Hand rows over as one JSON document; PostgreSQL stores every character but one."""
    if not rows:
        return
    document = msgspec.json.encode(rows).decode().replace("\\u0000", "\\ufffd")
    with connection.cursor() as cursor:
        cursor.execute(statement, [*before, document])
