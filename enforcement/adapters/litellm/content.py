"""What corrections do to the content of a request: the filter's own functions, inside this door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from enforcement import policy
from enforcement.filter.asked import check, unreadable
from enforcement.filter.guards import BlockedError, Findings, Guard
from enforcement.filter.prompts import NoPlaceError, instructed
from enforcement.patterns import Compiled, compiled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enforcement.agent.attachments import Attachments


class ContentError(Exception):
    """A correction ends the request here."""

    def __init__(self, correction: policy.Correction) -> None:
        super().__init__(correction.id)
        self.correction = correction


class Reader:
    """The pattern sets of one policy, compiled before the first request meets them."""

    def __init__(self, content: policy.Content, attachments: Attachments) -> None:
        sets: dict[str, Compiled] = {}
        self._guards: dict[str, Guard] = {}
        for item in content.corrections:
            if isinstance(item.effect, policy.InputFilter | policy.OutputFilter):
                address = item.effect.patterns.attachment
                sets[address] = sets.get(address) or compiled(attachments.patterns(address))
                self._guards[item.id] = Guard(item, sets[address])

    def guards(self, filters: Sequence[policy.Correction], kind: type) -> list[Guard]:
        """Give the filters of a kind with their patterns."""
        return [self._guards[item.id] for item in filters if isinstance(item.effect, kind)]

    def change(
        self,
        data: dict[str, Any],
        filters: Sequence[policy.Correction],
        findings: Findings,
        *,
        endpoint: str,
    ) -> None:
        """Look into a request, redact in it and give it its instructions; in place.

        :raises ContentError: a correction blocks it, or cannot be carried out.
        """
        _look(data, self.guards(filters, policy.InputFilter), findings)
        for item in filters:
            if isinstance(item.effect, policy.SystemPrompt) and item.mode == "enforce":
                _instruct(data, item, item.effect, endpoint=endpoint)


def _look(data: dict[str, Any], guards: Sequence[Guard], findings: Findings) -> None:
    acting = [guard for guard in guards if guard.action != "flag"]
    if acting and unreadable(data):
        raise ContentError(acting[0].correction)
    try:
        check(data, guards, findings)
    except BlockedError as blocked:
        raise ContentError(blocked.correction) from None


def _instruct(
    data: dict[str, Any], item: policy.Correction, effect: policy.SystemPrompt, *, endpoint: str
) -> None:
    try:
        changed: Mapping[str, Any] = instructed(data, effect, endpoint=endpoint)
    except NoPlaceError:
        raise ContentError(item) from None
    data.update(changed)
