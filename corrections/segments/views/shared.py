"""What every view begins with: which kind of register, and which one of those the person may see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from corrections.segments import forms
from corrections.segments.models import PatternSet, Segment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django import forms as django_forms
    from django.http import QueryDict

    from corrections.views.request import SignedIn

form_page = require_http_methods(["GET", "HEAD", "POST"])
MOST = 2**63 - 1


@dataclass(frozen=True)
class Kind:
    """Segments or pattern sets: what their pages have in common is written once.

    :ivar prefix: of the names of their addresses.
    """

    model: type[Segment | PatternSet]
    title: str
    prefix: str
    listed: str
    icon: str
    empty: str
    new: type[forms.Words]
    bring: type[forms.Bring]
    filter: type[django_forms.Form]

    def url(self, name: str, *args: int) -> str:
        """Give the address of one of their pages."""
        return reverse(f"segments:{self.prefix}{name}", args=args)

    @property
    def list_url(self) -> str:
        """Give the address of their list."""
        return reverse(self.listed)

    @property
    def create_url(self) -> str:
        """Give the address for a new one."""
        return self.url("create")

    @property
    def noun(self) -> str:
        """Give what one of them is called."""
        return self.model.noun


SEGMENTS = Kind(
    Segment,
    "Segments",
    "",
    "segments:list",
    "segment",
    "A segment is a list of users, organisations or API keys that corrections name together."
    " Begin one, then import a file or type its subjects.",
    forms.NewSegment,
    forms.Bring,
    forms.Filter,
)
PATTERNS = Kind(
    PatternSet,
    "Pattern sets",
    "pattern_",
    "segments:patterns",
    "search",
    "A pattern set holds the terms and expressions that content filters look for. Begin one, then import a"
    " file or type its terms.",
    forms.NewPatternSet,
    forms.BringPatterns,
    forms.PatternFilter,
)


def visible(request: SignedIn, kind: Kind, pk: int) -> Any:
    """Give one of those that the person may see; the rest is not found."""
    rows: Any = kind.model._default_manager  # noqa: SLF001 (public by Django's documentation)
    return get_object_or_404(rows.visible_to(request.user).select_related("owner", "retired_by"), pk=pk)


def number(query: Mapping[str, str], name: str) -> int | None:
    """Give a number from the address; what is none is as good as not given."""
    given = query.get(name, "")
    return int(given) if given.isascii() and given.isdigit() and int(given[:20]) <= MOST else None


def version_or_404(found: Any) -> Any:
    """Give a version that is there."""
    if found is None:
        raise Http404("There is no such version.")
    return found


def posted(request: SignedIn) -> QueryDict | None:
    """Give what was sent; None where the form is asked for."""
    return request.POST if request.method == "POST" else None
