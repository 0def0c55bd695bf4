"""What is read for one look at all corrections and all gateways: no more than there is news of."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from django.db.models import Q

from corrections.models import CorrectionGateway, Gateway
from corrections.publishing.missed import let_through
from corrections.publishing.readback import counts_up_to
from corrections.publishing.settled import Settled
from corrections.selectors.gateways import published
from corrections.states import VERIFIED, State

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from corrections.models import Correction


class Look:
    """Everything that was read at one moment.

    :ivar counted: corrections of which nothing is news but what gateways counted.
    """

    def __init__(self, watched: Sequence[Correction], *, now: datetime) -> None:
        self.watched, self.now = watched, now
        settled = Settled([each for each in watched if each.state != State.LIFTING])
        self.counted = settled.counted
        self.gateways = _gateways()
        self.digests = published(self.gateways)
        self.let_through = let_through(now=now)
        self._counts = {each.pk: counts_up_to(each, digests=self.digests, now=now) for each in self.gateways}
        self._news = {each.pk: self._news_of(each, settled) for each in watched}
        self._rows = self._read_rows()
        self._read_reports()

    def news(self, correction: Correction) -> frozenset[int]:
        """Give the gateways that have to be asked what they show of it."""
        return self._news[correction.pk]

    def row(self, correction: Correction, gateway: Gateway) -> CorrectionGateway:
        """Give what was kept of a pair that is news, or a new row."""
        kept = self._rows.get((correction.pk, gateway.pk))
        return kept or CorrectionGateway(correction=correction, gateway=gateway)

    def _news_of(self, correction: Correction, settled: Settled) -> frozenset[int]:
        """Leave out who says the same as before, if its word counts now as it did then."""
        same, needs = settled.gateways(correction), correction.policy_version or 0
        passed = {} if correction.state in VERIFIED else self.let_through.get(correction.policy_id, {})
        return frozenset(
            each.pk
            for each in self.gateways
            if each.pk not in same or self._counts[each.pk] < needs or each.name in passed
        )

    def _read_rows(self) -> dict[tuple[int, int], CorrectionGateway]:
        news = [Q(correction=pk, gateway__in=gateways) for pk, gateways in self._news.items() if gateways]
        rows = CorrectionGateway.objects.filter(reduce(or_, news)).order_by() if news else ()
        return {(row.correction_id, row.gateway_id): row for row in rows}

    def _read_reports(self) -> None:
        """Reports hold every correction, and grow with them."""
        asked = frozenset[int]().union(*self._news.values())
        reports = dict(Gateway.objects.filter(pk__in=asked).values_list("pk", "report")) if asked else {}
        for gateway in self.gateways:
            if gateway.pk in reports:
                gateway.report = reports[gateway.pk]


def _gateways() -> list[Gateway]:
    """Give all that count, without their reports; of a webhook it matters whether it has one."""
    shown, by_webhook = Gateway.objects.shown(), Q(kind=Gateway.Kind.WEBHOOK)
    found = [*shown.filter(by_webhook), *shown.exclude(by_webhook).defer("report")]
    return sorted(found, key=lambda each: each.name)
