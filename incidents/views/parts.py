"""Parts of the incident page, each of which can be fetched by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from incidents import forms, policies
from incidents.selectors.people import crew
from incidents.selectors.timeline import timeline as read_timeline
from incidents.views.shared import visible

if TYPE_CHECKING:
    from django.http import HttpResponse

    from incidents.models import Incident
    from incidents.views.shared import SignedInRequest


def people_part(incident: Incident, request: SignedInRequest) -> dict[str, Any]:
    """Who is on it, and who may be."""
    return {
        "people": list(incident.parts.filter(until=None).select_related("user").order_by("since")),
        "may_relieve": not policies.why_not(policies.check_can_assign, incident, "RESPONDER", request.user),
        "may_restrict": not policies.why_not(policies.check_can_restrict, incident, request.user),
    }


def tasks_part(incident: Incident, request: SignedInRequest) -> dict[str, Any]:
    """What is left to do, and what was done."""
    tasks = list(
        incident.tasks.select_related("owner", "finished_by").order_by("finished_at", "due_at", "pk")[:200]
    )
    return {
        "open_tasks": [task for task in tasks if task.is_open],
        "finished_tasks": [task for task in tasks if not task.is_open],
        "may_write": not policies.why_not(policies.check_can_write, incident, request.user),
    }


def forms_part(incident: Incident, request: SignedInRequest) -> dict[str, Any]:
    """Give the empty forms of those who may use them; the people in them are read once."""
    may_assign = not policies.why_not(policies.check_can_assign, incident, "COMMANDER", request.user)
    may_write = not policies.why_not(policies.check_can_write, incident, request.user)
    people = crew() if may_assign or may_write else []
    return {
        "assign_form": forms.Assign(people=people) if may_assign else None,
        "task_form": forms.AddTask(people=people) if may_write else None,
        "note_form": forms.WriteNote() if may_write else None,
    }


def timeline_part(incident: Incident, request: SignedInRequest) -> dict[str, Any]:
    """What happened, narrowed as the address says."""
    form = forms.TimelineFilters(request.GET)
    form.is_valid()
    kind, before = form.cleaned_data.get("kind", ""), form.cleaned_data.get("before")
    found = read_timeline(incident, request.user, kind=kind, before=before)
    return {
        "timeline": found,
        "timeline_url": _address(incident, request),
        "timeline_form": form,
        "kind": kind,
        "newer_url": f"?kind={kind}#timeline" if before else "",
        "older_url": f"?kind={kind}&before={found.before}#timeline" if found.before else "",
    }


def _address(incident: Incident, request: SignedInRequest) -> str:
    """Let the part fetch itself as it is narrowed now."""
    query = request.GET.urlencode()
    return reverse("incidents:timeline", args=[incident.pk]) + (f"?{query}" if query else "")


@require_safe
def people(request: SignedInRequest, pk: int) -> HttpResponse:
    """The people, fetched again when something changes."""
    incident = visible(request, pk)
    context = {"incident": incident, **people_part(incident, request)}
    return render(request, "incidents/detail.html#people", context)


@require_safe
def tasks(request: SignedInRequest, pk: int) -> HttpResponse:
    """The tasks, fetched again when something changes."""
    incident = visible(request, pk)
    return render(
        request, "incidents/detail.html#tasks", {"incident": incident, **tasks_part(incident, request)}
    )


@require_safe
def timeline(request: SignedInRequest, pk: int) -> HttpResponse:
    """The timeline, fetched again when something changes."""
    incident = visible(request, pk)
    context = {"incident": incident, **timeline_part(incident, request)}
    return render(request, "incidents/detail.html#timeline", context)
