"""How an event reads. This floor knows its own and those of accounts; the floors above register a teller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from django.urls import reverse

if TYPE_CHECKING:
    from irapp.audit.models import Event


class Told(Protocol):
    """An event in words."""

    @property
    def what(self) -> str: ...

    @property
    def icon(self) -> str: ...

    @property
    def tone(self) -> str: ...

    @property
    def text(self) -> str: ...

    @property
    def detail(self) -> str: ...

    @property
    def url(self) -> str: ...


@dataclass(frozen=True)
class Words:
    """What this floor says of an event."""

    what: str
    icon: str = "ring"
    tone: str = "neutral"
    text: str = ""
    detail: str = ""
    url: str = ""


OWN: dict[str, tuple[str, str, str]] = {
    "person.added": ("Account created for", "plus", "info"),
    "person.role_granted": ("Role given to", "person", "warn"),
    "person.role_revoked": ("Role taken from", "person", "warn"),
    "person.deactivated": ("Account deactivated:", "slash", "danger"),
    "person.reactivated": ("Account reactivated:", "check", "warn"),
    "person.invited": ("Password link made for", "link", "warn"),
    "person.password_chosen": ("Password chosen by", "lock", "info"),
    "person.password_changed": ("Password changed by", "lock", "info"),
    "person.locked_out": ("Locked out after failed sign-ins:", "lock", "danger"),
    "person.unlocked": ("Unlocked:", "lock", "info"),
    "person.signed_in": ("Signed in:", "person", "neutral"),
    "person.signed_out": ("Signed out:", "sign-out", "neutral"),
    "person.accounts_joined": ("Accounts joined to one person:", "link", "warn"),
    "token.created": ("Token made for", "lock", "warn"),
    "token.revoked": ("Token revoked of", "lock", "info"),
    "audit.exported": ("Audit log exported by", "download", "info"),
    "outbox.died": ("Given up after repeated failure:", "octagon-cross", "danger"),
}
_tell: list[Callable[[Event], Told]] = []


def use(tell_others: Callable[[Event], Told]) -> None:
    """Name the function that tells the other events; called from ``AppConfig.ready``."""
    _tell[:] = [tell_others]


def tell(event: Event) -> Told:
    """Put an event into words that name its target."""
    if event.verb in OWN or not _tell:
        return _own(event)
    return _tell[0](event)


def _own(event: Event) -> Words:
    noun, _, done = event.verb.partition(".")
    plain = f"{noun} {done}:".replace("_", " ").capitalize()
    what, icon, tone = OWN.get(event.verb, (plain, "ring", "neutral"))
    url = reverse("accounts:person", args=[event.target_id]) if event.target_type == "accounts.user" else ""
    named = f"{what} {event.target_name}"
    return Words(named, icon, tone, str(event.data.get("reason") or ""), _detail(event.data), url)


def _detail(data: dict[str, Any]) -> str:
    parts = [str(data[name]) for name in ("role", "label", "handler", "error") if data.get(name)]
    if "rows" in data:
        parts.append(f"{data['rows']} events as {data.get('format')}")
    return " · ".join(part.replace("_", " ").lower() if part.isupper() else part for part in parts)
