"""Building blocks of pages: icons, panels, dialogs, form fields, live fragments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template
from django.forms import CheckboxInput, CheckboxSelectMultiple, RadioSelect
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.html import format_html

if TYPE_CHECKING:
    from django.forms import BaseForm, BoundField
    from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """Show a shape of icons.svg beside a text that says the same; hidden from screen readers."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        static("irapp/icons.svg"),
        name,
    )


@register.simple_block_tag
def panel(content: str, title: str, *, id: str = "", kind: str = "", level: int = 2) -> SafeString:  # noqa: A002
    """Frame a part of the page: ``{% panel "Facts" id="facts" kind="warrant" %}…{% endpanel %}``.

    Kinds: empty, ``flush`` (no padding, for tables and lists), ``warrant`` (what is decided), ``danger``.
    """
    values = {"content": content, "title": title, "id": id, "kind": kind, "level": level}
    return render_to_string("components/panel.html", values)


@register.simple_block_tag
def dialog(content: str, id: str, title: str, *, kind: str = "", open: bool = False) -> SafeString:  # noqa: A002
    """Hold what ``data-dialog="<id>"`` on a button opens; ``open`` after an error in its form."""
    values = {"content": content, "id": id, "title": title, "kind": kind, "open": open}
    return render_to_string("components/dialog.html", values)


@register.simple_block_tag
def notice(content: str, tone: str = "info", title: str = "") -> SafeString:
    """Say what matters now: ``{% notice "warn" "Stale" %}…{% endnotice %}``; info, ok, warn, danger."""
    return render_to_string("components/notice.html", {"content": content, "tone": tone, "title": title})


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, label: str = "", grow: str = "") -> dict[str, object]:
    """Show a form field with its label, help and errors: ``{% field form.reason %}``."""
    widget = bound.field.widget
    if isinstance(widget, CheckboxSelectMultiple | RadioSelect):
        shape = "group"
    else:
        shape = "check" if isinstance(widget, CheckboxInput) else "plain"
    return {"field": bound, "label": label or bound.label, "shape": shape, "grow": grow}


@register.inclusion_tag("components/error_summary.html")
def error_summary(form: BaseForm, *, focus: bool = True) -> dict[str, object]:
    """List what is wrong above the form, each a link to its field; takes focus when it appears."""
    return {
        "form": form,
        "focus": focus,
        "fields": [bound for bound in form if bound.errors] if form.is_bound else [],
    }


@register.simple_tag
def live(topic: str, url: str) -> SafeString:
    """Make an element fetch itself again on a topic: ``<section id="x" {% live topic url %}>``."""
    return format_html(
        'hx-get="{}" hx-trigger="live:{} from:body throttle:300ms" hx-target="this" hx-swap="outerMorph"',
        url,
        topic,
    )
