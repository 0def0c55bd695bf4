"""How what happens to corrections reads in timelines and in the audit log, and where its pages are."""

from __future__ import annotations

from functools import partial

from django.urls import reverse

from incidents import telling

WORDS = {
    "correction.drafted": ("Correction drafted", "correction", "info"),
    "correction.revised": ("Correction revised", "note", "info"),
    "correction.proposed": ("Correction put before those who decide", "hourglass", "accent"),
    "correction.approved": ("Correction approved", "check-circle", "accent"),
    "correction.rejected": ("Correction rejected", "cross-circle", "danger"),
    "correction.withdrawn": ("Correction withdrawn", "slash", "neutral"),
    "correction.returned_to_draft": ("Correction back in draft", "loop", "warn"),
    "correction.expired_undecided": ("Correction lapsed: nobody decided in time", "clock", "warn"),
    "correction.enforcing": ("Correction on its way to the gateways", "half", "accent"),
    "correction.activated": ("Correction in force, verified at every gateway", "shield-check", "ok"),
    "correction.failed": ("Correction not enforced", "octagon-cross", "danger"),
    "correction.retried": ("Correction tried again", "loop", "accent"),
    "correction.drifted": ("Correction no longer enforced everywhere", "octagon-cross", "danger"),
    "correction.recovered": ("Correction enforced everywhere again", "shield-check", "ok"),
    "correction.held": ("Correction held beyond its expiry", "lock", "warn"),
    "correction.lifting": ("Correction being lifted", "half", "accent"),
    "correction.lift_overdue": ("Lifting of the correction is overdue", "clock", "danger"),
    "correction.lifted": ("Correction lifted, verified at every gateway", "square", "ok"),
    "correction.expired": ("Correction expired", "clock", "neutral"),
    "correction.superseded": ("Correction replaced by a newer version", "loop", "neutral"),
    "correction.made_permanent": ("Correction made permanent", "lock", "ok"),
    "destruction.drafted": ("Order of destruction drafted", "note", "warn"),
    "destruction.signed": ("Order of destruction signed", "decision", "accent"),
    "destruction.ordered": ("Destruction ordered, to be carried out elsewhere", "octagon-cross", "danger"),
    "destruction.withdrawn": ("Order of destruction withdrawn", "slash", "neutral"),
    "hold.placed": ("Evidence held", "lock", "accent"),
    "hold.released": ("Hold on evidence released", "square", "warn"),
    "package.opened": ("Package of corrections opened", "plus", "info"),
    "proposal.voted": ("Vote cast", "decision", "accent"),
    "proposal.opened": ("Proposal opened", "hourglass", "accent"),
    "proposal.approved": ("Proposal approved", "check-circle", "ok"),
    "proposal.rejected": ("Proposal rejected", "cross-circle", "danger"),
    "proposal.withdrawn": ("Proposal withdrawn", "slash", "neutral"),
    "proposal.lapsed": ("Proposal lapsed: nobody decided in time", "clock", "warn"),
    "policy.published": ("Policy published", "signal", "info"),
    "policy.conflict": ("A hub holds another policy of this version", "octagon-cross", "danger"),
    "alarm.raised": ("Alarm", "bell", "danger"),
    "alarm.acknowledged": ("Alarm seen", "eye", "accent"),
    "alarm.cleared": ("Alarm cleared", "check-circle", "ok"),
    "gateway.registered": ("Gateway reported for the first time", "gateway", "info"),
    "policy.continued": ("Policy continued above a lost one", "arrow-right", "warn"),
    "gateway.retired": ("Gateway retired", "slash", "warn"),
    "gateway.returned": ("Gateway back in service", "gateway", "warn"),
    "hub.failing": ("Hub does not answer as it should", "octagon-cross", "danger"),
}
PAGES = {
    "corrections.alarm": "corrections:alarm",
    "corrections.correction": "corrections:detail",
    "corrections.proposal": "corrections:proposal",
    "corrections.destructionorder": "corrections:destruction",
    "corrections.evidencehold": "corrections:hold",
}


def register() -> None:
    """Tell the floors below."""
    for verb, words in WORDS.items():
        telling.register(verb, *words)
    for kind, page in PAGES.items():
        telling.register_address(kind, partial(_address, page))
    telling.register_address("corrections.gateway", lambda _pk: reverse("corrections:gateways"))


def _address(page: str, pk: int) -> str:
    return reverse(page, args=[pk])
