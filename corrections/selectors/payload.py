"""What exactly is decided: the payload, and how it differs from what is in force."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from corrections.terms import Terms
from corrections.validation import spec
from enforcement import policy

if TYPE_CHECKING:
    from corrections.models import Correction, Proposal
    from corrections.states import Action


def payload(correction: Correction, action: Action, *, reason: str) -> bytes:
    """Give the canonical bytes that a decision binds to."""
    terms = Terms.of(correction)
    document = policy.canonical(spec(terms, policy_id=correction.policy_id))
    said = json.loads(document)
    del said["approval_digest"]  # it is the digest of these bytes
    whole: dict[str, object] = {
        "action": str(action),
        "incident": str(correction.package.incident),
        "package": correction.package.title,
        "rationale": correction.package.rationale,
        "precaution": correction.package.precaution,
        "reason": reason,
        "correction": said,
        "supersedes": correction.supersedes.policy_id if correction.supersedes else None,
        "review_at": terms.review_at,
        "exit_criteria": terms.exit_criteria,
        "narrower_rejected": terms.narrower_rejected,
        "expected_false_positive_percent": terms.expected_false_positive_percent,
        "revision": correction.revision,
    }
    return policy.canonical(whole)


def digest(raw: bytes) -> str:
    """Give the name of exactly these bytes."""
    return "sha256:" + hashlib.sha256(raw).hexdigest()


def payload_of(proposal: Proposal) -> dict[str, Any]:
    """Read back what was proposed, from the very bytes the votes are bound to."""
    return dict(json.loads(bytes(proposal.payload)))


def change(correction: Correction) -> dict[str, tuple[object, object]]:
    """Give what this version changes: ``{field: (before, after)}``; empty for a first version."""
    if correction.supersedes is None:
        return {}
    before, after = vars(Terms.of(correction.supersedes)), vars(Terms.of(correction))
    return {name: (before[name], after[name]) for name in after if before[name] != after[name]}
