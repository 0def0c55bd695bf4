"""Corrections for tests, made by the real actions: no test starts from what the product cannot produce."""

from datetime import timedelta
from itertools import count

from django.utils import timezone

from corrections import actions
from corrections.models import Correction, Proposal
from corrections.states import State, Verdict
from corrections.terms import Terms
from incidents.states import State as Stage
from irapp.accounts.models import RoleCode
from tests.corrections import gateways
from tests.incidents.factories import make_commander, make_incident, make_model
from tests.irapp.factories import make_user

_numbers = count(1)
ORDER = [State.DRAFT, State.PROPOSED, State.ENFORCING, State.ACTIVE, State.LIFTING, State.LIFTED]


def make_officer(**named):
    return make_user(RoleCode.DUTY_OFFICER, **named)


def make_executive(**named):
    return make_user(RoleCode.EXECUTIVE, **named)


def make_terms(**changes):
    now = timezone.now()
    plain = {
        "kind": "block",
        "users": {"users": [f"user-{next(_numbers)}"]},
        "review_at": now + timedelta(hours=12),
        "expires_at": now + timedelta(hours=24),
        "exit_criteria": "No new report for a day.",
    }
    return Terms(**plain | changes)


def make_shutdown(**changes):
    """Terms of the gravest kind: two people decide, one of them an executive."""
    model = make_model().name
    broad = {"kind": "suspend", "users": {}, "functionality": {"models": [model]}}
    return make_terms(**broad, narrower_rejected="Blocking accounts was evaded twice.", **changes)


def make_package(*, by=None, stage=Stage.EXECUTION, **content):
    content = {"title": "Block the accounts that were found"} | content
    return actions.open_package(
        incident_id=make_incident(state=stage).pk, by=by or make_commander(), **content
    )


def make_draft(*, package=None, terms=None, by=None, **changes):
    package = package or make_package(by=by)
    terms = terms or make_terms(**changes)
    return actions.draft_correction(package_id=package.pk, terms=terms, by=by or make_commander())


def make_proposal(*, by=None, **named):
    by = by or make_commander()
    return actions.propose(correction_id=make_draft(by=by, **named).pk, by=by)


def approve(proposal, *, by=None, reason="It is proportionate."):
    proposal = Proposal.objects.get(pk=proposal.pk)
    return actions.vote(
        proposal_id=proposal.pk,
        verdict=Verdict.APPROVE,
        reason=reason,
        digest=proposal.digest,
        by=by or make_executive(),
    )


def decide(proposal):
    """Let as many independent people approve as it takes."""
    for _ in range(proposal.authority["quorum"]):
        approve(proposal)
    return fresh(proposal.correction)


def make_correction(*, state=State.ACTIVE, by=None, **named):
    """Lead a correction to ``state``; one gateway shows whatever has to be shown."""
    reached = ORDER.index(state)
    if not reached:
        return make_draft(by=by, **named)
    proposal = make_proposal(by=by, **named)
    correction = proposal.correction
    if reached >= ORDER.index(State.ENFORCING):
        correction = decide(proposal)
    if reached >= ORDER.index(State.ACTIVE):
        gateways.show()
    if reached >= ORDER.index(State.LIFTING):
        lift(correction)
    if reached >= ORDER.index(State.LIFTED):
        gateways.show()
    return fresh(correction)


def lift(correction):
    proposal = actions.propose_lift(correction_id=correction.pk, reason="Fixed.", by=make_commander())
    return decide(proposal)


def fresh(correction):
    return Correction.objects.select_related("package__incident", "supersedes").get(pk=correction.pk)
