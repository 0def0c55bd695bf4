"""Steps that ask once more before they happen: what it means, a reason, one button."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from corrections import actions, forms, ordering, policies
from corrections.models import Correction, Gateway, Proposal
from corrections.views.destroying import visible_hold, visible_order
from corrections.views.request import visible_correction, visible_gateway, visible_proposal

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpResponse

    from corrections.models import DestructionOrder, EvidenceHold
    from corrections.views.request import SignedIn
    from irapp.accounts.models import User

    Record = Correction | Proposal | Gateway | DestructionOrder | EvidenceHold


@dataclass(frozen=True)
class Step:
    """What is about to happen, in words; who may do it; what does it."""

    title: str
    text: str
    button: str
    done: str
    fetch: Callable[[SignedIn, int], Any]
    rule: Callable[..., None]
    act: Callable[..., Any]
    names: str = "correction_id"
    form: type[forms.Sure] = forms.Reason
    kind: str = "primary"


def check_can_propose(correction: Correction, user: User) -> None:
    """Ask the rule at this moment."""
    policies.check_can_propose(correction, user, now=timezone.now())


def check_can_retire(gateway: Gateway, user: User) -> None:
    """Ask the rule at this moment."""
    policies.check_can_retire(gateway, user, now=timezone.now())


def check_can_take_up(gateway: Gateway, user: User) -> None:
    """Ask the rule at this moment."""
    policies.check_can_take_up(gateway, user, now=timezone.now())


STEPS = {
    "propose": Step(
        "Propose {}",
        "Those who may decide are asked, with exactly these terms. Editing them later voids their votes.",
        "Propose it",
        "{} is proposed. Those who may decide see it in their inbox.",
        visible_correction,
        check_can_propose,
        actions.propose,
        form=forms.Sure,
    ),
    "lift": Step(
        "Propose to lift {}",
        "Those who may decide are asked. Until they agree, it stays in force.",
        "Propose to lift it",
        "It is proposed to lift {}. It stays in force until that is decided.",
        visible_correction,
        policies.check_can_propose_lift,
        actions.propose_lift,
    ),
    "permanent": Step(
        "Propose to make {} permanent",
        "Those who may decide are asked. If they agree, it no longer expires; lifting it takes a decision.",
        "Propose to make it permanent",
        "It is proposed to make {} permanent.",
        visible_correction,
        policies.check_can_propose_permanent,
        actions.propose_permanent,
    ),
    "retry": Step(
        "Try again to enforce {}",
        "The policy is delivered again, with a new deadline. It was approved, so nobody is asked again.",
        "Try again",
        "{} is being enforced again.",
        visible_correction,
        policies.check_can_retry,
        actions.retry,
        form=forms.Sure,
    ),
    "discard": Step(
        "Withdraw {}",
        "The draft is kept on the record and cannot be proposed any more.",
        "Withdraw the draft",
        "{} is withdrawn.",
        visible_correction,
        policies.check_can_discard,
        actions.discard,
        form=forms.Sure,
        kind="danger",
    ),
    "withdraw": Step(
        "Withdraw the proposal: {}",
        "Nobody can decide it any more. Votes that were cast stay on the record.",
        "Withdraw the proposal",
        "Withdrawn: {}.",
        visible_proposal,
        policies.check_can_withdraw,
        actions.withdraw,
        names="proposal_id",
        kind="danger",
    ),
    "withdraw_order": Step(
        "Withdraw {}",
        "The order is not to be carried out. Whoever was told to act on it has to be told so: nothing here"
        " ever acts on it. What was signed stays on the record.",
        "Withdraw the order",
        "{} is withdrawn.",
        visible_order,
        ordering.check_can_withdraw_order,
        actions.withdraw_order,
        names="order_id",
        kind="danger",
    ),
    "release": Step(
        "Release {}",
        "What it keeps may change or be lost from now on, and orders that it stopped can be signed.",
        "Release the hold",
        "{} is released.",
        visible_hold,
        ordering.check_can_release,
        actions.release_hold,
        names="hold_id",
        kind="danger",
    ),
    "retire": Step(
        "Retire {}",
        "Its word no longer counts: corrections turn active or lifted without it. Only for a gateway that is"
        " out of service for good. If it reports again, that is an alarm, and it counts only when it is taken"
        " up again.",
        "Retire the gateway",
        "{} is retired.",
        visible_gateway,
        check_can_retire,
        actions.retire_gateway,
        names="gateway_id",
        kind="danger",
    ),
    "take_up": Step(
        "Take {} up again",
        "Its word counts again: from now on a correction is in force only where it agrees too.",
        "Take it up again",
        "{} is in service again.",
        visible_gateway,
        check_can_take_up,
        actions.take_up_gateway,
        names="gateway_id",
    ),
}


@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: SignedIn, pk: int, step: str) -> HttpResponse:
    """Say what is about to happen; do it when it is confirmed."""
    asked = STEPS[step]
    record = asked.fetch(request, pk)
    asked.rule(record, request.user)
    form = asked.form(request.POST if request.method == "POST" else None)
    if form.is_valid():
        return _done(request, asked, asked.act(**{asked.names: pk}, by=request.user, **form.cleaned_data))
    shown = {"step": asked, "title": asked.title.format(record), "form": form, "back_url": _page_of(record)}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    return render(request, "corrections/confirm.html", {**shown, "record": record}, status=status)


def _done(request: SignedIn, step: Step, result: Record) -> HttpResponse:
    about = result.correction if isinstance(result, Proposal) else result
    messages.success(request, step.done.format(about))
    return redirect(_page_of(result))


def _page_of(record: Record) -> str:
    return reverse("corrections:gateways") if isinstance(record, Gateway) else record.get_absolute_url()
