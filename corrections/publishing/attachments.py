"""What policies name by address, as :func:`enforcement.decide` asks for it in the application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corrections.segments import contents

if TYPE_CHECKING:
    from enforcement import policy


class Stored:
    """The attachments in the database. Lists that were read are kept for as long as this is.

    The bytes behind an address never change, and one policy names few enough of them.

    Each method raises what is both a ``PolicyError`` and a ``LookupError`` where nothing is stored.
    """

    def __init__(self) -> None:
        self._lists: dict[str, frozenset[str]] = {}

    def subjects(self, address: str) -> frozenset[str]:
        """Give the names of a list."""
        if address not in self._lists:
            self._lists[address] = contents.subjects(address)
        return self._lists[address]

    def patterns(self, address: str) -> policy.PatternSet:
        """Give a set of patterns."""
        return contents.patterns(address)


def stored() -> Stored:
    """Give the attachments that were ever imported."""
    return Stored()
