"""Every kind that a policy knows can be drafted, said in one sentence, shown, decided on and compiled."""

from datetime import UTC, datetime, timedelta
from time import process_time

import pytest
from django.utils import timezone

from corrections.forms.parameters import FIELDS
from corrections.models import AuthorityRule
from corrections.models.correction import breadth
from corrections.panels.kinds import KIND_LABELS
from corrections.panels.parameters import LABELS
from corrections.panels.terms import described
from corrections.panels.words import sentence
from corrections.publishing.compile import as_policy
from corrections.selectors.payload import payload
from corrections.states import Action, Breadth, State
from corrections.terms import Terms
from corrections.validation import check, spec
from enforcement import policy
from irapp.common.errors import InvalidError
from tests.corrections import factories
from tests.corrections.factories import make_draft, make_terms

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PATTERNS = {"attachment": "sha256:" + "ab" * 32, "name": "PAT-0001 Ransom notes", "version": 3}
LARGE = {"models": ["aurora-large"]}
EVERY = {
    "block": ({}, {}, "Refuses user alice on every model, all endpoints"),
    "allow": ({}, {}, "Serves only user alice on every model, all endpoints; everyone else is refused"),
    "exempt": (
        {"corrections": ["COR-0012"]},
        {},
        "Spares user alice from COR-0012 on every model, all endpoints",
    ),
    "request_limit": (
        {"requests": 5, "window_seconds": 60, "per": "all", "burst": 2},
        {},
        (
            "Limits user alice to 5 requests per minute, 2 of them at once, for all together on every model,"
            " all endpoints"
        ),
    ),
    "token_limit": (
        {"tokens": 20_000, "window_seconds": 3600, "metric": "output", "per": "organisation"},
        {},
        (
            "Limits user alice to 20\u00a0000 output tokens per hour for each organisation on every model,"
            " all endpoints"
        ),
    ),
    "concurrency_limit": (
        {"requests": 2, "per": "key"},
        {},
        "Limits user alice to 2 requests at the same time for each key on every model, all endpoints",
    ),
    "turn_limit": (
        {"turns": 5},
        {},
        "Refuses user alice after 5 turns of a conversation on every model, all endpoints",
    ),
    "tools_off": (
        {"tools": ["shell"]},
        {},
        "Refuses requests that offer the tool shell, from user alice, on every model, all endpoints",
    ),
    "feature_off": (
        {"features": ["mcp", "web_search"]},
        {},
        "Refuses requests that use MCP servers or web search, from user alice, on every model, all endpoints",
    ),
    "input_cap": (
        {"max_bytes": 10_000},
        {},
        "Refuses requests longer than 10\u00a0000 bytes from user alice on every model, all endpoints",
    ),
    "output_cap": (
        {"max_tokens": 500},
        {},
        "Caps answers to user alice at 500 tokens on every model, all endpoints",
    ),
    "loop_cap": (
        {"turns": 3},
        {},
        (
            "Stops agents of user alice after 3 results of tools in one conversation on every model,"
            " all endpoints"
        ),
    ),
    "input_filter": (
        {"patterns": PATTERNS, "action": "flag", "threshold": 1},
        {},
        (
            "Flags requests from user alice that match the patterns PAT-0001 Ransom notes (version 3), on"
            " every model, all endpoints, and lets them pass"
        ),
    ),
    "output_filter": (
        {"patterns": PATTERNS, "action": "redact", "threshold": 4},
        {},
        (
            "Blacks out in answers to user alice whatever matches the patterns PAT-0001 Ransom notes"
            " (version 3) with a weight of 4 or more, on every model, all endpoints"
        ),
    ),
    "system_prompt": (
        {"text": "Never give doses.", "position": "append"},
        {},
        "Puts an instruction after the system prompt for user alice on every model, all endpoints",
    ),
    "downgrade": (
        {"fallback_model": "aurora-small"},
        LARGE,
        "Answers user alice with aurora-small, not with aurora-large, all endpoints",
    ),
    "classifier": (
        {"name": "bio", "where": "output", "threshold": 70, "on_failure": "allow"},
        {},
        (
            "Asks the classifier bio about answers to user alice and blocks from a score of 0.70; without a"
            " score it passes; on every model, all endpoints"
        ),
    ),
    "forbid_use": (
        {},
        {"use_cases": ["medical"]},
        "Refuses requests from user alice on every model, use case medical only",
    ),
    "require_use": (
        {"use_cases": ["research", "teaching"]},
        {},
        (
            "Refuses requests from user alice that declare none of the use cases research and teaching, on"
            " every model, all endpoints"
        ),
    ),
    "suspend": (
        {"fallback_models": [{"organisation": "acme", "model": "aurora-small"}]},
        LARGE,
        "Stops aurora-large for user alice, all endpoints; meanwhile answered: acme by aurora-small",
    ),
    "market_removal": (
        {},
        LARGE | {"platforms": ["reseller-1"]},
        "Withdraws aurora-large for user alice, platform reseller-1 only",
    ),
    "halt": (
        {},
        LARGE,
        "Stops aurora-large for user alice at once, running answers included, all endpoints",
    ),
    "decommission": (
        {"fallback_address": "See example.org"},
        LARGE,
        "Takes aurora-large out of service for good for user alice, all endpoints",
    ),
    "reroute": (
        {"fallback_model": "aurora-small"},
        LARGE,
        "Answers user alice with aurora-small instead of aurora-large, all endpoints",
    ),
}


def terms_of(kind, **changes):
    parameters, functionality, _ = EVERY[kind]
    rate = 0.5 if kind in {"input_filter", "output_filter", "classifier"} else None
    plain = {
        "kind": kind,
        "parameters": parameters,
        "functionality": functionality,
        "users": {"users": ["alice"]},
        "review_at": NOW + timedelta(hours=1),
        "expires_at": NOW + timedelta(hours=2),
        "at_expiry": "lift" if kind == "exempt" else "hold",
        "exit_criteria": "The fix is deployed.",
        "expected_false_positive_percent": rate,
    }
    return Terms(**plain | changes)


def test_every_kind_of_the_policy_has_words_fields_and_a_place():
    assert set(EVERY) == set(policy.EFFECTS) == set(KIND_LABELS) == set(FIELDS)
    parameters = {name for kind in policy.EFFECTS.values() for name in kind.__struct_fields__}
    assert parameters == set(LABELS)


@pytest.mark.parametrize("kind", sorted(EVERY))
def test_one_sentence_says_what_each_kind_does(kind):
    assert sentence(check(terms_of(kind), now=NOW)).startswith(
        f"{EVERY[kind][2]}, until 2026-03-01 02:00 UTC"
    )


@pytest.mark.parametrize("kind", sorted(EVERY))
@pytest.mark.django_db
def test_every_kind_is_shown_with_all_that_it_says(kind):
    tidy = check(terms_of(kind), now=NOW)
    said = described(tidy)

    assert said["What it does"] == KIND_LABELS[kind]
    for name, value in EVERY[kind][0].items():
        shown = [text for label, text in said.items() if label == LABELS[name]]
        assert shown or kind in {"loop_cap", "concurrency_limit"}, (name, value)


@pytest.mark.parametrize("kind", sorted(EVERY))
def test_terms_that_were_checked_once_mean_the_same_again(kind):
    tidy = check(terms_of(kind), now=NOW)

    assert check(tidy, now=NOW) == tidy
    assert policy.canonical(spec(tidy)) == policy.canonical(spec(terms_of(kind)))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        (
            {"kind": "request_limit", "parameters": {"requests": 0, "window_seconds": 60}},
            "parameters.requests",
        ),
        (
            {"kind": "request_limit", "parameters": {"requests": 2, "window_seconds": 60, "burst": 3}},
            "parameters.burst",
        ),
        ({"kind": "token_limit", "parameters": {"tokens": 5}}, "parameters.window_seconds"),
        (
            {"kind": "token_limit", "parameters": {"tokens": 5, "window_seconds": 9, "metric": "words"}},
            "parameters.metric",
        ),
        ({"kind": "feature_off", "parameters": {"features": ["telepathy"]}}, "parameters.features"),
        ({"kind": "feature_off", "parameters": {"features": []}}, "parameters.features"),
        ({"functionality": {"features": ["telepathy"]}}, "functionality.features"),
        ({"functionality": {"platforms": ["a b"]}}, "functionality.platforms"),
        ({"users": {"regions": ["e|u"]}}, "users.regions"),
        ({"users": {"lists": [{"of": "user", "attachment": "x", "count": 1}]}}, "users.lists.attachment"),
        ({"kind": "allow", "users": {}}, "users"),
        (
            {"kind": "output_filter", "parameters": {"patterns": PATTERNS, "threshold": 101}},
            "parameters.threshold",
        ),
        ({"kind": "classifier", "parameters": {"name": "bio", "timeout_ms": 5}}, "parameters.timeout_ms"),
        ({"kind": "market_removal", "functionality": LARGE}, "functionality.platforms"),
        ({"kind": "halt"}, "functionality.models"),
        (
            {
                "kind": "suspend",
                "functionality": LARGE,
                "parameters": {"fallback_models": {"acme": "aurora-large"}},
            },
            "parameters.fallback_models",
        ),
        (
            {
                "kind": "suspend",
                "functionality": LARGE,
                "parameters": {
                    "fallback_models": [
                        {"organisation": "acme", "model": "a"},
                        {"organisation": "acme", "model": "b"},
                    ]
                },
            },
            "parameters.fallback_models",
        ),
        (
            {
                "kind": "downgrade",
                "functionality": LARGE,
                "parameters": {"fallback_model": "aurora-large"},
            },
            "parameters.fallback_model",
        ),
        (
            {
                "kind": "require_use",
                "functionality": {"use_cases": ["a"]},
            },
            "functionality.use_cases",
        ),
        ({"grace_until": NOW - timedelta(minutes=1)}, "grace_until"),
        ({"grace_until": NOW + timedelta(hours=3)}, "grace_until"),
        (
            {"kind": "output_cap", "parameters": {"max_tokens": 5}, "grace_until": NOW + timedelta(hours=1)},
            "grace_until",
        ),
        ({"expected_false_positive_percent": 3.0}, "expected_false_positive_percent"),
    ],
)
def test_what_contradicts_itself_is_refused_by_the_name_of_its_field(changes, field):
    kind = changes.get("kind", "block")
    plain = {"parameters": {}, "functionality": {}, "expected_false_positive_percent": None} | changes
    if kind in {"output_filter", "classifier"}:
        plain["expected_false_positive_percent"] = 1.0
    with pytest.raises(InvalidError) as refused:
        check(terms_of(kind, **{name: value for name, value in plain.items() if name != "kind"}), now=NOW)

    assert refused.value.field == field


def test_a_wrong_choice_is_told_which_there_are():
    with pytest.raises(InvalidError, match=r"There is no “telepathy” here\. Known are streaming, web_search"):
        check(terms_of("feature_off", parameters={"features": ["telepathy"]}), now=NOW)


@pytest.mark.parametrize("rate", [None, -1.0, 101.0])
def test_whoever_decides_on_a_filter_is_told_how_often_it_is_wrong(rate):
    with pytest.raises(InvalidError) as refused:
        check(terms_of("input_filter", expected_false_positive_percent=rate), now=NOW)

    assert refused.value.field == "expected_false_positive_percent"


def test_a_dry_run_is_what_measures_it():
    check(terms_of("input_filter", mode="shadow", expected_false_positive_percent=None), now=NOW)


@pytest.mark.parametrize(
    ("changes", "field"), [({"expires_at": None}, "expires_at"), ({"at_expiry": "hold"}, "at_expiry")]
)
def test_an_exemption_ends_by_itself(changes, field):
    with pytest.raises(InvalidError) as refused:
        check(terms_of("exempt", **changes), now=NOW)

    assert refused.value.field == field


def test_fallbacks_have_one_order_however_they_are_given():
    one = terms_of("halt", parameters={"fallback_models": {"globex": "b", "acme": "a"}})
    two = terms_of(
        "halt",
        parameters={
            "fallback_models": [
                {"organisation": "globex", "model": "b"},
                {"organisation": "acme", "model": "a"},
            ]
        },
    )

    assert policy.canonical(spec(one)) == policy.canonical(spec(two))


@pytest.mark.parametrize(
    ("kind", "users", "expected"),
    [
        ("block", {"users": ["alice"]}, Breadth.NARROW),
        ("block", {"users": ["alice"], "regions": ["eu"]}, Breadth.BROAD),
        ("block", {"tiers": ["free"]}, Breadth.BROAD),
        ("allow", {"users": ["alice"]}, Breadth.BROAD),
        ("suspend", {}, Breadth.BROAD),
        ("block", {"lists": [{"of": "user", "attachment": "sha256:0", "count": 1000}]}, Breadth.NARROW),
        ("block", {"lists": [{"of": "user", "attachment": "sha256:0", "count": 1001}]}, Breadth.BROAD),
        ("block", {"users": [f"user-{number}" for number in range(1000)]}, Breadth.NARROW),
        ("block", {"users": [f"user-{number}" for number in range(1001)]}, Breadth.BROAD),
        (
            "block",
            {
                "users": [f"user-{number}" for number in range(400)],
                "organisations": [f"org-{number}" for number in range(200)],
                "keys": [f"key-{number}" for number in range(200)],
                "lists": [{"of": "user", "attachment": "sha256:0", "count": 201}],
            },
            Breadth.BROAD,
        ),
    ],
)
def test_who_is_touched_without_being_named_makes_it_broad(kind, users, expected):
    assert breadth(kind, users) == expected


def test_many_fallbacks_are_put_in_order_quickly():
    given = [{"organisation": f"org-{number}", "model": "aurora-small"} for number in range(20_000)]
    model = {"models": ["aurora-large"]}
    terms = make_terms(kind="suspend", users={}, functionality=model, parameters={"fallback_models": given})

    began = process_time()
    said = spec(terms)

    assert len(said.effect.fallback_models) == len(given)
    assert process_time() - began < 2


@pytest.mark.django_db
def test_the_expected_rate_and_the_grace_are_part_of_what_is_decided():
    draft = make_draft(grace_until=timezone.now() + timedelta(hours=1))

    said = payload(draft, Action.IMPOSE, reason="")

    assert b'"expected_false_positive_percent":null' in said
    assert b'"grace_until":"2' in said


@pytest.mark.django_db
def test_what_was_decided_is_what_is_compiled():
    terms = make_terms(
        kind="tools_off",
        parameters={"tools": ["b", "a"]},
        users={"regions": ["eu"]},
        narrower_rejected="Evaded twice.",
    )

    said = as_policy(factories.make_correction(state=State.ENFORCING, terms=terms))

    assert said.effect == policy.ToolsOff(tools=("a", "b"))
    assert said.users.regions == ("eu",)


@pytest.mark.parametrize(
    ("kind", "roles", "include"),
    [
        ("suspend", {"DUTY_OFFICER", "EXECUTIVE"}, {"EXECUTIVE"}),
        ("halt", {"DUTY_OFFICER", "EXECUTIVE"}, {"EXECUTIVE"}),
        ("market_removal", {"DUTY_OFFICER", "EXECUTIVE"}, {"DUTY_OFFICER", "EXECUTIVE"}),
        ("decommission", {"EXECUTIVE"}, {"EXECUTIVE"}),
    ],
)
@pytest.mark.django_db
def test_the_harder_to_undo_the_more_authority(kind, roles, include):
    functionality = {"models": [factories.make_shutdown().functionality["models"][0]]}
    platforms = {"platforms": ["reseller-1"]} if kind == "market_removal" else {}
    proposal = factories.make_proposal(
        terms=make_terms(
            kind=kind, users={}, functionality=functionality | platforms, narrower_rejected="Evaded twice."
        )
    )

    assert set(proposal.authority["roles"]) == roles
    assert set(proposal.authority["must_include"]) == include
    assert proposal.authority["quorum"] == 2


@pytest.mark.django_db
def test_a_halt_is_decided_sooner_than_a_suspension():
    halt = AuthorityRule.objects.get(
        kind="halt", breadth="BROAD", minimum_severity="CRITICAL", action="IMPOSE"
    )
    rest = AuthorityRule.objects.get(
        kind="", correction_class="T5", breadth="BROAD", minimum_severity="CRITICAL", action="IMPOSE"
    )

    assert halt.decide_within < rest.decide_within
    assert halt.code == "T5:halt/BROAD/CRITICAL/IMPOSE"
