"""What gateways would report, told to the application as a hub tells it."""

import json
from datetime import UTC, datetime

import msgspec
from django.utils import timezone

from corrections.models import PolicyVersion
from corrections.publishing.client import Status
from corrections.publishing.evaluate import evaluate
from corrections.publishing.reports import take_in
from enforcement import policy
from enforcement.report import PolicyRef


def show(name="gateway-1", *, version=None, now=None, wrong=(), **changes):
    """Let one gateway report that all is as its policy says, except for ``changes``; then look at it."""
    now = now or timezone.now()
    said = report(name, version=version, now=now, wrong=wrong) | changes
    tell(said, now=now)
    evaluate(now=now)
    return said


def tell(*reports, now=None):
    """Take in reports without drawing conclusions."""
    now = now or timezone.now()
    raws = {said["gateway"]: msgspec.Raw(json.dumps(said).encode()) for said in reports}
    take_in(Status(policy=None, gateways=raws), now=now)


def report(name="gateway-1", *, version=None, now=None, wrong=()):
    """Give a report of a gateway that does what the policy says, except for the corrections in ``wrong``."""
    now = now or timezone.now()
    held = PolicyVersion.objects.filter(**({"version": version} if version else {})).first()
    corrections = _corrections(held)
    return {
        "gateway": name,
        "agent_version": "test",
        "reported_at": now.astimezone(UTC).isoformat(),
        "seen_at": now.astimezone(UTC).isoformat(),
        "live": True,
        "policy": {"version": held.version, "digest": held.digest} if held else None,
        "envoy": {"version": "x", "live": True, "rejected": 0, "error": ""},
        "corrections": {each.id: _observed(each, now, ok=each.id not in wrong) for each in corrections},
        "lifted": {
            gone: {"verified": gone not in wrong, "probes": []} for gone in _removed(held, corrections)
        },
        "problems": [],
    }


def ref(version):
    return PolicyRef(version=version.version, digest=version.digest)


def _corrections(held):
    return policy.parse(bytes(held.content), policy.Content).corrections if held else ()


def _removed(held, corrections):
    before = PolicyVersion.objects.filter(version=held.version - 1).first() if held else None
    return sorted({each.id for each in _corrections(before)} - {each.id for each in corrections})


def _observed(correction, now, *, ok):
    starts = correction.starts_at
    scheduled = isinstance(starts, datetime) and starts > now
    state = "scheduled" if scheduled else "shadow" if correction.mode == "shadow" else "in_force"
    probe = {
        "endpoint": "chat.completions",
        "expect": "refuse",
        "subject": "inside",
        "status": 403 if ok else 200,
        "ok": ok,
        "detail": "",
    }
    return {
        "state": state,
        "verified": ok and not scheduled,
        "checked_at": now.astimezone(UTC).isoformat(),
        "refused": 0,
        "detail": "",
        "probes": [probe],
    }
