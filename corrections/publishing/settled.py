"""Which gateways show a correction as they did before: nearly all of them, nearly always.

They are found by the database, so that what nothing happened to is neither read nor judged again. What merely
counts on, refusals and the answers to probes, is written down on the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog
from django.db import DataError, connection, transaction

from enforcement.report import BIGGEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corrections.models import Correction

_SETTLED: Final = f"""
WITH shown AS MATERIALIZED (
  SELECT
    kept.id, kept.correction_id, kept.gateway_id, said.refused, said.probes, said.checked_at,
    kept.refused <> said.refused OR kept.probes <> said.probes AS counted_on
  FROM corrections_gateway AS gateway
  CROSS JOIN LATERAL jsonb_each(
    CASE jsonb_typeof(gateway.report->'corrections')
    WHEN 'object' THEN gateway.report->'corrections' ELSE '{{}}' END
  ) AS each(name, seen)
  CROSS JOIN LATERAL (SELECT
    least(greatest((seen->>'refused')::numeric, 0), {BIGGEST})::bigint AS refused,
    seen->'probes' AS probes, (seen->>'checked_at')::timestamptz AS checked_at
  ) AS said
  JOIN unnest(%s::bigint[], %s::text[]) AS wanted(id, name) ON wanted.name = each.name
  JOIN corrections_correctiongateway AS kept
    ON kept.gateway_id = gateway.id AND kept.correction_id = wanted.id
  WHERE gateway.retired_at IS NULL AND kept.verified AND kept.detail = '' AND kept.wrong_since IS NULL
    AND seen->>'state' = kept.state AND seen->>'verified' = 'true'
    AND said.refused IS NOT NULL AND said.probes IS NOT NULL AND said.checked_at IS NOT NULL
), locked AS MATERIALIZED (
  SELECT kept.id, shown.refused, shown.probes, shown.checked_at
  FROM shown JOIN corrections_correctiongateway AS kept ON kept.id = shown.id
  WHERE shown.counted_on ORDER BY kept.correction_id, kept.gateway_id FOR UPDATE OF kept
), written AS (
  UPDATE corrections_correctiongateway AS kept
  SET refused = locked.refused, probes = locked.probes, checked_at = locked.checked_at
  FROM locked WHERE kept.id = locked.id
)
SELECT correction_id, array_agg(gateway_id), bool_or(counted_on) FROM shown GROUP BY 1
"""  # noqa: S608 - of our own constants
"""Locked in one order, so that two workers never wait for each other in a circle."""
log = structlog.get_logger(__name__)


class Settled:
    """What is as it was.

    :ivar counted: corrections of which something was counted on.
    """

    def __init__(self, watched: Sequence[Correction]) -> None:
        found = _asked(watched)
        self._gateways = {correction: frozenset(gateways) for correction, gateways, _ in found}
        self.counted = sorted(correction for correction, _, counted_on in found if counted_on)

    def gateways(self, correction: Correction) -> frozenset[int]:
        """Give the gateways that still say of it what made it count as shown there."""
        return self._gateways.get(correction.pk, frozenset())


def _asked(watched: Sequence[Correction]) -> list[tuple[int, list[int], bool]]:
    """Ask the database; where it finds something that it cannot read, every pair is looked at by itself."""
    ids, names = [each.pk for each in watched], [each.policy_id for each in watched]
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_SETTLED, [ids, names])
            return list(cursor.fetchall())
    except DataError as error:
        log.warning("observations_looked_at_one_by_one", error=str(error))
        return []
