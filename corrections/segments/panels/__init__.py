"""Everything that the pages of segments and pattern sets print."""

from corrections.segments.panels.detail import Detail, detail
from corrections.segments.panels.listing import Listing, listing
from corrections.segments.panels.preview import (
    Preview,
    preview_patterns,
    preview_read,
    preview_read_patterns,
    preview_subjects,
)
from corrections.segments.panels.words import allowed, asked, tabs

__all__ = [
    "Detail",
    "Listing",
    "Preview",
    "allowed",
    "asked",
    "detail",
    "listing",
    "preview_patterns",
    "preview_read",
    "preview_read_patterns",
    "preview_subjects",
    "tabs",
]
