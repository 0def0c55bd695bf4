"""The page of the form: its heading, its sections, and what the terms would do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils import timezone

from corrections import policies, selectors
from corrections.authority import freeze
from corrections.models import Correction, Package, TrafficRecord
from corrections.panels.asking import why_not
from corrections.panels.cautions import Caution, Linked, cautions, overlapping
from corrections.panels.decision import authority_words
from corrections.panels.impact import ImpactPanel, impact_panel
from corrections.panels.refused import Refused, refused, unrefused
from corrections.panels.words import sentence
from corrections.selectors.decisions import holders
from corrections.states import Action
from corrections.validation import spec
from incidents.preparation.models import DeployedModel
from irapp.common.errors import ConflictError, InvalidError

if TYPE_CHECKING:
    from corrections.forms.drafts import Saved
    from corrections.terms import Terms
    from incidents.models import Incident
    from irapp.accounts.models import User


@dataclass(frozen=True)
class Preview:
    """What these terms would do, or what they still lack."""

    sentence: str = ""
    cautions: list[Caution] = field(default_factory=list)
    overlaps: list[Linked] = field(default_factory=list)
    impact: ImpactPanel | None = None
    deciders: str = ""
    refused: Refused | None = None
    unrefused: str = ""
    lacking: str = ""


def preview(terms: Terms, form: Saved, user: User) -> Preview:
    """Estimate the impact of terms that are being typed."""
    try:
        said = spec(terms, **_called(form))
    except InvalidError as error:
        return Preview(lacking=str(error))
    estimate = selectors.impact(said, now=timezone.now())
    return Preview(
        sentence(terms),
        cautions(terms),
        overlapping(said, {each.correction: each.requests for each in estimate.overlaps}, user),
        impact_panel(estimate.as_data()),
        _deciders(terms, form, user),
        refused(said),
        unrefused(said),
    )


@dataclass(frozen=True)
class Page:
    """What stands around the form.

    :param not_yet: why a draft could not be proposed right now, although it can be written.
    """

    preview: Preview
    not_yet: str
    back_url: str


def page(form: Saved, user: User) -> Page:
    """Collect what the page shows beside the form."""
    terms, correction = form.rough_terms(), form.correction
    back = (
        reverse("corrections:detail", args=[correction.pk])
        if correction
        else form.incident.get_absolute_url()
    )
    shown = preview(terms, form, user) if terms else Preview(lacking=form.lacking)
    return Page(shown, _not_yet(form, user), back)


def known_models(incident: Incident) -> list[str]:
    """Give the models that can be restricted: those registered, or, with an empty register, those seen."""
    registered = [model for model in DeployedModel.objects.current() if model.can_be_restricted]
    if registered:
        return sorted(model.name for model in registered)
    seen = set(TrafficRecord.objects.order_by().values_list("model", flat=True).distinct())
    return sorted(seen | {incident.model_name} - {""})


def _called(form: Saved) -> dict[str, str]:
    """Give the estimate the name of what gives way to these terms."""
    return {"policy_id": form.correction.policy_id} if form.correction else {}


def _deciders(terms: Terms, form: Saved, user: User) -> str:
    """Say who would have to agree, and how many could today."""
    package = form.correction.package if form.correction else Package(incident=form.incident)
    draft = Correction(package=package, supersedes=form.replaced)
    terms.write_to(draft)
    try:
        authority = freeze(draft, Action.IMPOSE)
    except ConflictError as error:
        return str(error)
    people = holders(authority["roles"], form.incident).exclude(person=user.person)
    able = len(set(people.values_list("person", flat=True)))
    short = "" if able >= authority["quorum"] else " That is too few: nobody could decide it."
    return f"{authority_words(authority)}. Beside you, {able} could today.{short}"


def _not_yet(form: Saved, user: User) -> str:
    """Ask the rule about a correction that lacks nothing but the right moment."""
    package = form.correction.package if form.correction else Package(incident=form.incident)
    ready = Correction(package=package, kind="block", users={"users": ["-"]})
    return why_not(policies.check_can_propose, ready, user, now=timezone.now())
