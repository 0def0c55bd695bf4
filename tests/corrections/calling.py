"""Calling the API with a token, as machines do."""

from datetime import timedelta

from django.utils import timezone

from irapp.accounts.models import Scope
from tests.incidents.factories import make_commander
from tests.irapp.factories import make_token

API = "/api/v1"
BOTH = (Scope.CORRECTIONS_READ, Scope.CORRECTIONS_PROPOSE)


def caller(client):
    """Call with a token of this person and these scopes."""

    def call(verb, path, body=None, *, user=None, scopes=BOTH, **headers):
        secret = make_token(user or make_commander(), *scopes)
        headers = {"Authorization": f"Bearer {secret}", **headers}
        sent = {"data": body, "content_type": "application/json"} if body is not None else {}
        return getattr(client, verb)(API + path, headers=headers, **sent)

    return call


def draft(**changes):
    now = timezone.now()
    plain = {
        "kind": "block",
        "users": {"users": ["alice"]},
        "review_at": (now + timedelta(days=1)).isoformat(),
        "exit_criteria": "Fixed.",
    }
    return {name: value for name, value in (plain | changes).items() if value is not None}
