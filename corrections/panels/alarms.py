"""Alarms: the banner on every page, the list with its history, and one of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.utils import timezone

from corrections import policies
from corrections.models import Alarm, AlarmKind
from corrections.panels.asking import why_not
from corrections.panels.chart import Example
from corrections.panels.paging import Page, page
from corrections.selectors.alarms import alarms, unwatched_since
from irapp.common.templatetags.formats import duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from irapp.accounts.models import User

NAMED: Final = 3
MOST: Final = 100
TITLES: Final = {
    AlarmKind.ALLOWED: "Requests pass that {} refuses",
    AlarmKind.DRIFT: "{} is not enforced any more",
    AlarmKind.CONFLICT: "{} holds a policy that is not ours",
    AlarmKind.REJECTION: "{} refuses what it is given",
    AlarmKind.FAILED: "{} was not enforced in time",
    AlarmKind.SILENCE: "{} is silent",
    AlarmKind.HUB: "{} is away or behind",
    AlarmKind.NOT_LIFTED: "{} was not lifted in time",
    AlarmKind.HELD: "{} is held beyond its expiry",
}
GATEWAY_DRIFTS: Final = "{} does not do what is wanted"
TABS: Final = {"open": "Open", "cleared": "Cleared"}


@dataclass(frozen=True)
class Row:
    """One alarm, in words."""

    alarm: Alarm
    title: str
    tone: str
    lasted: str
    cannot_acknowledge: str


@dataclass(frozen=True)
class Banner:
    """What on-call, commanders and decision-makers see on every page.

    :param unwatched: since when nobody looks, so that no alarm would come.
    """

    rows: list[Row]
    more: int
    unseen: int
    unwatched: datetime | None


@dataclass(frozen=True)
class Listing:
    """One page of alarms."""

    tabs: list[dict[str, object]]
    rows: list[Row]
    page: Page
    is_open: bool
    here: str


@dataclass(frozen=True)
class Detail:
    """One alarm and what is known of it."""

    row: Row
    about_url: str
    late: str
    examples: list[Example]
    before: list[Row]


def banner(user: User) -> Banner | None:
    """Collect the banner; None for whoever is not told of alarms."""
    if not user.has_role(*policies.ALERTED):
        return None
    found = sorted(alarms(user).open()[:MOST], key=_order)
    return Banner(
        rows=[row(alarm, user) for alarm in found[:NAMED]],
        more=max(len(found) - NAMED, 0),
        unseen=sum(alarm.acknowledged_at is None for alarm in found),
        unwatched=unwatched_since(now=timezone.now()),
    )


def listing(user: User, query: Mapping[str, str]) -> Listing:
    """Collect one page: what is open, the gravest first, or what was, the newest first."""
    is_open = query.get("tab") != "cleared"
    found = alarms(user)
    if is_open:
        rows = sorted(found.open()[:MOST], key=_order)
        cut = Page(rows, "", "")
    else:
        cut = page(found.exclude(cleared_at=None), query)
    current = "open" if is_open else "cleared"
    tabs: list[dict[str, object]] = [
        {"label": label, "url": f"?tab={name}", "current": name == current, "count": None}
        for name, label in TABS.items()
    ]
    here = f"?tab={current}&part=list" if not (query.get("before") or query.get("after")) else ""
    return Listing(tabs, [row(alarm, user) for alarm in cut.rows], cut, is_open, here)


def detail(alarm: Alarm, user: User) -> Detail:
    """Collect the page of one alarm."""
    same = alarms(user).filter(kind=alarm.kind, cause=alarm.cause).exclude(pk=alarm.pk)
    return Detail(
        row=row(alarm, user),
        about_url=_about(alarm),
        late=duration((alarm.raised_at - alarm.since).total_seconds()),
        examples=[_example(said) for said in alarm.examples],
        before=[row(each, user) for each in same[:10]],
    )


def row(alarm: Alarm, user: User) -> Row:
    """Put one alarm into words for this reader."""
    until = alarm.cleared_at or timezone.now()
    seen = alarm.acknowledged_at is not None
    return Row(
        alarm=alarm,
        title=_title(alarm),
        tone="neutral" if not alarm.is_open else "warn" if seen else "danger",
        lasted=duration(max((until - alarm.since).total_seconds(), 0)),
        cannot_acknowledge=why_not(policies.check_can_acknowledge, alarm, user),
    )


def _title(alarm: Alarm) -> str:
    kind = AlarmKind(alarm.kind)
    words = GATEWAY_DRIFTS if kind == AlarmKind.DRIFT and alarm.gateway else TITLES[kind]
    return words.format(alarm.target)


def _order(alarm: Alarm) -> tuple[bool, int, datetime]:
    """Put what nobody looks after first, then the gravest, then the oldest."""
    return alarm.acknowledged_at is not None, list(AlarmKind).index(AlarmKind(alarm.kind)), alarm.since


def _about(alarm: Alarm) -> str:
    return alarm.correction.get_absolute_url() if alarm.correction else ""


def _example(said: dict[str, str]) -> Example:
    """Put a kept example into words; its request may be forgotten by now."""
    at = datetime.fromisoformat(said["at"])
    who = f"{said['user']} of {said['organisation']} ({said['application']})"
    what = f"{said['endpoint']} of {said['model']}"
    return Example(at, "", who, what, f"{said['gateway']}, answered {said['status']}")
