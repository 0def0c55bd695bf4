"""Ending running streams that no filter sees: the listener is replaced, and the old one drains at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec

from enforcement import policy
from enforcement.agent import files
from enforcement.decide import in_grace
from enforcement.envoy.gateway import Gateway


class _Kept(msgspec.Struct, kw_only=True):
    generation: int = 0
    ended: tuple[str, ...] | None = None


class Streams:
    """Remembers for which corrections streams were ended, also over a restart of the agent."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "streams.json"
        self._kept = _Kept()

    @property
    def generation(self) -> int:
        """The listener that is to run; a new one replaces it."""
        return self._kept.generation

    def load(self, live: Iterable[policy.Correction]) -> None:
        """Take up what an earlier agent noted; without any, what is in force now has been so before."""
        try:
            self._kept = msgspec.json.decode(files.read(self._path) or b"{}", type=_Kept)
        except msgspec.DecodeError:
            self._kept = _Kept()
        if self._kept.ended is None:
            self._kept.ended = tuple(sorted(item.id for item in live))

    def to_end(self, live: Iterable[policy.Correction], gateway: Gateway, now: datetime) -> bool:
        """Note what is in force; tell whether something of it ends streams that no filter sees."""
        biting = {item.id: item for item in live if item.mode == "enforce" and not in_grace(item, now)}
        known = set(self._kept.ended or ())
        new = [item for name, item in biting.items() if name not in known]
        if known == set(biting):
            return False
        replace = any(_ends(item) and _reaches_direct(item, gateway) for item in new)
        kept = _Kept(generation=self._kept.generation + replace, ended=tuple(sorted(biting)))
        files.write(self._path, msgspec.json.encode(kept))
        self._kept = kept
        return replace


def _ends(item: policy.Correction) -> bool:
    return item.running_streams == "end" or isinstance(item.effect, policy.Halt)


def _reaches_direct(item: policy.Correction, gateway: Gateway) -> bool:
    names = item.functionality.models or tuple(gateway.models)
    reached = [gateway.models[name] for name in names if name in gateway.models]
    return any(not model.filtered for model in reached)
