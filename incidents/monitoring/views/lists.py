"""The list of signals, and the form to report one."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.contrib import messages
from django.db import models
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from incidents import known
from incidents.forms import refusals_in
from incidents.monitoring import actions, forms, policies
from incidents.monitoring.models import SignalGroup
from incidents.monitoring.selectors import narrowed
from incidents.policies import why_not
from incidents.views.shared import form_page
from irapp.common.paging import page

if TYPE_CHECKING:
    from django.http import HttpResponse

    from incidents.views.shared import SignedInRequest


class Tab(models.TextChoices):
    """How the list is cut."""

    UNLINKED = "unlinked", "Not linked yet"
    NEW = "new", "New"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    LINKED = "linked", "Linked"
    CLOSED = "closed", "Closed"
    ALL = "all", "All"


@require_safe
def signals(request: SignedInRequest) -> HttpResponse:
    """Groups of signals, the newest first; those that belong to nothing yet unless asked otherwise (M-6)."""
    wanted = request.GET.get("tab", "")
    tab = wanted if wanted in Tab.values else Tab.UNLINKED.value
    seen = SignalGroup.objects.visible_to(request.user).select_related("incident", "acknowledged_by")
    context = {
        "page": page(narrowed(seen, tab), {**request.GET.dict(), "tab": tab}),
        "tab": tab,
        "tabs": [
            {"label": one.label, "url": f"?tab={one.value}", "current": one.value == tab, "count": None}
            for one in Tab
        ],
        "here": request.get_full_path(),
        "why_not_report": why_not(policies.check_can_report, request.user),
    }
    return render(request, "monitoring/signals.html" + ("#rows" if request.htmx else ""), context)


@form_page
def report(request: SignedInRequest) -> HttpResponse:
    """Report a signal by hand."""
    policies.check_can_report(request.user)
    form = forms.Report(request.POST or None)
    if form.is_valid():
        with refusals_in(form):
            group = actions.receive_signal(by=request.user, **form.cleaned_data).signal.group
            messages.success(request, f"Thank you. The report is kept as {group.reference}.")
            return redirect(group)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    context = {"form": form, "models": known.model_names()}
    return render(request, "monitoring/report.html", context, status=status)
