"""What policies name by address, as :func:`enforcement.decide` asks for it in the application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corrections.segments import contents

if TYPE_CHECKING:
    from enforcement import policy


class Stored:
    """The attachments in the database. What was read once is kept: the bytes behind an address never change.

    Each method raises what is both a ``PolicyError`` and a ``LookupError`` where nothing is stored.
    """

    def subjects(self, address: str) -> frozenset[str]:
        """Give the names of a list."""
        return contents.subjects(address)

    def patterns(self, address: str) -> policy.PatternSet:
        """Give a set of patterns."""
        return contents.patterns(address)


def stored() -> Stored:
    """Give the attachments that were ever imported."""
    return Stored()
