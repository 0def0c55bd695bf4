"""Hand claimed items to the workers by messages; without a broker, carry them out here."""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import structlog
from django.db import connection
from kombu.exceptions import OperationalError

from irapp.audit import tasks
from irapp.audit.leases import Claim
from irapp.audit.outbox import carry_out, patience

WITHOUT_BROKER = 2.0
"""Seconds in which a broker that failed is not asked again."""
HANDS = 4
log = structlog.get_logger("irapp.outbox")


class Announcer:
    """Sends messages while the broker takes them, and works itself while it does not."""

    def __init__(self) -> None:
        self._ask_again_at = 0.0

    def hand_out(self, claims: Iterable[Claim]) -> None:
        """See to it that somebody works on every claimed item."""
        left = [item for item in claims if not self._sent(item)]
        if not left:
            return
        with ThreadPoolExecutor(HANDS, thread_name_prefix="outbox") as hands:
            list(hands.map(_carry_out_here, left))

    def _sent(self, item: Claim) -> bool:
        if time.monotonic() < self._ask_again_at:
            return False
        try:
            send(item)
        except (OperationalError, OSError) as error:
            self._ask_again_at = time.monotonic() + WITHOUT_BROKER
            log.warning("outbox.no_broker", error=str(error))
            return False
        return True


def send(item: Claim) -> None:
    """Send one message, without trying again: the caller knows better what to do meanwhile.

    :raises kombu.exceptions.OperationalError: the broker cannot be reached.
    """
    within = patience(item.handler)
    tasks.deliver.apply_async(
        args=(item.item_id, str(item.lease)), retry=False, soft_time_limit=within, time_limit=within + 3
    )


def _carry_out_here(item: Claim) -> None:
    try:
        carry_out(item.item_id, item.lease)
    finally:
        connection.close()  # each thread has its own, and threads come and go
