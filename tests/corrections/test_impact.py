"""Whom a correction would touch, by replaying the last day."""

import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from corrections.models import TrafficRecord
from corrections.selectors import impact
from corrections.validation import spec
from tests.corrections.factories import make_proposal, make_terms
from tests.incidents.factories import make_fallback, make_model
from tests.patience import in_time

pytestmark = pytest.mark.django_db
MANY = """
INSERT INTO corrections_trafficrecord
    (at, gateway, "user", organisation, key, application, use_case, endpoint, model, tools, stream,
    status, correction, region, tier, platform, features, weight)
SELECT now() - make_interval(secs => n % 86000), 'gateway-1', 'user-' || n % 5000, 'organisation-' || n % 50,
    'key-' || n % 5000, 'app-' || n % 20, 'support', 'chat.completions',
    CASE n % 2 WHEN 0 THEN 'aurora-large' ELSE 'aurora-small' END, '{}', false, 200, '',
    'eu', 'standard', '', '{}', 1
FROM generate_series(1, 100000) AS n
"""
PEOPLE = {"alice": "acme", "bob": "acme", "carol": "globex"}


def seen(user="alice", *, times=1, ago=timedelta(hours=1), **changes):
    plain = {
        "at": timezone.now() - ago,
        "gateway": "gateway-1",
        "user": user,
        "organisation": PEOPLE.get(user, "other"),
        "key": f"key-{user}",
        "application": "app",
        "use_case": "support",
        "endpoint": "chat.completions",
        "model": "aurora-large",
        "status": 200,
    }
    TrafficRecord.objects.bulk_create(TrafficRecord(**plain | changes) for _ in range(times))


def estimate(**changes):
    return impact(spec(make_terms(**changes)), now=timezone.now())


def everyone(kind, **changes):
    return {"kind": kind, "users": {}} | changes


def test_it_counts_requests_users_keys_and_organisations():
    seen("alice", times=3)
    seen("bob")
    seen("carol", times=4)

    found = estimate(users={"organisations": ["acme"]})

    assert (found.requests, found.touched, found.share) == (8, 4, 0.5)
    assert (found.users, found.keys, found.organisation_count) == (2, 2, 1)
    assert [(each.name, each.requests) for each in found.organisations] == [("acme", 4)]


def test_yesterday_before_does_not_count():
    seen(ago=timedelta(hours=25))

    assert estimate(users={"users": ["alice"]}).requests == 0


def test_both_scopes_have_to_match():
    seen("alice", model="aurora-small")
    seen("alice", model="aurora-large")

    found = estimate(users={"users": ["alice"]}, functionality={"models": ["aurora-large"]})

    assert found.touched == 1


def test_of_tools_only_the_named_ones_count():
    seen("alice", tools=["browser"])
    seen("bob", tools=["calculator"])
    seen("carol")

    browser = estimate(**everyone("tools_off", parameters={"tools": ["browser"]}))
    every = estimate(**everyone("tools_off"))

    assert (browser.touched, every.touched) == (1, 2)


def test_a_percentage_touches_the_same_users_as_at_the_gateway():
    for number in range(200):
        seen(f"user-{number}")

    found = estimate(**everyone("output_cap", parameters={"max_tokens": 5}, percentage=25))

    assert 20 < found.touched < 80
    again = estimate(**everyone("output_cap", parameters={"max_tokens": 5}, percentage=25))
    assert (again.touched, again.users) == (found.touched, found.users)


def test_it_names_who_has_no_fallback():
    seen("alice")
    seen("carol")
    large, small = make_model(name="aurora-large"), make_model(name="aurora-small")
    make_fallback(model=large, audience="acme", other_model_id=small.pk)

    found = estimate(**everyone("suspend", functionality={"models": ["aurora-large"]}))

    assert found.without_fallback == ("globex",)
    assert {each.name: each.fallback for each in found.organisations} == {
        "acme": "aurora-small",
        "globex": "",
    }


def test_a_fallback_for_everybody_counts_for_everybody():
    seen("alice")
    make_fallback(model=make_model(name="aurora-large"), title="Answer by hand")

    found = estimate(**everyone("suspend", functionality={"models": ["aurora-large"]}))

    assert found.without_fallback == ()


def test_a_reroute_leaves_nobody_without_an_answer():
    seen("alice")

    found = estimate(
        **everyone(
            "reroute",
            functionality={"models": ["aurora-large"]},
            parameters={"fallback_model": "aurora-small"},
        )
    )

    assert found.without_fallback == ()


def test_without_traffic_it_says_that_it_says_nothing():
    assert any("says nothing" in hint for hint in estimate().hints)


def test_where_one_organisation_makes_most_of_it_it_says_so():
    seen("alice", times=9)
    seen("carol")

    hints = estimate(**everyone("output_cap", parameters={"max_tokens": 5})).hints

    assert any("organisation acme makes 90% of it" in hint for hint in hints)


def test_it_is_kept_with_the_proposal():
    seen("mallory", times=2)

    proposal = make_proposal(users={"users": ["mallory"]})

    proposal.refresh_from_db()
    assert proposal.impact["touched"] == 2


def test_a_hundred_thousand_requests_take_about_a_second():
    with connection.cursor() as cursor:
        cursor.execute(MANY)
        cursor.execute("ANALYZE corrections_trafficrecord")  # as PostgreSQL does by itself after a minute
    began = time.perf_counter()

    found = estimate(**everyone("output_cap", parameters={"max_tokens": 5}))

    assert found.touched == 100_000
    in_time(time.perf_counter() - began, 3, told="the estimate")  # alone on the machine it is under one
