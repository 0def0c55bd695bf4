"""Taking a signal in: once per key, into one group per fingerprint, however many arrive together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.utils import timezone

from incidents.models import Severity
from incidents.monitoring import policies
from incidents.monitoring.content import Content, checked
from incidents.monitoring.models import Signal, SignalGroup, Source
from incidents.monitoring.states import State
from irapp.audit.record import hint, record
from irapp.common.errors import ConflictError, InvalidError

if TYPE_CHECKING:
    from datetime import datetime

    from irapp.accounts.models import User

MILDEST_FIRST = ("", *reversed(Severity.values))
"""From nothing suggested to the worst."""


@dataclass(frozen=True)
class Received:
    """A signal, and whether its key was sent before."""

    signal: Signal
    repeated: bool


def receive_signal(
    *,
    source: str,
    key: str,
    title: str,
    by: User,
    body: str = "",
    severity: str = "",
    model_name: str = "",
    fingerprint: str = "",
    observed_at: datetime | None = None,
    data: dict[str, object] | None = None,
) -> Received:
    """Store a signal under the sender's key and put it into the group of its fingerprint.

    The same key with the same content gives the signal stored at first. Without a fingerprint the group is
    made of signals with the same title and model.

    :param source: the code of an enabled source.
    :raises ConflictError: ``key_reused`` where the key was used for other content.
    """
    policies.check_can_report(by)
    content = checked(
        key=key, title=title, body=body, severity=severity, model_name=model_name,
        fingerprint=fingerprint, observed_at=observed_at, data=data or {}, now=timezone.now(),
    )  # fmt: skip
    try:
        return Received(_receive(source, content, by), repeated=False)
    except IntegrityError:
        # The key is taken. Asking first would cost every new signal what only a repeated one has to pay.
        earlier = _earlier(source, content)
        if earlier is None:
            raise
        return Received(earlier, repeated=True)


@transaction.atomic
def _receive(code: str, content: Content, by: User) -> Signal:
    source = _source(code)
    group = _locked_group(content)
    signal = Signal.objects.create(
        source=source, key=content.key, digest=content.digest, group=group, title=content.title,
        body=content.body, severity=content.severity, model_name=content.model_name,
        observed_at=content.observed_at, received_from=by, data=content.data,
    )  # fmt: skip
    severity, came_back = group.severity, _count_in(group, signal)
    told = {"signal": signal.pk, "source": source.name, "key": signal.key, "title": signal.title}
    record("signal.received", group, by=by, **told)
    if came_back:
        record("signals.came_back", group, by=None, earlier=came_back)
    if came_back or group.severity != severity or _is_power_of_two(group.count):
        hint("queue", *(["inbox"] if group.state == State.NEW else []))
    return signal


def _is_power_of_two(count: int) -> bool:
    """Tell whether the queue should show the new count: in a storm not at every signal."""
    return count & (count - 1) == 0


def _source(code: str) -> Source:
    source = Source.objects.filter(code=code).first()
    if source is None:
        raise InvalidError(f"There is no source “{code[:60]}”.", code="unknown_source", field="source")
    if not source.enabled:
        raise ConflictError(f"Signals from {source} are not taken at the moment.", code="source_disabled")
    return source


def _locked_group(content: Content) -> SignalGroup:
    found = SignalGroup.objects.select_for_update(no_key=True).filter(fingerprint=content.fingerprint)
    group: SignalGroup | None = found.first()
    if group is None:
        # Several may get here together: one makes the group, the others wait for it and then lock it.
        seen = content.observed_at
        new = SignalGroup(
            fingerprint=content.fingerprint, title=content.title, model_name=content.model_name,
            first_seen_at=seen, last_seen_at=seen,
        )  # fmt: skip
        SignalGroup.objects.bulk_create([new], ignore_conflicts=True)
        group = found.get()
    return group


def _earlier(code: str, content: Content) -> Signal | None:
    """Give what is stored under the key, if it is the same."""
    known = Signal.objects.select_related("source", "group")
    signal = known.filter(source__code=code, key=content.key).first()
    if signal is not None and signal.digest != content.digest:
        message = "This key was used for a signal with other content."
        raise ConflictError(message, code="key_reused", field="key", details={"signal": signal.pk})
    return signal


def _count_in(group: SignalGroup, signal: Signal) -> str:
    """Add the signal to its group; give what the group was if it came back, else nothing."""
    group.count += 1
    group.first_seen_at = min(group.first_seen_at, signal.observed_at)
    group.last_seen_at = max(group.last_seen_at, signal.observed_at)
    group.severity = max(group.severity, signal.severity, key=MILDEST_FIRST.index)
    before = _come_back(group)
    group.save()
    return before


def _come_back(group: SignalGroup) -> str:
    if group.state == State.CLOSED:
        before = f"closed: {group.closed_reason}"
    elif group.state == State.LINKED and group.incident and not group.incident.is_open:
        before = f"linked to {group.incident}, which has ended"
    else:
        return ""
    start_over(group)
    group.come_back()
    return before


def start_over(group: SignalGroup) -> None:
    """Forget who dealt with it: the events know."""
    group.acknowledged_by = group.acknowledged_at = None
    group.closed_by, group.closed_at, group.closed_reason = None, None, ""
    group.waiting_since = timezone.now()
