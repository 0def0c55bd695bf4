"""Notes, tasks and parts: what people do on the incident page."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST, require_safe

from incidents import actions, forms, policies
from incidents.models import Incident, IncidentRole, Note, Task
from incidents.selectors.people import crew
from incidents.selectors.stale import compare
from incidents.views.parts import people_part, tasks_part
from incidents.views.shared import again, back_to, form_page, fragment, visible
from irapp.common.errors import ConflictError

if TYPE_CHECKING:
    from typing import Any

    from django.http import HttpResponse

    from incidents.views.shared import SignedInRequest

WRONG = HTTPStatus.UNPROCESSABLE_ENTITY


@require_POST
def add_note(request: SignedInRequest, pk: int) -> HttpResponse:
    """Write a note."""
    incident, form = visible(request, pk), forms.WriteNote(request.POST)
    if form.is_valid():
        with forms.refusals_in(form):
            actions.add_note(incident_id=pk, by=request.user, **form.cleaned_data)
    if form.errors:
        return again(request, "write", {"incident": incident, "form": form})
    if not request.htmx:
        return back_to(incident, "timeline")
    context = {"incident": incident, "form": forms.WriteNote()}
    return fragment(request, "incidents/parts/write.html", context, incident)


@require_safe
def note(request: SignedInRequest, pk: int) -> HttpResponse:
    """A note with its earlier wordings."""
    shown = _note(request, pk)
    may = not policies.why_not(policies.check_can_edit_note, shown, request.user)
    context = {
        "incident": shown.incident,
        "note": shown,
        "versions": list(shown.versions.all()),
        "may_edit": may,
    }
    return render(request, "incidents/note_detail.html", context)


@form_page
def edit_note(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change the wording of one's own note."""
    shown = _note(request, pk)
    policies.check_can_edit_note(shown, request.user)
    form = forms.EditNote(request.POST or None, initial={"body": shown.body, "revision": shown.revision})
    context: dict[str, Any] = {"incident": shown.incident, "note": shown, "form": form}
    if form.is_valid():
        try:
            with forms.refusals_in(form):
                actions.edit_note(note_id=pk, by=request.user, **form.cleaned_data)
                return back_to(shown.incident, "timeline")
        except ConflictError as error:
            if error.code != "stale_revision":
                raise
            shown.refresh_from_db()
            context["form"] = forms.EditNote(initial=form.cleaned_data | {"revision": shown.revision})
            context["stale"] = compare(shown, form.cleaned_data)
            return render(request, "incidents/note_edit.html", context, status=HTTPStatus.CONFLICT)
    status = WRONG if form.errors else HTTPStatus.OK
    return render(request, "incidents/note_edit.html", context, status=status)


@require_POST
def add_task(request: SignedInRequest, pk: int) -> HttpResponse:
    """Add something to do."""
    incident, people = visible(request, pk), crew()
    form = forms.AddTask(request.POST, people=people)
    if form.is_valid():
        with forms.refusals_in(form):
            actions.add_task(incident_id=pk, by=request.user, **form.cleaned_data)
    if form.errors:
        return again(request, "add_task", {"incident": incident, "form": form})
    if not request.htmx:
        return back_to(incident, "tasks")
    context = {"incident": incident, "form": forms.AddTask(people=people)}
    return fragment(request, "incidents/parts/add_task.html", context, incident)


@require_POST
def finish_task(request: SignedInRequest, pk: int) -> HttpResponse:
    """End a task."""
    task, form = _task(request, pk), forms.FinishTask(request.POST)
    if form.is_valid():
        actions.finish_task(task_id=pk, by=request.user, **form.cleaned_data)
    return _tasks(request, task.incident)


@require_POST
def take_task(request: SignedInRequest, pk: int) -> HttpResponse:
    """Make oneself the owner."""
    task = _task(request, pk)
    actions.take_task(task_id=pk, owner_id=request.user.pk, by=request.user)
    return _tasks(request, task.incident)


@require_POST
def unfinish_task(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take a task up again."""
    task = _task(request, pk)
    actions.unfinish_task(task_id=pk, by=request.user)
    return _tasks(request, task.incident)


@require_POST
def assign(request: SignedInRequest, pk: int) -> HttpResponse:
    """Give somebody a part."""
    incident, people = visible(request, pk), crew()
    form = forms.Assign(request.POST, people=people)
    if not form.is_valid():
        return again(request, "assign", {"incident": incident, "form": form})
    actions.assign(incident_id=pk, by=request.user, **form.cleaned_data)
    if not request.htmx:
        return back_to(incident, "people")
    context = {"incident": incident, "form": forms.Assign(people=people)}
    return fragment(request, "incidents/parts/assign.html", context, incident)


@require_POST
def relieve(request: SignedInRequest, pk: int) -> HttpResponse:
    """End somebody's part."""
    seen = Incident.objects.visible_to(request.user).values("pk")
    part = get_object_or_404(IncidentRole, pk=pk, incident__in=seen)
    actions.relieve(part_id=pk, by=request.user)
    incident = visible(request, part.incident_id)
    if not request.htmx:
        return back_to(incident, "people")
    context = {"incident": incident, **people_part(incident, request)}
    return fragment(request, "incidents/detail.html#people", context, incident)


def _note(request: SignedInRequest, pk: int) -> Note:
    seen = Incident.objects.visible_to(request.user).values("pk")
    return get_object_or_404(Note.objects.select_related("incident", "author"), pk=pk, incident__in=seen)


def _task(request: SignedInRequest, pk: int) -> Task:
    seen = Incident.objects.visible_to(request.user).values("pk")
    return get_object_or_404(Task.objects.select_related("incident"), pk=pk, incident__in=seen)


def _tasks(request: SignedInRequest, incident: Incident) -> HttpResponse:
    if not request.htmx:
        return back_to(incident, "tasks")
    context = {"incident": incident, **tasks_part(incident, request)}
    return fragment(request, "incidents/detail.html#tasks", context, incident)
