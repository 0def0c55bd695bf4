"""The report as files, from one source (framework R-8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.template.loader import render_to_string

if TYPE_CHECKING:
    from incidents.post_incident.panels import ReviewPage


def markdown(page: ReviewPage) -> str:
    """Give the report as Markdown, with its digest and signatures."""
    context: dict[str, Any] = {"report": page.report, "page": page}
    return render_to_string("post_incident/report.md", context)


def document(page: ReviewPage) -> dict[str, Any]:
    """Give the report as data; ``report`` is what the digest was taken of (RFC 8785)."""
    submission = page.submission
    return {
        "report": page.report,
        "state": page.review.state,
        "digest": submission.digest if submission else None,
        "signatures": [
            {"by": str(each.user), "at": each.at.isoformat(), "digest": each.digest, "comment": each.comment}
            for each in page.signatures
        ],
    }
