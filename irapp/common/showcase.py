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

    model = forms.ChoiceField(choices=[("", "Choose a model"), ("aurora-large", "aurora-large")], help_text="As the gateway names it.")
    limit = forms.IntegerField(label="Requests per window", min_value=1)
    expires_at = forms.DateTimeField(
        label="Expires (UTC)", required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    scope = forms.ChoiceField(
        label="User scope",
        widget=forms.RadioSelect,
        choices=[("users", "Named users"), ("organisations", "Whole organisations"), ("everyone", "Everyone")],
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
    return {**_clocks(now), **_decision(now), **_lists(now), **_forms(), "states": list(STATES), "markdown_text": MARKDOWN}


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


def _decision(now: datetime) -> dict[str, object]:
    return {
        "facts": [
            ("Restricts", "T1 access: block"),
            ("Functionality", "aurora-large, every endpoint"),
            ("Whom", "user alice (acme)"),
            ("Expires", "in 3 days, then hold"),
        ],
        "vote_groups": [
            {"summary": "Waiting for 1 of 2 from executives", "pips": ["given", ""], "eligible": ["Edgar Stone"]},
            {"summary": "1 of 1 from duty officers", "pips": ["given"], "eligible": []},
        ],
        "votes": [
            {"who": "Dora Lind", "verdict": "APPROVE", "at": now - timedelta(minutes=6), "reason": "Narrow and reversible."},
            {"who": "Rui Prado", "verdict": "REJECT", "at": now - timedelta(minutes=2), "reason": "Too wide for the evidence."},
        ],
        "diff_rows": [
            {"label": "Kind", "old": "request_limit", "new": "block", "changed": True},
            {"label": "Users", "old": "alice", "new": "alice, bob", "changed": True},
            {"label": "Requests", "old": "10 in 60 s", "new": None, "changed": True},
            {"label": "Model", "old": "aurora-large", "new": "aurora-large", "changed": False},
        ],
    }


def _lists(now: datetime) -> dict[str, object]:
    return {
        "stages": _stages(),
        "conditions": _conditions(),
        "gateways": _gateways(now),
        "timeline": _timeline(now),
        "signals": _signals(now),
        "tabs": [
            {"label": "Needs me", "url": "#mine", "current": True, "count": 3},
            {"label": "Needs decision", "url": "#decide", "current": False, "count": 1},
            {"label": "In progress", "url": "#progress", "current": False, "count": 12},
            {"label": "Waiting", "url": "#waiting", "current": False, "count": 0},
        ],
    }


def _stages() -> list[dict[str, str]]:
    names = ["Preparation", "Monitoring", "Execution", "Post-incident", "Closed"]
    status = ["done", "done", "current", "ahead", "ahead"]
    return [{"label": name, "status": here} for name, here in zip(names, status, strict=True)]


def _conditions() -> list[dict[str, object]]:
    return [
        {"label": "Every correction is lifted or permanent", "met": False, "detail": "COR-0012.1 is active", "url": "#lift", "action": "Open"},
        {"label": "The people affected were told", "met": False, "detail": "No notice was sent"},
        {"label": "A commander is named", "met": True, "detail": "Connor Vale"},
    ]


def _gateways(now: datetime) -> list[dict[str, object]]:
    probes = [
        {"ok": True, "text": "chat.completions as a restricted subject: 403, as wanted"},
        {"ok": False, "text": "responses as the subject beside: 403, should be 200"},
    ]
    common = {"seen_at": now - timedelta(seconds=3), "wanted_version": 17}
    return [
        {**common, "name": "gateway-1", "state": "VERIFIED", "version": 17, "probes_ok": 4, "probes_total": 4, "refused": 128},
        {**common, "name": "gateway-2", "state": "STALE", "version": 16, "probes_ok": 1, "probes_total": 2, "refused": 0,
         "detail": "Envoy refused the files of version 17: unknown field. Version 16 stays in force.", "probes": probes},
    ]  # fmt: skip


def _timeline(now: datetime) -> list[dict[str, object]]:
    return [
        {"at": now - timedelta(minutes=2), "what": "Approval by the duty officer", "who": "Dora Lind", "icon": "decision", "tone": "ok"},
        {"at": now - timedelta(minutes=8), "what": "Correction proposed", "who": "Connor Vale", "icon": "correction", "tone": "accent",
         "detail": "COR-0012.1"},
        {"at": now - timedelta(minutes=40), "what": "Note", "who": "Rosa Keil", "icon": "note", "text": "Reproduced **9 of 10** times."},
        {"at": now - timedelta(hours=3), "what": "Emergency declared", "who": "Connor Vale", "icon": "bolt", "tone": "danger"},
    ]  # fmt: skip


def _signals(now: datetime) -> list[dict[str, object]]:
    return [
        {"ref": "SIG-0107", "title": "Classifier: synthesis route in 14 answers", "severity": "CRITICAL", "state": "NEW", "source": "Output monitor", "count": 14, "at": now - timedelta(minutes=1)},
        {"ref": "SIG-0106", "title": "Key shared across 40 networks", "severity": "HIGH", "state": "ACKNOWLEDGED", "source": "Abuse detection", "count": 3, "at": now - timedelta(minutes=25)},
        {"ref": "SIG-0099", "title": "Report by a researcher", "severity": "MODERATE", "state": "LINKED", "source": "Mail", "count": 1, "at": now - timedelta(hours=7)},
        {"ref": "SIG-0098", "title": "Refusal rate drifts", "severity": "LOW", "state": "RESOLVED", "source": "Metrics", "count": 2, "at": now - timedelta(days=2)},
    ]  # fmt: skip
