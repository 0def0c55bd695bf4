"""What closing an incident asks of its review."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse

from incidents import gates
from incidents.gates import Condition
from incidents.post_incident.models import Review
from incidents.post_incident.states import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from incidents.models import Incident


def review_signed(incident: Incident) -> Iterator[Condition]:
    """A signed review, and every finding of it fed back or waived (framework R-4, R-5)."""
    review = Review.objects.filter(incident=incident).prefetch_related("findings").first()
    url = reverse("post_incident:review", args=[incident.pk])
    signed, said = _signed(incident, review)
    yield Condition("review", "After-action review signed", signed, said, url, waivable=False)
    owed = [finding.title for finding in review.findings.all() if not finding.is_settled] if review else []
    detail = "; ".join(owed) if owed else "Nothing is left without consequence."
    yield Condition("findings", "Findings fed back or waived", not owed, detail, url, waivable=False)


def _signed(incident: Incident, review: Review | None) -> tuple[bool, str]:
    if review is None:
        return False, "Not begun."
    newest = review.submissions.first()
    if review.state == State.SIGNED and newest and newest.at < incident.moved_at:
        return False, "Signed before the incident came back: bring it up to date and submit it again."
    return review.state == State.SIGNED, str(review.get_state_display())


def register() -> None:
    """Register what closing asks for."""
    gates.register("close", review_signed)
