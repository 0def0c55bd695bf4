"""One text of a streamed answer: what may go out of it, and when."""

from __future__ import annotations

from collections.abc import Sequence

from enforcement.filter.guards import Findings, Guard
from enforcement.filter.whole import redacted
from enforcement.patterns import Matcher, merged

KEPT = 1000
"""Places of a text that are remembered: those long gone out do not matter."""


class Held:
    """Holds back the end of a text that could still become a match, and not a character more."""

    def __init__(self, guards: Sequence[Guard], findings: Findings, *, escaped: bool, choice: object) -> None:
        self._findings, self._choice = findings, choice
        self._readers = [(guard, Matcher(guard.compiled, escaped=escaped)) for guard in guards]
        self._out = 0
        self._places: list[tuple[int, int]] = []
        self.text = ""
        """What is held."""

    def feed(self, text: str, *, final: bool = False) -> str:
        """Read on; give what may go out.

        :raises BlockedError: a correction ends the answer here.
        """
        self.text += text
        safe = self._out + len(self.text)
        for guard, matcher in self._readers:
            which = matcher.feed(text, final=final)
            if which and self._findings.acts(guard, which, self._choice):
                self._places += [(hit.start, hit.end) for hit in matcher.hits(which)]
            matcher.forget()
            if guard.action != "flag":
                safe = min(safe, matcher.safe)
        return self._let_go(safe)

    @property
    def redacts(self) -> bool:
        """Tell whether anything has been redacted in the text."""
        return bool(self._places)

    def _let_go(self, safe: int) -> str:
        count = safe - self._out
        gone, self.text = self.text[:count], self.text[count:]
        if self._places:
            self._places = merged(self._places)[-KEPT:]
            gone = redacted(gone, self._places, self._out)
        self._out = safe
        return gone
