"""Bad terms are refused by the name of their field."""

from datetime import timedelta

import pytest
from django.utils import timezone

from corrections.registers import resolved
from corrections.terms import Terms
from corrections.validation import check, spec
from incidents.states import State as Stage
from irapp.common.errors import ConflictError, InvalidError
from tests.corrections.factories import make_draft, make_model, make_package, make_proposal, make_terms

NOW = timezone.now()
PAST, LATER = NOW - timedelta(hours=1), NOW + timedelta(hours=1)
LIMIT = {"kind": "request_limit", "users": {}}
T5 = {"kind": "suspend", "users": {}}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "fly"}, "kind"),
        (LIMIT | {"parameters": {"requests": 0, "window_seconds": 60}}, "parameters.requests"),
        (LIMIT | {"parameters": {"requests": "5", "window_seconds": 60}}, "parameters.requests"),
        (LIMIT | {"parameters": {"requests": 5}}, "parameters.window_seconds"),
        (LIMIT | {"parameters": {"requests": 5, "window_seconds": 90_000}}, "parameters.window_seconds"),
        (LIMIT | {"parameters": {"requests": 5, "window_seconds": 60, "per": "x"}}, "parameters.per"),
        ({"parameters": {"depth": 1}}, "parameters.depth"),
        ({"parameters": {"kind": "suspend"}}, "parameters.kind"),
        ({"parameters": ["x"]}, "parameters"),
        ({"users": "alice"}, "users"),
        ({"users": {}}, "users"),
        ({"users": {"users": ["two words"]}}, "users.users"),
        ({"users": {"persons": ["alice"]}}, "users.persons"),
        ({"users": {"users": [f"u{n}" for n in range(100_001)]}}, "users.users"),
        ({"functionality": {"endpoints": ["fax"]}}, "functionality.endpoints"),
        (T5, "functionality.models"),
        ({"kind": "forbid_use", "users": {}, "functionality": {"models": ["a"]}}, "functionality"),
        (
            {
                "kind": "reroute",
                "users": {},
                "functionality": {"models": ["a"]},
                "parameters": {"fallback_model": "a"},
            },
            "parameters.fallback_model",
        ),
        ({"mode": "loud"}, "mode"),
        ({"percentage": 0}, "percentage"),
        ({"percentage": 101}, "percentage"),
        ({"at_expiry": "forget"}, "at_expiry"),
        ({"running_streams": "pause"}, "running_streams"),
        ({"expires_at": PAST}, "expires_at"),
        ({"expires_at": LATER, "starts_at": LATER, "review_at": LATER}, "expires_at"),
        ({"review_at": PAST}, "review_at"),
        ({"review_at": LATER + timedelta(days=9)}, "review_at"),
        ({"review_at": LATER.replace(tzinfo=None)}, "review_at"),
        ({"exit_criteria": "  "}, "exit_criteria"),
        ({"public_reason": "x" * 501}, "public_reason"),
        ({"public_reason": "nul \x00"}, "public_reason"),
        ({"appeal": "half \ud800"}, "appeal"),
    ],
)
def test_a_bad_field_is_refused_by_its_name(changes, field):
    with pytest.raises(InvalidError) as refused:
        check(make_terms(**changes), now=NOW)

    assert refused.value.field == field
    assert "`" not in str(refused.value)


def test_the_same_scope_has_the_same_terms():
    one = check(make_terms(users={"users": ["b", "a", "b"]}), now=NOW)
    two = check(make_terms(users={"users": ["a", "b"], "keys": []}), now=NOW)

    empty = {name: [] for name in ("organisations", "keys", "regions", "tiers", "lists")}
    assert one.users == two.users == {"users": ["a", "b"], **empty}


def test_every_kind_can_be_said():
    kinds = {
        "block": {},
        "request_limit": {"parameters": {"requests": 5, "window_seconds": 60}},
        "tools_off": {"parameters": {"tools": ["browser"]}},
        "output_cap": {"parameters": {"max_tokens": 100}},
        "forbid_use": {"functionality": {"use_cases": ["medical"]}},
        "suspend": {"functionality": {"models": ["aurora-large"]}},
        "reroute": {
            "functionality": {"models": ["aurora-large"]},
            "parameters": {"fallback_model": "aurora-small"},
        },
    }

    for kind, changes in kinds.items():
        assert spec(check(make_terms(kind=kind, **changes), now=NOW)).id == "COR-0.0"


@pytest.mark.django_db
def test_an_unknown_model_is_refused_once_models_are_registered():
    make_draft(functionality={"models": ["nobody-knows-it"]}, package=make_package(stage=Stage.PREPARATION))
    make_model(name="aurora-large")

    with pytest.raises(InvalidError) as refused:
        make_draft(functionality={"models": ["aurora-larg"]})

    assert refused.value.field == "functionality.models"
    assert refused.value.code == "unknown_model"


@pytest.mark.django_db
def test_a_model_with_open_weights_cannot_be_restricted():
    model = make_model(name="aurora-open", access="OPEN_WEIGHTS")

    with pytest.raises(InvalidError) as refused:
        make_draft(functionality={"models": [model.name]})

    assert refused.value.code == "open_weights"


@pytest.mark.django_db
def test_a_precaution_is_time_boxed():
    package = make_package(precaution=True)

    with pytest.raises(InvalidError) as refused:
        make_draft(package=package, terms=make_terms(expires_at=None))

    assert refused.value.field == "expires_at"


@pytest.mark.django_db
def test_a_broad_correction_says_why_nothing_narrower_is_enough():
    limit = {"kind": "request_limit", "users": {}, "parameters": {"requests": 5, "window_seconds": 60}}

    with pytest.raises(ConflictError) as refused:
        make_proposal(**limit)

    assert refused.value.code == "narrower_missing"
    assert make_proposal(**limit, narrower_rejected="Accounts change by the hour.").is_open


@pytest.mark.django_db
def test_what_is_stored_is_what_was_said():
    terms = make_terms(users={"organisations": ["acme"]}, public_reason="Unusual use.")

    stored = make_draft(terms=terms)

    assert Terms.of(type(stored).objects.get(pk=stored.pk)) == check(terms, now=NOW)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("users", "field"),
    [
        ({"segments": 5}, "users.segments"),
        ({"segments": True}, "users.segments"),
        ({"segments": "SEG-0001"}, "users.segments"),
        ({"segments": [5]}, "users.segments"),
        ({"segments": ["SEG-0001."]}, "users.segments"),
        ({"segments": ["SEG-0001." + "9" * 5000]}, "users.segments"),
        ({"segments": ["SEG-0001." + "9" * 12]}, "users.segments"),
        ({"segments": ["SEG\x00-1"]}, "users.segments"),
        ({"segments": ["SEG-0001"], "lists": 5}, "users.lists"),
    ],
)
def test_names_of_segments_that_make_no_sense_are_refused_by_their_field(users, field):
    with pytest.raises(InvalidError) as refused:
        resolved(users, {})

    assert refused.value.field == field


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["PAT-0001." + "9" * 5000, "PAT\x00-1"])
def test_names_of_pattern_sets_that_make_no_sense_are_refused_by_their_field(name):
    with pytest.raises(InvalidError) as refused:
        resolved({}, {"patterns": name})

    assert refused.value.field == "parameters.patterns"
