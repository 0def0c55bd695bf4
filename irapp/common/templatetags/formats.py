"""Times, digests and Markdown, written the same way everywhere."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import nh3
from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

register = template.Library()

NOTHING = "—"
MINUTE, HOUR, DAY = 60, 3_600, 86_400
SOON_SECONDS = 15 * MINUTE
TAGS = {
    "a", "p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li",
    "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
_markdown = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])


@register.filter
def duration(seconds: float) -> str:
    """Give ``95`` as ``1 min``, ``7 500`` as ``2 h 5 min``; countdown.js uses the same words."""
    whole = int(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min"
    if whole < DAY:
        minutes = whole % HOUR // MINUTE
        return f"{whole // HOUR} h {minutes} min" if minutes else f"{whole // HOUR} h"
    return f"{whole // DAY} d"


def relative(value: datetime, now: datetime) -> str:
    """Give the distance in words: ``4 min ago``, ``in 2 h``, ``now``."""
    seconds = (now - value).total_seconds()
    if abs(seconds) < 5:  # noqa: PLR2004 - what a reader calls now
        return "now"
    return f"{duration(seconds)} ago" if seconds > 0 else f"in {duration(-seconds)}"


@register.simple_tag
def moment(value: datetime | None, *, seconds: bool = False, ago: bool = True) -> str:
    """Show a time as UTC with the distance to now: ``{% moment incident.opened_at %}``."""
    if value is None:
        return NOTHING
    value = value.astimezone(UTC)
    text = value.strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")
    distance = format_html(' <span class="ago">{}</span>', relative(value, timezone.now())) if ago else ""
    return format_html(
        '<time class="when" datetime="{}" title="{} UTC"{}><span class="nowrap">{} UTC</span>{}</time>',
        value.strftime("%Y-%m-%dT%H:%M:%SZ"),
        value.strftime("%Y-%m-%d %H:%M:%S"),
        SafeString(" data-ago") if ago else "",
        text,
        distance,
    )


@register.simple_tag
def ago(value: datetime | None) -> str:
    """Show only the distance, with the exact time as its title: for dense rows."""
    if value is None:
        return NOTHING
    value = value.astimezone(UTC)
    return format_html(
        '<time class="when ago-only" datetime="{}" title="{} UTC" data-ago>{}</time>',
        value.strftime("%Y-%m-%dT%H:%M:%SZ"),
        value.strftime("%Y-%m-%d %H:%M:%S"),
        relative(value, timezone.now()),
    )


@register.simple_tag
def day(value: date | None) -> str:
    """Show a date without a time."""
    if value is None:
        return NOTHING
    return format_html('<time class="when" datetime="{0}">{0}</time>', value.strftime("%Y-%m-%d"))


@register.inclusion_tag("components/countdown.html")
def countdown(due: datetime | None, label: str = "", soon: int = SOON_SECONDS) -> dict[str, object]:
    """Show a deadline that runs: ``{% countdown proposal.due_at "to decide" %}``."""
    if due is None:
        return {"due": None}
    left = (due - timezone.now()).total_seconds()
    state = "over" if left < 0 else "soon" if left < soon else "ok"
    words = f"{duration(-left)} over" if left < 0 else f"{duration(left)} left"
    return {"due": due.astimezone(UTC), "state": state, "words": words, "label": label, "soon": soon}


@register.inclusion_tag("components/digest.html")
def digest(value: str, length: int = 12) -> dict[str, object]:
    """Show the start of a digest with a button that copies all of it: ``{% digest policy.digest %}``."""
    rest = value.rpartition(":")[2]
    return {"value": value, "short": rest[:length], "cut": len(rest) > length}


def _lower_headings(tokens: Sequence[Token]) -> None:
    """Start at h3: a note stands below the headings of its page."""
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + 2, 6)}"


@register.filter
def markdown(text: str) -> SafeString:
    """Render Markdown without raw HTML, then let only harmless tags through."""
    tokens = _markdown.parse(text or "")
    _lower_headings(tokens)
    html = _markdown.renderer.render(tokens, _markdown.options, {})
    clean = nh3.clean(
        html, tags=TAGS, attributes={"a": {"href", "title"}}, url_schemes={"http", "https", "mailto"}
    )
    return SafeString(clean)
