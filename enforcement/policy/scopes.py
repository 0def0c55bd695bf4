"""The two independent scopes of a correction (T-2): which functionality, and which users."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from enforcement.policy.base import Digest, Endpoint, Feature, Name, Strict

LIST_MOST = 100_000
"""Names in one attached list."""


class Functionality(Strict, frozen=True, kw_only=True):
    """Which functionality: every dimension that names something must match; an empty one matches all.

    A request matches ``features`` when it uses one of them.
    """

    models: tuple[Name, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    applications: tuple[Name, ...] = ()
    use_cases: tuple[Name, ...] = ()
    platforms: tuple[Name, ...] = ()
    features: tuple[Feature, ...] = ()


class SubjectList(Strict, frozen=True, kw_only=True):
    """A long list of subjects, by content address; ``count`` is for people."""

    of: Literal["user", "organisation", "key"]
    attachment: Digest
    count: Annotated[int, Meta(ge=1, le=LIST_MOST)]


class Users(Strict, frozen=True, kw_only=True):
    """Which users: whoever stands in any of the lists; all of them empty means everyone."""

    users: tuple[Name, ...] = ()
    organisations: tuple[Name, ...] = ()
    keys: tuple[Name, ...] = ()
    regions: tuple[Name, ...] = ()
    tiers: tuple[Name, ...] = ()
    lists: Annotated[tuple[SubjectList, ...], Meta(max_length=20)] = ()

    @property
    def everyone(self) -> bool:
        """No list names anybody, so nobody is left out."""
        return not any(getattr(self, name) for name in self.__struct_fields__)
