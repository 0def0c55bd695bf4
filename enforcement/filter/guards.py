"""The corrections that look at a text, and what they have found in one answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from enforcement import policy
from enforcement.patterns import Compiled

Place: TypeAlias = tuple[str | int | None, ...]
"""The way to a text inside an answer."""
What: TypeAlias = Literal["blocked", "redacted", "flagged", "shadow"]
REMOVED = "[removed]"


class BlockedError(Exception):
    """A correction ends the request or the answer here."""

    def __init__(self, correction: policy.Correction) -> None:
        super().__init__(correction.id)
        self.correction = correction


@dataclass(frozen=True)
class Guard:
    """A correction with the patterns that it looks for."""

    correction: policy.Correction
    compiled: Compiled

    @property
    def action(self) -> Literal["block", "redact", "flag"]:
        """What it does; a dry run does nothing but count."""
        effect = self.correction.effect
        assert isinstance(effect, policy.InputFilter | policy.OutputFilter)  # noqa: S101 - made of no other
        return "flag" if self.shadow else effect.action

    @property
    def shadow(self) -> bool:
        """Tell whether this is a dry run."""
        return self.correction.mode == "shadow"

    @property
    def threshold(self) -> int:
        """The weight of the patterns from which it acts."""
        return self.correction.effect.threshold  # type: ignore[union-attr]


@dataclass
class Findings:
    """What the corrections have found in one request or answer, and whom to tell."""

    told: Callable[[policy.Correction, What], None]
    _weights: dict[tuple[str, object], dict[int, int]] = field(default_factory=dict)
    _noted: set[tuple[str, What]] = field(default_factory=set)

    def acts(self, guard: Guard, which: Iterable[int], choice: object) -> bool:
        """Count the patterns found in one choice of an answer; tell whether the correction acts on them.

        :raises BlockedError: it blocks.
        """
        found = self._weights.setdefault((guard.correction.id, choice), {})
        found.update((number, guard.compiled.weights[number]) for number in which)
        if not found or sum(found.values()) < guard.threshold:
            return False
        self.note(guard.correction, _WHAT[guard.action])
        if guard.action == "block":
            raise BlockedError(guard.correction)
        return guard.action == "redact"

    def note(self, correction: policy.Correction, what: What) -> None:
        """Tell what a correction did, once per answer."""
        what = "shadow" if correction.mode == "shadow" else what
        if (correction.id, what) not in self._noted:
            self._noted.add((correction.id, what))
            self.told(correction, what)


_WHAT: dict[str, What] = {"block": "blocked", "redact": "redacted", "flag": "flagged"}
