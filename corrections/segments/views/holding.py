"""What versions hold: browsing, comparing, taking out, trying out."""

from __future__ import annotations

import csv
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from corrections.segments import actions, forms, panels, policies
from corrections.segments.pattern_files import FIELDS
from corrections.segments.selectors import members
from corrections.segments.selectors.trying import try_out as tried_out
from corrections.segments.views.shared import (
    PATTERNS,
    SEGMENTS,
    form_page,
    number,
    posted,
    version_or_404,
    visible,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from corrections.segments.views.shared import Kind
    from corrections.views.request import SignedIn

COMPARED = 200
"""Names shown of each side; the file has them all."""


@require_safe
def subjects(request: SignedIn, pk: int) -> HttpResponse:
    """Who is in a version, a page at a time."""
    shown = _browsed(request, pk, SEGMENTS, members.version_of, members.browse)
    return render(request, "segments/subjects.html", shown)


@require_safe
def patterns(request: SignedIn, pk: int) -> HttpResponse:
    """What a version of a pattern set holds, a page at a time."""
    shown = _browsed(request, pk, PATTERNS, members.patterns_version, members.browse_patterns)
    return render(request, "segments/patterns.html", shown)


@require_safe
def difference(request: SignedIn, pk: int) -> HttpResponse:
    """What distinguishes two versions of a segment."""
    segment = visible(request, SEGMENTS, pk)
    old, new = _two(request, segment.version)
    before = members.version_of(segment, old)
    after = version_or_404(members.version_of(segment, new))
    found = members.difference(before, after)
    shown = {"kind": SEGMENTS, "register": segment, "old": old, "new": new, "most": COMPARED}
    return render(
        request, "segments/difference.html", {**shown, "added": found.added, "removed": found.removed}
    )


@require_safe
def pattern_difference(request: SignedIn, pk: int) -> HttpResponse:
    """What distinguishes two versions of a pattern set."""
    register = visible(request, PATTERNS, pk)
    old, new = _two(request, register.version)
    before = members.patterns_version(register, old)
    after = version_or_404(members.patterns_version(register, new))
    found = members.patterns_difference(before, after)
    shown = {"kind": PATTERNS, "register": register, "old": old, "new": new, "rows": found[:COMPARED]}
    shown["more"] = max(0, len(found) - COMPARED)
    return render(request, "segments/pattern_difference.html", shown)


@require_safe
def export(request: SignedIn, pk: int, kind: Kind) -> HttpResponse:
    """A version as a file that can be imported again. Taking it out is on the record."""
    register = visible(request, kind, pk)
    wanted = number(request.GET, "version")
    found = members.version_of if kind is SEGMENTS else members.patterns_version
    version = version_or_404(found(register, wanted))
    actions.export(register=register, version=version.number, rows=version.count, by=request.user)
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    name = f"{register.reference}-version-{version.number}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    _write(csv.writer(answer), kind, version)
    return answer


@form_page
def try_out(request: SignedIn, pk: int) -> HttpResponse:
    """Hold a text against the patterns; it is neither stored nor logged."""
    register = visible(request, PATTERNS, pk)
    policies.check_can_keep(request.user)
    form = forms.TryOut(posted(request))
    shown: dict[str, Any] = {"kind": PATTERNS, "register": register, "form": form}
    if form.is_valid():
        version = members.patterns_version(register)
        shown["tried"] = tried_out(members.patterns_in(version), form.cleaned_data["sample"])
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "segments/try_out.html", shown, status=status)


def _browsed(
    request: SignedIn,
    pk: int,
    kind: Kind,
    version_of: Callable[..., Any],
    browse: Callable[..., members.Paged[Any]],
) -> dict[str, Any]:
    """Collect the page of a version that is asked for."""
    register = visible(request, kind, pk)
    version = version_or_404(version_of(register, number(request.GET, "version")))
    form = forms.Search(request.GET)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    found = browse(version, text=text.strip(), page=number(request.GET, "page") or 1)
    shown = {"kind": kind, "register": register, "version": version, "found": found, "form": form}
    return shown | _neighbours(request, found)


def _neighbours(request: SignedIn, found: members.Paged[Any]) -> dict[str, str]:
    query = request.GET.dict()
    newer = panels.asked(query, page=found.page - 1) if found.page > 1 else ""
    older = panels.asked(query, page=found.page + 1) if found.page < found.pages else ""
    return {"previous_url": newer, "next_url": older}


def _two(request: SignedIn, newest: int) -> tuple[int, int]:
    new = number(request.GET, "new") or newest
    old = number(request.GET, "old")
    return (new - 1 if old is None else old), new


def _write(writer: Any, kind: Kind, version: Any) -> None:
    """Write names exactly as they are: an apostrophe against spreadsheets would make another name of them."""
    if kind is SEGMENTS:
        writer.writerow([version.segment.of])
        writer.writerows([name] for name in members.everybody(version))
        return
    writer.writerow(FIELDS)
    rows = members.patterns_in(version)
    writer.writerows([getattr(pattern, name) for name in FIELDS] for pattern in rows)
