"""Keeping what gateways show of corrections: all that differs in one statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import structlog
from django.db import DataError, IntegrityError, connection, transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corrections.models import CorrectionGateway

_KEEP: Final = """
INSERT INTO corrections_correctiongateway AS kept (
  correction_id, gateway_id, state, verified, verified_once, refused, detail, probes, checked_at, wrong_since
)
SELECT
  correction_id, gateway_id, state, verified, verified_once, refused, detail, probes, checked_at, wrong_since
FROM json_to_recordset(%s::json) AS said(
  correction_id bigint, gateway_id bigint, state text, verified boolean, verified_once boolean,
  refused bigint, detail text, probes jsonb, checked_at timestamptz, wrong_since timestamptz
)
ORDER BY correction_id, gateway_id
ON CONFLICT (correction_id, gateway_id) DO UPDATE SET
  state = excluded.state, verified = excluded.verified, refused = excluded.refused, detail = excluded.detail,
  verified_once = kept.verified_once OR excluded.verified_once, probes = excluded.probes,
  checked_at = excluded.checked_at, wrong_since = excluded.wrong_since
"""
"""In one order, so that two workers never wait for each other in a circle."""
_KEPT: Final = (
    *("correction_id", "gateway_id", "state", "verified", "verified_once", "refused", "detail", "probes"),
    *("checked_at", "wrong_since"),
)
AT_ONCE: Final = 5000
log = structlog.get_logger(__name__)


def keep(rows: Sequence[CorrectionGateway]) -> set[int]:
    """Keep rows; give the corrections of those that were kept.

    One that cannot be kept is left out, and the others are kept all the same.
    """
    kept: set[int] = set()
    for start in range(0, len(rows), AT_ONCE):
        kept |= _kept(rows[start : start + AT_ONCE])
    return kept


def _kept(rows: Sequence[CorrectionGateway]) -> set[int]:
    try:
        _write(rows)
    except (DataError, IntegrityError) as error:
        if len(rows) > 1:
            return _kept(rows[: len(rows) // 2]) | _kept(rows[len(rows) // 2 :])
        log.warning("observation_not_kept", correction=rows[0].correction_id, error=str(error))
        return set()
    return {row.correction_id for row in rows}


@transaction.atomic
def _write(rows: Sequence[CorrectionGateway]) -> None:
    document = msgspec.json.encode([{name: getattr(row, name) for name in _KEPT} for row in rows])
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [document.decode()])
