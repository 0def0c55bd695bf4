"""The relay: wakes when something is owed, and hands it out."""

from __future__ import annotations

import os
import select
from datetime import timedelta

import psycopg2
import structlog
from django.db import Error, connection
from django.utils import timezone

from irapp.audit import leases
from irapp.audit.announce import Announcer
from irapp.audit.listening import listen

POLL = 1.0
LEFT_BEHIND = timedelta(seconds=5)
log = structlog.get_logger("irapp.outbox")


def sweep(announcer: Announcer | None = None) -> None:
    """Hand out what the relay, were it alive, would have handed out long ago."""
    claims = leases.claim(now=timezone.now(), overdue=LEFT_BEHIND)
    if claims:
        log.warning("outbox.swept", count=len(claims))
        (announcer or Announcer()).hand_out(claims)


class Relay:
    """One process that hands out what is owed; several may run at once."""

    def __init__(self) -> None:
        self._announcer = Announcer()
        self._listening: psycopg2.extensions.connection | None = None
        self._stop_read, self._stop_write = os.pipe()
        self._stopping = False

    def stop(self) -> None:
        """Ask it to end after the round it is in. Safe in a signal handler."""
        self._stopping = True
        os.write(self._stop_write, b"x")

    def run(self) -> None:
        """Work until asked to stop; a database that goes away is waited for."""
        log.info("outbox.relay_started")
        while not self._stopping:
            try:
                self._round()
            except (Error, psycopg2.Error) as error:
                log.warning("outbox.no_database", error=str(error).strip())
                self._forget_connections()
                self._sleep([])
        self._forget_connections()
        log.info("outbox.relay_stopped")

    def _round(self) -> None:
        if self._listening is None:
            self._listening = listen("outbox")
        self._empty()
        self._sleep([self._listening])
        self._listening.poll()
        self._listening.notifies.clear()

    def _empty(self) -> None:
        while not self._stopping and (claims := leases.claim(now=timezone.now())):
            self._announcer.hand_out(claims)

    def _sleep(self, wakers: list[psycopg2.extensions.connection]) -> None:
        select.select([*(waker.fileno() for waker in wakers), self._stop_read], [], [], POLL)

    def _forget_connections(self) -> None:
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        connection.close()
