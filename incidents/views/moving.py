"""Making a move: a page that says what will happen, what is missing, and asks for the reason."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import render

from incidents import actions, forms, gates, policies
from incidents.actions.moving import JUMPS
from incidents.states import passed_over
from incidents.views.shared import back_to, form_page, visible

if TYPE_CHECKING:
    from django.http import HttpResponse

    from incidents.gates import Condition
    from incidents.models import Incident
    from incidents.moves import Move
    from incidents.views.shared import SignedInRequest


@form_page
def move(request: SignedInRequest, pk: int, name: str) -> HttpResponse:
    """Confirm a move."""
    incident = visible(request, pk)
    step = policies.check_can_move(incident, name, request.user)
    conditions = _conditions(incident, step)
    missing = [condition for condition in conditions if not condition.met]
    form = forms.MakeMove(request.POST or None, move=step, missing=bool(missing))
    if form.is_valid():
        with forms.refusals_in(form):
            moved = actions.move(incident_id=pk, move=name, by=request.user, **form.cleaned_data)
            messages.success(request, f"{moved} now stands in {moved.get_state_display().lower()}.")
            return back_to(moved)
    context = {
        "incident": incident,
        "move": step,
        "form": form,
        "conditions": conditions,
        "missing": missing,
        "blocked": _blocked(step, missing),
        "jump": step.name in JUMPS,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "incidents/move.html", context, status=status)


def _conditions(incident: Incident, step: Move) -> list[Condition]:
    if step.name in JUMPS:
        return [one for name in passed_over(step.source, step.target) for one in gates.unmet(incident, name)]
    return gates.conditions(incident, step.name)


def _blocked(step: Move, missing: list[Condition]) -> bool:
    """Tell whether no reason helps: something is missing that cannot be waived."""
    if step.name in JUMPS or not missing:
        return False
    return not step.terms.override or any(not condition.waivable for condition in missing)
