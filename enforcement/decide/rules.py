"""The corrections of a policy, found by whom they name: what most requests meet is a few of thousands."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from enforcement import policy
from enforcement.decide.engine import Case
from enforcement.decide.matching import Attachments, NoAttachments, in_force
from enforcement.decide.verdict import Attributes, Verdict

NAMED = {
    "users": "user",
    "organisations": "organisation",
    "keys": "key",
    "regions": "region",
    "tiers": "tier",
}


class Rules:
    """A policy made ready for many decisions."""

    def __init__(self, content: policy.Content, attachments: Attachments | None = None) -> None:
        self.content = content
        self._attachments = attachments or NoAttachments()
        self._always: set[int] = set()
        self._by_name: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
        for position, item in enumerate(content.corrections):
            self._place(position, item)

    def decide(self, attributes: Attributes, *, now: datetime) -> Verdict:
        """Say what the corrections in force do to a request.

        :raises PolicyError: a list that the policy names is not at hand.
        """
        corrections = self.content.corrections
        live = [corrections[place] for place in self._places(attributes) if in_force(corrections[place], now)]
        return Case(attributes, live, now, self._attachments).verdict()

    def _place(self, position: int, item: policy.Correction) -> None:
        users = item.users
        if users.everyone or users.lists or isinstance(item.effect, policy.Allow):
            self._always.add(position)
            return
        for field, attribute in NAMED.items():
            for name in getattr(users, field):
                self._by_name[attribute, name].add(position)

    def _places(self, attributes: Attributes) -> list[int]:
        """Give where the corrections stand that could reach the request, in the order of the document."""
        named = (self._by_name.get((each, getattr(attributes, each)), ()) for each in NAMED.values())
        return sorted(self._always.union(*named))


def decide(
    attributes: Attributes,
    content: policy.Content,
    *,
    now: datetime,
    attachments: Attachments | None = None,
) -> Verdict:
    """Say once what a policy does to a request; for many decisions keep :class:`Rules`.

    :raises PolicyError: a list that the policy names is not at hand.
    """
    live = [item for item in content.corrections if in_force(item, now)]
    return Case(attributes, live, now, attachments or NoAttachments()).verdict()
