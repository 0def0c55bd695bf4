"""Bringing a file, looking at what it would do, and taking it in."""

from __future__ import annotations

import csv
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from corrections.segments import actions, forms, panels, pattern_files, policies, reading
from corrections.segments.actions.importing import Intent
from corrections.segments.models import Mode, Segment, Upload
from corrections.segments.views.shared import SEGMENTS, form_page, posted, visible
from incidents.forms import refusals_in
from irapp.common.errors import ConflictError, InvalidError

if TYPE_CHECKING:
    from corrections.segments.models import Version
    from corrections.segments.panels import Preview
    from corrections.segments.views.shared import Kind
    from corrections.views.request import SignedIn


@form_page
def bring(request: SignedIn, pk: int, kind: Kind) -> HttpResponse:
    """Choose a file, or type; nothing is taken in yet."""
    register = visible(request, kind, pk)
    policies.check_can_change(register, request.user)
    sent = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = kind.bring(*sent)
    if form.is_valid():
        with refusals_in(form):
            name, raw = form.brought()
            kept = actions.upload(register=register, name=name, raw=raw, by=request.user)
            asked = panels.asked({"mode": form.cleaned_data["mode"]})
            return redirect(kind.url("preview", pk, kept.pk) + asked)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(
        request, "segments/import.html", {"kind": kind, "form": form, "register": register}, status=status
    )


@form_page
def preview(request: SignedIn, pk: int, upload: int, kind: Kind) -> HttpResponse:
    """Say what the file would do; do exactly that when it is confirmed."""
    register = visible(request, kind, pk)
    policies.check_can_change(register, request.user)
    brought = _brought(request, pk, upload, kind)
    try:
        seen = _seen(kind, brought, request)
    except InvalidError as error:
        return _unreadable(request, kind, register, brought, error)
    form = _confirmation(request, seen, brought, register.revision)
    if form.is_valid():
        with refusals_in(form):
            try:
                return _taken(request, kind, brought, form)
            except ConflictError as error:
                form.add_error(None, str(error))
    return _shown(request, kind, seen, brought, form)


@require_safe
def invalid(request: SignedIn, pk: int, upload: int, kind: Kind) -> HttpResponse:
    """Every invalid row of a file, as a file: to be mended."""
    visible(request, kind, pk)
    brought = _brought(request, pk, upload, kind)
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="invalid-rows-{brought.pk}.csv"'
    writer = csv.writer(answer)
    writer.writerow(["line", "value", "reason"])
    writer.writerows((row.line, _harmless(row.value), row.reason) for row in _invalid(kind, brought, request))
    return answer


def _brought(request: SignedIn, pk: int, upload: int, kind: Kind) -> Upload:
    owner = {"segment": pk} if kind is SEGMENTS else {"pattern_set": pk}
    rows = Upload.objects.of(request.user).filter(**owner)
    return get_object_or_404(rows.select_related("segment", "pattern_set"), pk=upload)


def _seen(kind: Kind, brought: Upload, request: SignedIn) -> Preview:
    mode, layout = _asked(request)
    if kind is SEGMENTS:
        return panels.preview_subjects(brought, layout, mode)
    return panels.preview_patterns(brought, mode)


def _asked(request: SignedIn) -> tuple[Mode, reading.Layout]:
    """Read from the address how to read the file; what is not understood is found out instead."""
    form = forms.AnyColumn({"mode": Mode.ADD, **request.GET.dict()})
    form.full_clean()
    return Mode(form.cleaned_data.get("mode") or Mode.ADD), form.layout()


def _confirmation(request: SignedIn, seen: Preview, brought: Upload, revision: int) -> forms.Confirm:
    bound = {"digest": brought.digest, "revision": revision}
    return forms.Confirm(posted(request), initial=bound, invalid=seen.invalid_total)


def _taken(request: SignedIn, kind: Kind, brought: Upload, form: forms.Confirm) -> HttpResponse:
    said = form.cleaned_data
    mode, layout = _asked(request)
    intent = Intent(
        mode=mode,
        reason=said["reason"],
        revision=said["revision"],
        skip_invalid=said.get("skip_invalid", False),
    )
    how: dict[str, Any] = {"upload_id": brought.pk, "digest": said["digest"], "intent": intent}
    version: Version
    if kind is SEGMENTS:
        version = actions.take_in_subjects(**how, layout=layout, by=request.user)
    else:
        version = actions.take_in_patterns(**how, by=request.user)
    messages.success(request, f"{version} is stored: {_summary(version)}.")
    return redirect(brought.segment or brought.pattern_set or kind.list_url)


def _summary(version: Version) -> str:
    changed = getattr(version, "changed", 0)
    parts = [f"{version.added:,} added", f"{version.removed:,} removed"]
    parts += [f"{changed:,} changed"] if changed else []
    parts += [f"{version.skipped:,} invalid left out"] if version.skipped else []
    return ", ".join(parts) + f"; {version.count:,} in all"


def _shown(
    request: SignedIn, kind: Kind, seen: Preview, brought: Upload, form: forms.Confirm
) -> HttpResponse:
    layout = forms.Layout({"mode": seen.mode, **request.GET.dict()}, table=seen.table)
    register = seen.register
    if form.is_bound:  # what is confirmed next is what is shown now
        fresh = visible(request, kind, register.pk).revision
        form.data = {**request.POST.dict(), "revision": fresh, "digest": brought.digest}
    shown: dict[str, Any]
    shown = {"kind": kind, "register": register, "seen": seen, "form": form, "layout": layout}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    shown["query"] = panels.asked(request.GET.dict())
    shown["bring_url"] = kind.url("import", register.pk)
    shown["invalid_url"] = kind.url("invalid", register.pk, brought.pk) + shown["query"]
    return render(request, "segments/preview.html", shown, status=status)


def _unreadable(
    request: SignedIn, kind: Kind, register: Any, brought: Upload, error: InvalidError
) -> HttpResponse:
    layout = None
    if isinstance(register, Segment) and error.field == "column":
        table = reading.read(bytes(brought.raw), of=register.of, layout=reading.Layout()).table
        layout = forms.Layout({"mode": Mode.ADD, **request.GET.dict()}, table=table)
    shown = {"kind": kind, "register": register, "upload": brought, "error": error, "layout": layout}
    shown["bring_url"] = kind.url("import", register.pk)
    return render(request, "segments/unreadable.html", shown, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _invalid(kind: Kind, brought: Upload, request: SignedIn) -> tuple[reading.Invalid, ...]:
    if kind is SEGMENTS and brought.segment is not None:
        return reading.read(bytes(brought.raw), of=brought.segment.of, layout=_asked(request)[1]).invalid
    return pattern_files.read(bytes(brought.raw), name=brought.name).invalid


def _harmless(value: str) -> str:
    """Put an apostrophe before what a spreadsheet would execute."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else value
