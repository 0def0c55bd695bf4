"""Addresses of this app."""

from django.urls import path

from corrections.segments.views import holding, importing, listing, writing
from corrections.segments.views.shared import PATTERNS, SEGMENTS

app_name = "segments"
urlpatterns = [
    path("", listing.index, {"kind": SEGMENTS}, name="list"),
    path("new/", writing.create, {"kind": SEGMENTS}, name="create"),
    path("<int:pk>/", listing.segment, name="segment"),
    path("<int:pk>/edit/", writing.edit, {"kind": SEGMENTS}, name="edit"),
    path("<int:pk>/import/", importing.bring, {"kind": SEGMENTS}, name="import"),
    path("<int:pk>/import/<int:upload>/", importing.preview, {"kind": SEGMENTS}, name="preview"),
    path("<int:pk>/import/<int:upload>/invalid/", importing.invalid, {"kind": SEGMENTS}, name="invalid"),
    path("<int:pk>/subjects/", holding.subjects, name="subjects"),
    path("<int:pk>/difference/", holding.difference, name="difference"),
    path("<int:pk>/export/", holding.export, {"kind": SEGMENTS}, name="export"),
    path("<int:pk>/retire/", writing.retire, {"kind": SEGMENTS}, name="retire"),
    path("<int:pk>/redraft/", writing.redraft, {"kind": SEGMENTS}, name="redraft"),
    path("patterns/", listing.index, {"kind": PATTERNS}, name="patterns"),
    path("patterns/new/", writing.create, {"kind": PATTERNS}, name="pattern_create"),
    path("patterns/<int:pk>/", listing.pattern_set, name="pattern_set"),
    path("patterns/<int:pk>/edit/", writing.edit, {"kind": PATTERNS}, name="pattern_edit"),
    path("patterns/<int:pk>/import/", importing.bring, {"kind": PATTERNS}, name="pattern_import"),
    path(
        "patterns/<int:pk>/import/<int:upload>/",
        importing.preview,
        {"kind": PATTERNS},
        name="pattern_preview",
    ),
    path(
        "patterns/<int:pk>/import/<int:upload>/invalid/",
        importing.invalid,
        {"kind": PATTERNS},
        name="pattern_invalid",
    ),
    path("patterns/<int:pk>/holds/", holding.patterns, name="pattern_holds"),
    path("patterns/<int:pk>/difference/", holding.pattern_difference, name="pattern_difference"),
    path("patterns/<int:pk>/export/", holding.export, {"kind": PATTERNS}, name="pattern_export"),
    path("patterns/<int:pk>/try/", holding.try_out, name="pattern_try"),
    path("patterns/<int:pk>/retire/", writing.retire, {"kind": PATTERNS}, name="pattern_retire"),
    path("patterns/<int:pk>/redraft/", writing.redraft, {"kind": PATTERNS}, name="pattern_redraft"),
]
