"""The lists, and one of each with its versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.views.decorators.http import require_safe

from corrections.segments import panels
from corrections.segments.selectors import members
from corrections.segments.views.shared import PATTERNS, SEGMENTS, visible
from corrections.views.request import part

if TYPE_CHECKING:
    from django.http import HttpResponse

    from corrections.segments.views.shared import Kind
    from corrections.views.request import SignedIn

MOST_NAME = 200


@require_safe
def index(request: SignedIn, kind: Kind) -> HttpResponse:
    """The list, searched and filtered."""
    form = kind.filter(request.GET)
    form.full_clean()
    rows = kind.model._default_manager.all()  # noqa: SLF001 (public by Django's documentation)
    found = panels.listing(request.user, rows, request.GET.dict(), form.cleaned_data)
    shown = {"kind": kind, "form": form, "listing": found, "tabs": panels.tabs(kind.listed)}
    return render(request, "segments/list.html", shown)


@require_safe
def segment(request: SignedIn, pk: int) -> HttpResponse:
    """One segment: whether somebody is in it, what names it, its versions."""
    found = visible(request, SEGMENTS, pk)
    who = request.GET.get("who", "").strip()[:MOST_NAME]
    shown = {
        "kind": SEGMENTS,
        "detail": panels.detail(found, request.user, request.GET.dict()),
        "who": who,
        "inside": bool(who) and members.contains(members.version_of(found), who),
    }
    return _one(request, "segments/segment.html", shown)


@require_safe
def pattern_set(request: SignedIn, pk: int) -> HttpResponse:
    """One pattern set: its patterns, what names it, its versions."""
    found = visible(request, PATTERNS, pk)
    detail = panels.detail(found, request.user, request.GET.dict())
    return _one(request, "segments/pattern_set.html", {"kind": PATTERNS, "detail": detail})


def _one(request: SignedIn, template: str, shown: dict[str, object]) -> HttpResponse:
    """Answer with the page, or with its live part, which stands in the page that both extend."""
    live = part(request, "live")
    return render(request, f"segments/one.html{live}" if live else template, shown)
