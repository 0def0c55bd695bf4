"""The policy in force here: read whenever the agent has put another one in its place."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from enforcement import policy
from enforcement.decide import Rules
from enforcement.envoy.render import version_of
from enforcement.filter.attached import Attached
from enforcement.filter.ending import ends_streams, next_change
from enforcement.filter.policy_file import Watched
from enforcement.patterns import Compiled

FOLDER = "attachments"


class Ready:
    """A policy with everything that it needs at hand."""

    def __init__(self, signed: policy.Policy, attached: Attached) -> None:
        self.signed, self.version = signed, version_of(signed)
        self.corrections = signed.content.corrections
        self.rules = Rules(signed.content, attached)
        self.attached = attached
        self.ending = [item for item in self.corrections if ends_streams(item)]
        self.exemptions = [item for item in self.corrections if isinstance(item.effect, policy.Exempt)]

    def patterns(self, address: str) -> Compiled:
        """Give a set of patterns.

        :raises PolicyError: it is not at hand.
        """
        return self.attached.patterns(address)

    def next_change(self, now: datetime) -> datetime | None:
        """Give when the clock alone will change something."""
        return next_change(self.corrections, now)


class Current:
    """Gives the policy. Whoever asks while a new one is being made ready waits for it."""

    def __init__(self, policy_file: Path) -> None:
        self._file = Watched(policy_file, policy.Policy)
        self._attached = Attached(policy_file.with_name(FOLDER))
        self._ready: Ready | None = None
        self._making = asyncio.Lock()

    async def get(self) -> Ready | None:
        """Give the policy, or nothing if there has never been any."""
        if self._making.locked() or self._file.changed():  # read, yet not made ready: no longer "changed"
            async with self._making:
                if self._file.changed():
                    await asyncio.to_thread(self._make)
        return self._ready

    def _make(self) -> None:
        signed = self._file.get()
        if signed is None:
            return
        self._attached.prepare(signed.content)
        self._ready = Ready(signed, self._attached)


def now() -> datetime:
    """Give the time of this gateway."""
    return datetime.now(UTC)
