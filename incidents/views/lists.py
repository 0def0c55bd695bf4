"""The queue, the list of incidents, the inbox."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from incidents import forms, inbox, known
from incidents.policies import check_can_open, why_not
from incidents.queue import Tab
from incidents.selectors.listing import listing
from incidents.selectors.queue import capped
from incidents.selectors.queue import queue as read_queue

if TYPE_CHECKING:
    from django.http import HttpResponse

    from incidents.views.shared import SignedInRequest

_PLACE = re.compile(r"(\d)-(\d{1,18})")


@require_safe
def queue(request: SignedInRequest) -> HttpResponse:
    """What waits, the most severe first; ``?after=`` continues a page."""
    wanted = request.GET.get("tab", "")
    tab = Tab(wanted) if wanted in Tab.values else Tab.MINE
    place = _PLACE.fullmatch(request.GET.get("after", ""))
    page = read_queue(request.user, tab, after=(int(place[1]), int(place[2])) if place else None)
    context = {
        "queue": page,
        "here": request.get_full_path(),
        "newer_url": f"?tab={tab.value}" if place else "",
        "older_url": f"?tab={tab.value}&after={page.after}" if page.after else "",
        "why_not_open": why_not(check_can_open, request.user),
    }
    return render(request, "incidents/queue.html" + ("#rows" if request.htmx else ""), context)


@require_safe
def incidents(request: SignedInRequest) -> HttpResponse:
    """Every incident the person may see; a reference typed into the search leads straight to it."""
    form = forms.Filters(request.GET)
    form.is_valid()
    wanted = dict(form.cleaned_data)
    before = wanted.pop("before", None)
    found = listing(request.user, wanted, before=before)
    if (
        before is None
        and len(found.rows) == 1
        and found.rows[0].reference == str(wanted.get("q", "")).upper()
    ):
        return redirect(found.rows[0].url)
    chosen = {name: value for name, value in wanted.items() if value}
    context = {
        "form": form,
        "listing": found,
        "filtered": bool(chosen),
        "models": known.model_names(),
        "newer_url": f"?{urlencode(chosen)}" if before else "",
        "older_url": f"?{urlencode(chosen | {'before': found.before})}" if found.before else "",
        "why_not_open": why_not(check_can_open, request.user),
    }
    return render(request, "incidents/list.html", context)


@require_safe
def inbox_page(request: SignedInRequest) -> HttpResponse:
    """Everything that waits for this person."""
    context = {"items": inbox.items(request.user), "here": reverse("incidents:inbox")}
    return render(request, "incidents/inbox.html" + ("#items" if request.htmx else ""), context)


@require_safe
def inbox_count(request: SignedInRequest) -> HttpResponse:
    """How much waits for this person; the navigation fetches it after the page, so no page waits for it."""
    number = inbox.count(request.user)
    context = {"count": capped(number) if number else "", "url": reverse("incidents:inbox_count")}
    return render(request, "incidents/inbox_count.html", context)
