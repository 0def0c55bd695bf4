"""The page of the form: its heading, its sections, and what the terms would do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils import timezone

from corrections import policies, selectors
from corrections.models import Correction, Package, TrafficRecord
from corrections.panels.asking import why_not
from corrections.panels.impact import ImpactPanel, impact_panel
from corrections.panels.refused import Refused, refused
from corrections.panels.words import sentence
from corrections.validation import spec
from incidents.preparation.models import DeployedModel
from irapp.common.errors import InvalidError

if TYPE_CHECKING:
    from corrections.forms.drafts import Saved
    from corrections.terms import Terms
    from incidents.models import Incident
    from irapp.accounts.models import User


@dataclass(frozen=True)
class Preview:
    """What these terms would do, or what they still lack."""

    sentence: str = ""
    impact: ImpactPanel | None = None
    refused: Refused | None = None
    everyone: bool = False
    lacking: str = ""


def preview(terms: Terms) -> Preview:
    """Estimate the impact of terms that are being typed."""
    try:
        said = spec(terms)
    except InvalidError as error:
        return Preview(lacking=str(error))
    estimate = selectors.impact(said, now=timezone.now())
    return Preview(
        sentence(terms), impact_panel(estimate.as_data()), refused(said), everyone=said.users.everyone
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
    return Page(preview(terms) if terms else Preview(lacking=form.lacking), _not_yet(form, user), back)


def known_models(incident: Incident) -> list[str]:
    """Give the models that can be restricted: those registered, or, with an empty register, those seen."""
    registered = [model for model in DeployedModel.objects.current() if model.can_be_restricted]
    if registered:
        return sorted(model.name for model in registered)
    seen = set(TrafficRecord.objects.order_by().values_list("model", flat=True).distinct())
    return sorted(seen | {incident.model_name} - {""})


def _not_yet(form: Saved, user: User) -> str:
    """Ask the rule about a correction that lacks nothing but the right moment."""
    package = form.correction.package if form.correction else Package(incident=form.incident)
    ready = Correction(package=package, kind="block", users={"users": ["-"]})
    return why_not(policies.check_can_propose, ready, user, now=timezone.now())
