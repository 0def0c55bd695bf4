"""Sample values for the design-system page: every component in every variant, no record behind any of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from django import forms

from irapp.common.templatetags.badges import STATES

DIGEST = "sha256:9f2c4be1a07d5c3388e6f0d4b7a1925ce83f60bb41d7a2e95c04f7716ad830e2"
MARKDOWN = """The prompt **works without** a system message. Seen in two places:

- a public forum, [archived](https://example.org/thread)
- the logs of `acme-support`

> We can reproduce it on aurora-large only.

| model | reproduced |
|---|---|
| aurora-large | 9 of 10 |
| aurora-small | 0 of 10 |
"""


class Filter(forms.Form):
    """A filter bar."""

    q = forms.CharField(label="Search", required=True, widget=forms.TextInput(attrs={"type": "search"}))
    severity = forms.ChoiceField(choices=[("", "Any"), ("CRITICAL", "Critical"), ("HIGH", "High")])


class Reason(forms.Form):
    """The form of a decision."""

    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}), help_text="Read by the other deciders and by the auditor."
    )


class Sample(forms.Form):
    """A form with each shape of field; shown with its errors."""

    model = forms.ChoiceField(
        choices=[("", "Choose a model"), ("aurora-large", "aurora-large")],
        help_text="As the gateway names it.",
    )
    limit = forms.IntegerField(label="Requests per window", min_value=1)
    expires_at = forms.DateTimeField(
        label="Expires (UTC)", required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    scope = forms.ChoiceField(
        label="User scope",
        widget=forms.RadioSelect,
        choices=[
            ("users", "Named users"),
            ("organisations", "Whole organisations"),
            ("everyone", "Everyone"),
        ],
    )
    endpoints = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[("chat.completions", "Chat completions"), ("responses", "Responses")],
    )
    shadow = forms.BooleanField(label="Dry run: count what would be refused", required=False)

    data_with_errors: ClassVar[dict[str, str]] = {"sample-limit": "0"}


def values(now: datetime) -> dict[str, object]:
    """Give everything that the design-system page prints."""
    return {
        **_clocks(now),
        **_decision(now),
        **_lists(now),
        **_forms(),
        "states": list(STATES),
        "markdown_text": MARKDOWN,
    }


def _clocks(now: datetime) -> dict[str, object]:
    return {
        "digest_value": DIGEST,
        "past": now - timedelta(hours=3, minutes=12),
        "soon": now + timedelta(minutes=11),
        "late": now - timedelta(minutes=4),
        "later": now + timedelta(hours=26),
    }


def _forms() -> dict[str, object]:
    form = Sample(Sample.data_with_errors, prefix="sample")
    return {"form": form, "filter_form": Filter(prefix="filter"), "reason_form": Reason(prefix="decision")}


def _rows(keys: str, *rows: tuple[object, ...]) -> list[dict[str, object]]:
    """Give each row its keys; a short row leaves the last ones out."""
    return [dict(zip(keys.split(), row, strict=False)) for row in rows]


def _decision(now: datetime) -> dict[str, object]:
    return {
        "facts": [
            ("Restricts", "T1 access: block"),
            ("Functionality", "aurora-large, every endpoint"),
            ("Whom", "user alice (acme)"),
            ("Expires", "in 3 days, then hold"),
        ],
        "vote_groups": _rows(
            "summary pips eligible barred",
            ("Waiting for 1 of 2", ["given", ""], ["Edgar Stone"], ["Ines Adler (wrote on it)"]),
            ("1 of 1 from duty officers", ["given"]),
        ),
        "votes": _rows(
            "who verdict at reason",
            ("Dora Lind", "APPROVE", now - timedelta(minutes=6), "Narrow and reversible."),
            ("Rui Prado", "REJECT", now - timedelta(minutes=2), "Too wide for the evidence."),
        ),
        "diff_rows": _rows(
            "label old new changed",
            ("Kind", "request_limit", "block", True),
            ("Users", "alice", "alice, bob", True),
            ("Requests", "10 in 60 s", None, True),
            ("Model", "aurora-large", "aurora-large", False),
        ),
    }


def _lists(now: datetime) -> dict[str, object]:
    return {
        "stages": _rows(
            "label status",
            ("Preparation", "done"),
            ("Monitoring", "done"),
            ("Execution", "current"),
            ("Post-incident", "ahead"),
            ("Closed", "ahead"),
        ),
        "conditions": _rows(
            "label met detail url action",
            ("Every correction is lifted or permanent", False, "COR-0012.1 is active", "#lift", "Open"),
            ("The people affected were told", False, "No notice was sent"),
            ("A commander is named", True, "Connor Vale"),
        ),
        "tabs": _rows(
            "label url current count",
            ("Needs me", "#mine", True, 3),
            ("Needs decision", "#decide", False, 1),
            ("In progress", "#progress", False, 12),
            ("Waiting", "#waiting", False, 0),
        ),
        "gateways": _gateways(now),
        "timeline": _timeline(now),
        "signals": _signals(now),
    }


def _gateways(now: datetime) -> list[dict[str, object]]:
    behind = "Envoy refused the files of version 17: unknown field. Version 16 stays in force."
    probes = _rows(
        "ok text",
        (True, "chat.completions as a restricted subject: 403, as wanted"),
        (False, "responses as the subject beside: 403, should be 200"),
    )
    seen_at = now - timedelta(seconds=3)
    return _rows(
        "name state version wanted_version probes_ok probes_total refused seen_at detail probes",
        ("gateway-1", "VERIFIED", 17, 17, 4, 4, 128, seen_at),
        ("gateway-2", "STALE", 16, 17, 1, 2, 0, seen_at, behind, probes),
    )


def _timeline(now: datetime) -> list[dict[str, object]]:
    return _rows(
        "at what who icon tone text detail",
        (now - timedelta(minutes=2), "Approval by the duty officer", "Dora Lind", "decision", "ok"),
        (
            now - timedelta(minutes=8),
            "Correction proposed",
            "Connor Vale",
            "correction",
            "accent",
            "",
            "COR-0012.1",
        ),
        (now - timedelta(minutes=40), "Note", "Rosa Keil", "note", "", "Reproduced **9 of 10** times."),
        (now - timedelta(hours=3), "Emergency declared", "Connor Vale", "bolt", "danger"),
    )


def _signals(now: datetime) -> list[dict[str, object]]:
    critical = "Classifier: synthesis route in 14 answers"
    return _rows(
        "ref title severity state source count at",
        ("SIG-0107", critical, "CRITICAL", "NEW", "Output monitor", 14, now - timedelta(minutes=1)),
        (
            "SIG-0106",
            "Key shared across 40 networks",
            "HIGH",
            "ACKNOWLEDGED",
            "Abuse",
            3,
            now - timedelta(hours=1),
        ),
        ("SIG-0099", "Report by a researcher", "MODERATE", "LINKED", "Mail", 1, now - timedelta(hours=7)),
        ("SIG-0098", "Refusal rate drifts", "LOW", "RESOLVED", "Metrics", 2, now - timedelta(days=2)),
    )
