"""Tokens of machines that work in somebody's name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction

from irapp.accounts import policies
from irapp.accounts.actions.shared import locked
from irapp.accounts.models import ApiToken, Scope, User
from irapp.accounts.selectors import living
from irapp.common.errors import ConflictError, InvalidError
from irapp.common.recording import record

LONGEST = 365
MOST = 20


@transaction.atomic
def create_token(
    *, label: str, scopes: Sequence[str], by: User, days: int | None = None
) -> tuple[ApiToken, str]:
    """Make a token for oneself; its secret is given once and kept nowhere."""
    label = label.strip()
    unknown = set(scopes) - set(Scope.values)
    if unknown or not scopes:
        raise InvalidError(f"Choose from: {', '.join(Scope.values)}.", field="scopes")
    if days is not None and not 1 <= days <= LONGEST:
        raise InvalidError(f"Between 1 and {LONGEST} days.", field="days")
    policies.check_can_make_token(by, scopes)
    _check_label(label, locked(by.pk))
    expiry = timedelta(days=days) if days else None
    token, secret = ApiToken.objects.create(user=by, label=label, scopes=sorted(scopes), expiry=expiry)
    ends = token.expiry.isoformat() if token.expiry else None
    record("token.created", by, by=by, label=label, scopes=token.scopes, token=token.token_key, ends=ends)
    return token, secret


@transaction.atomic
def revoke_token(*, token_key: str, by: User) -> None:
    """End a token at once. One that is gone already counts as ended."""
    token = ApiToken.objects.select_for_update(of=("self",)).filter(token_key=token_key).first()
    if token is None:
        return
    policies.check_can_revoke_token(by, token)
    owner = token.user
    token.delete()
    record("token.revoked", owner, by=by, label=token.label, token=token.token_key)


def _check_label(label: str, owner: User) -> None:
    if not label or len(label) > ApiToken._meta.get_field("label").max_length:  # noqa: SLF001 (Django's public name)
        raise InvalidError("Between 1 and 80 characters.", field="label")
    own = living(owner)
    if own.filter(label=label).exists():
        raise InvalidError("You have a token of this name already.", code="taken", field="label")
    if own.count() >= MOST:
        raise ConflictError(f"You have {MOST} tokens: revoke one first.", code="too_many_tokens")
