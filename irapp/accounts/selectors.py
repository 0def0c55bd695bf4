"""Who there is, what they may do, and what they hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from irapp.accounts.models import ApiToken, Role, RoleGrant, Scope, User

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.db.models import QuerySet

SCOPES: dict[str, str] = dict(Scope.choices)


@dataclass(frozen=True)
class PersonRow:
    """One line of the list of people."""

    person: User
    roles: list[str]
    locked: bool


@dataclass(frozen=True)
class TokenRow:
    """A token as its owner sees it: never its secret."""

    label: str
    key: str
    start: str
    may: list[str]
    created: datetime
    expiry: datetime | None
    expired: bool


def holding(*codes: str) -> QuerySet[User]:
    """Active people who hold at least one of the roles now, by name."""
    held = _current().filter(role_id__in=codes).values("user")
    return User.objects.filter(is_active=True, pk__in=held).order_by("name", "username")


def people() -> list[PersonRow]:
    """Everybody, the active ones first: three queries however many there are."""
    roles: dict[int, list[str]] = {}
    for grant in _current().select_related("role").order_by("role__name"):
        roles.setdefault(grant.user_id, []).append(grant.role.name)
    shut = locked_out()
    everybody = User.objects.order_by("-is_active", "name", "username")
    return [PersonRow(one, roles.get(one.pk, []), one.username in shut) for one in everybody]


def roles_of(person: User) -> list[RoleGrant]:
    """What somebody holds now, with who gave it and when."""
    held = _current().filter(user=person).select_related("role", "granted_by")
    return list(held.order_by("role__name"))


def former_roles_of(person: User) -> list[RoleGrant]:
    """What somebody held once, the latest first."""
    ended = RoleGrant.objects.filter(user=person, ends_at__lte=timezone.now())
    return list(ended.select_related("role").order_by("-ends_at")[:50])


def roles_to_give(person: User) -> list[Role]:
    """The roles that somebody does not hold."""
    return list(Role.objects.exclude(code__in=person.role_codes).order_by("name"))


def living(person: User) -> QuerySet[ApiToken]:
    """Tokens of a person that still open doors."""
    tokens: QuerySet[ApiToken] = ApiToken.objects.filter(user=person)
    return tokens.filter(Q(expiry=None) | Q(expiry__gt=timezone.now()))


def tokens_of(person: User) -> list[TokenRow]:
    """All tokens of a person, the newest first."""
    now = timezone.now()
    return [_token(token, now) for token in ApiToken.objects.filter(user=person).order_by("-created")]


def locked_out(usernames: Iterable[str] | None = None) -> set[str]:
    """The user names with too many failed sign-ins of late."""
    attempts = AccessAttempt.objects.filter(
        failures_since_start__gte=settings.AXES_FAILURE_LIMIT,
        attempt_time__gte=timezone.now() - settings.AXES_COOLOFF_TIME,
    )
    if usernames is not None:
        attempts = attempts.filter(username__in=usernames)
    return set(attempts.values_list("username", flat=True))


def _token(token: ApiToken, now: datetime) -> TokenRow:
    return TokenRow(
        label=token.label,
        key=token.token_key,
        start=token.token_key[:6],
        may=[SCOPES.get(scope, scope) for scope in token.scopes],
        created=token.created,
        expiry=token.expiry,
        expired=token.expiry is not None and token.expiry <= now,
    )


def _current() -> QuerySet[RoleGrant]:
    return RoleGrant.objects.current(now=timezone.now())
