"""Closed by default: the exceptions are these lists."""

from http import HTTPStatus

import pytest
from django.apps import apps
from django.core.management import call_command
from django.urls import reverse

from irapp.accounts.models import User
from irapp.audit.models import Event
from tests.irapp.routes import routes

PUBLIC = {"login", "logout", "healthz", "accounts:welcome"}
TOLD = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
AUDITOR_MAY = {
    "login",
    "logout",
    "accounts:password",  # one's own
    "accounts:create_token",  # one's own, and those of an auditor only read
    "accounts:revoke_token",
    "accounts:welcome",
    "post_incident:sign",  # what auditors are for
}
REFUSED = {
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.BAD_REQUEST,
}
# What forms of all kinds ask for, so that as many as possible get past their form and meet the rule.
PLAUSIBLE = {
    "reason": "r",
    "title": "t",
    "body": "b",
    "summary": "s",
    "label": "l",
    "name": "n",
    "text": "t",
    "severity": "HIGH",
    "kind": "NOTE",
    "outcome": "DONE",
    "verdict": "APPROVE",
    "role": "RESPONDER",
    "revision": "1",
    "username": "new",
    "model_name": "aurora-large",
    "confirmed": "on",
}


@pytest.mark.django_db
@pytest.mark.parametrize("route", routes(), ids=lambda route: route.name)
def test_every_address_asks_who_you_are(client, route):
    if route.name in PUBLIC:
        pytest.skip("public on purpose")

    response = client.get(route.url())

    if response.status_code == HTTPStatus.FOUND:
        assert response["Location"].startswith(reverse("login"))
    else:
        assert response.status_code in TOLD


def test_no_public_address_is_listed_that_does_not_exist():
    assert {route.name for route in routes()} >= PUBLIC


@pytest.mark.django_db
def test_whoever_only_audits_changes_nothing_by_any_address(client, settings):
    settings.DEMO = True
    call_command("seed_demo", verbosity=0)
    client.force_login(User.objects.get(username="ada"))
    before = Event.objects.count()
    wrong = []

    for route in routes():
        if route.name in AUDITOR_MAY:
            continue
        for pk in _records(route):
            url = route.url(pk)
            kind = {"content_type": "application/json"} if url.startswith("/api/") else {}
            response = client.post(url, PLAUSIBLE, **kind)
            if response.status_code not in REFUSED:
                wrong.append((url, response.status_code))

    assert wrong == []
    assert Event.objects.count() == before


def _records(route):
    """Give ids that exist, of every kind of record of the route's app: some of them fit."""
    if "pk" not in route.takes:
        return [1]
    label = route.name.partition(":")[0]
    models = apps.get_app_config(label).get_models() if label in apps.app_configs else apps.get_models()
    first = {model.objects.values_list("pk", flat=True).first() for model in models}
    return sorted(pk for pk in first if isinstance(pk, int)) or [1]
