"""The corrections of an incident, on the page of the incident."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse

from corrections import policies
from corrections.models import Correction, Gateway, Package
from corrections.panels.asking import why_not
from corrections.panels.listing import Row, rows_of

if TYPE_CHECKING:
    from incidents.models import Incident
    from irapp.accounts.models import User


@dataclass(frozen=True)
class InPackage:
    """A package and its corrections."""

    package: Package
    rows: list[Row]


@dataclass(frozen=True)
class IncidentPanel:
    """What the panel prints."""

    packages: list[InPackage]
    gateways: int
    url: str
    why_not: str


def incident_panel(incident: Incident, user: User) -> IncidentPanel:
    """Collect the panel for this reader."""
    packages = list(Package.objects.filter(incident=incident).order_by("-pk"))
    rows = rows_of(Correction.objects.of_incident(incident.pk).order_by("reference", "-version"))
    grouped = [
        InPackage(each, [row for row in rows if row.correction.package_id == each.pk]) for each in packages
    ]
    return IncidentPanel(
        packages=grouped,
        gateways=Gateway.objects.expected().count(),
        url=f"{reverse('corrections:create')}?incident={incident.pk}",
        why_not=why_not(policies.check_can_open_package, incident, user),
    )
