"""What pages show of a review."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from incidents import panels, telling
from incidents.policies import why_not
from incidents.post_incident import content, policies
from incidents.post_incident.models import Finding, FollowUp, Review, Signature, Submission
from incidents.states import State as Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from incidents.models import Incident
    from irapp.accounts.models import User

WORDS = {
    "review.begun": ("Review begun", "note", "accent"),
    "review.edited": ("Review edited", "note", "neutral"),
    "review.submitted": ("Review submitted", "arrow-right", "info"),
    "review.returned": ("Review returned with comments", "loop", "warn"),
    "review.voided": ("Submitted review voided by an edit", "loop", "warn"),
    "review.signed": ("Review signed", "check-circle", "ok"),
    "review.exported": ("Review exported", "download", "neutral"),
    "finding.added": ("Finding added", "plus", "neutral"),
    "finding.fed_back": ("Finding fed back into the preparation", "loop", "ok"),
    "finding.waived": ("Finding waived", "slash", "warn"),
    "finding.removed": ("Finding taken back", "slash", "neutral"),
    "follow_up.added": ("Follow-up agreed", "plus", "neutral"),
    "follow_up.finished": ("Follow-up finished", "check", "ok"),
}


@dataclass(frozen=True)
class ReviewPanel:
    """The review on the incident page."""

    review: Review | None
    why_not_begin: str


@dataclass(frozen=True)
class Line:
    """One line of the timeline, as its component prints it."""

    at: datetime
    who: str
    what: str
    text: str
    detail: str


@dataclass(frozen=True)
class ReviewPage:
    """Everything the page of a review shows.

    :param report: the frozen content where it was submitted, else what would be submitted now.
    :param why_not: reasons by action; empty where this reader may.
    """

    incident: Incident
    review: Review
    findings: Sequence[Finding]
    follow_ups: Sequence[FollowUp]
    submission: Submission | None
    submissions: Sequence[Submission]
    signatures: Sequence[Signature]
    report: dict[str, Any]
    milestones: Sequence[content.Milestone]
    timeline: Sequence[Line]
    why_not: dict[str, str]


def panel(incident: Incident, user: User) -> ReviewPanel | None:
    """Show the review once the incident has come to it."""
    review = Review.objects.filter(incident=incident).first()
    if review is None and incident.state != Stage.POST_INCIDENT:
        return None
    return ReviewPanel(review, why_not(policies.check_can_write, incident, user))


def page(review: Review, user: User) -> ReviewPage:
    """Fill the page."""
    incident = review.incident
    submissions = list(review.submissions.select_related("by").prefetch_related("signatures__user"))
    current = submissions[0] if submissions and review.state != "DRAFT" else None
    report = json.loads(bytes(current.content)) if current else content.document(review)
    return ReviewPage(
        incident=incident,
        review=review,
        findings=list(review.findings.select_related("waived_by")),
        follow_ups=list(review.follow_ups.select_related("owner", "done_by")),
        submission=current,
        submissions=submissions,
        signatures=list(current.signatures.all()) if current else [],
        report=report,
        milestones=[_milestone(each) for each in report["milestones"]],
        timeline=[_line(each) for each in report["timeline"]],
        why_not={
            "write": why_not(policies.check_can_write, incident, user),
            "waive": why_not(policies.check_can_waive, incident, user),
            "submit": why_not(policies.check_can_submit, review, user),
            "sign": why_not(policies.check_can_sign, review, user),
            "return": why_not(policies.check_can_return, review, user),
        },
    )


def _milestone(told: dict[str, Any]) -> content.Milestone:
    at = datetime.fromisoformat(told["at"])
    return content.Milestone(told["label"], at, told["seconds_since_previous"])


def _line(told: dict[str, Any]) -> Line:
    what = told["what"] if told["about"] in told["what"] else f"{told['what']} · {told['about']}"
    return Line(datetime.fromisoformat(told["at"]), told["who"], what, told["why"], told["detail"])


def register() -> None:
    """Put the review onto the incident page, and its events into words."""
    panels.register("review", "post_incident/panel.html", 30, panel)
    for verb, words in WORDS.items():
        telling.register(verb, *words)
