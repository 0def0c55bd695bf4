"""What a correction says, as one value: drafted, revised, compared and shown as a whole."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from corrections.models import Correction


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The terms of a correction, named as its columns.

    :param kind: one of ``enforcement.policy.EFFECTS``.
    :param parameters: the fields of that effect, for example ``{"requests": 5, "window_seconds": 60}``.
    :param functionality: dimensions of ``enforcement.policy.Functionality``, for example ``{"models": […]}``.
    :param users: dimensions of ``enforcement.policy.Users``; ``lists`` holds segments as they were frozen,
        ``[{"of", "attachment", "count"}]``. Nobody named means everyone.
    :param grace_until: until then what it would refuse passes with a warning.
    :param expected_false_positive_percent: of clean traffic, hit by a filter or classifier all the same.
    :param narrower_rejected: why a narrower option was not enough; asked for where it is broad or a shutdown.
    """

    kind: str
    review_at: datetime
    exit_criteria: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    functionality: Mapping[str, object] = field(default_factory=dict)
    users: Mapping[str, object] = field(default_factory=dict)
    mode: str = "enforce"
    starts_at: datetime | None = None
    expires_at: datetime | None = None
    at_expiry: str = "hold"
    grace_until: datetime | None = None
    percentage: int = 100
    running_streams: str = "finish"
    public_reason: str = ""
    appeal: str = ""
    narrower_rejected: str = ""
    expected_false_positive_percent: float | None = None

    @classmethod
    def of(cls, correction: Correction) -> Terms:
        """Read them off a stored correction."""
        return cls(**{each.name: getattr(correction, each.name) for each in fields(cls)})

    def write_to(self, correction: Correction) -> None:
        """Put them onto a correction, unsaved."""
        for each in fields(self):
            setattr(correction, each.name, getattr(self, each.name))

    def without_expiry(self) -> Terms:
        """The same, for good."""
        return replace(self, expires_at=None)
