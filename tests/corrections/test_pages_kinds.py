"""The form asks for what a kind needs, and for nothing else; segments and patterns are frozen by it."""

from datetime import timedelta
from http import HTTPStatus

import pytest
from django.utils import timezone

from corrections.models import Correction
from corrections.terms import Terms
from enforcement import policy
from incidents.states import State as Stage
from tests.corrections import factories
from tests.corrections.calling import API, caller
from tests.corrections.calling import draft as as_json
from tests.corrections.pages import create_url, text, typed, url
from tests.corrections.segments.factories import add, lists_of, make_patterns, make_segment
from tests.corrections.test_impact import seen
from tests.incidents.factories import make_commander, make_fallback, make_incident, make_model

pytestmark = pytest.mark.django_db


@pytest.fixture
def commander(client):
    commander = make_commander()
    client.force_login(commander)
    return commander


@pytest.fixture
def incident(commander):
    return make_incident(state=Stage.EXECUTION, commander=commander)


def fields_of(client, incident, kind):
    form = client.post(create_url(incident), typed(kind=kind, step="kind")).context["form"]
    return form, {bound.name for bound in form.parameters}


def draft(client, incident, **changes):
    answer = client.post(create_url(incident), typed(**changes))
    assert answer.status_code == HTTPStatus.FOUND, answer.context["form"].errors
    found = Correction.objects.order_by("pk").last()
    assert found is not None
    return found


@pytest.mark.parametrize("kind", sorted(policy.EFFECTS))
def test_each_kind_has_a_page_with_its_own_fields(client, incident, kind):
    form, names = fields_of(client, incident, kind)

    parameters = set(policy.EFFECTS[kind].__struct_fields__)
    called = {"use_cases_accepted": "use_cases", "features_off": "features", "classifier": "name"}
    called |= {"done": "action", "score": "threshold"}
    assert {called.get(name, name) for name in names} == parameters
    assert ("grace_until" in form.fields) == issubclass(policy.EFFECTS[kind], policy.GRACEFUL)


@pytest.mark.parametrize(
    ("kind", "changes", "parameters"),
    [
        (
            "token_limit",
            {"tokens": "9000", "window_seconds": "3600", "metric": "output", "per": "organisation"},
            {"tokens": 9000, "window_seconds": 3600, "metric": "output", "per": "organisation"},
        ),
        ("concurrency_limit", {"requests": "3", "per": "key"}, {"requests": 3, "per": "key"}),
        (
            "request_limit",
            {"requests": "9", "window_seconds": "60", "per": "all", "burst": "2"},
            {"requests": 9, "window_seconds": 60, "per": "all", "burst": 2},
        ),
        ("turn_limit", {"turns": "5"}, {"turns": 5}),
        ("loop_cap", {"turns": "0"}, {"turns": 0}),
        ("feature_off", {"features_off": ["mcp", "memory"]}, {"features": ["mcp", "memory"]}),
        ("input_cap", {"max_bytes": "500"}, {"max_bytes": 500}),
        (
            "system_prompt",
            {"text": "Never give doses.", "position": "replace"},
            {"text": "Never give doses.", "position": "replace"},
        ),
        (
            "classifier",
            {
                "classifier": "bio",
                "where": "output",
                "score": "70",
                "timeout_ms": "500",
                "on_failure": "allow",
                "done": "flag",
                "expected_false_positive_percent": "0.4",
            },
            {
                "name": "bio",
                "where": "output",
                "threshold": 70,
                "timeout_ms": 500,
                "on_failure": "allow",
                "action": "flag",
            },
        ),
        ("require_use", {"use_cases_accepted": "b a"}, {"use_cases": ["a", "b"]}),
    ],
)
def test_what_is_typed_for_a_kind_is_what_is_drafted(client, incident, kind, changes, parameters):
    assert draft(client, incident, kind=kind, **changes).parameters == parameters


@pytest.mark.parametrize("kind", ["suspend", "halt", "market_removal", "decommission"])
def test_customers_keep_an_answer_by_their_fallback(client, incident, kind):
    large, small = make_model().name, make_model().name
    changes = {"platforms": "reseller-1"} if kind == "market_removal" else {}

    drafted = draft(
        client,
        incident,
        kind=kind,
        users="",
        models=[large],
        fallback_models=f"globex → {small}\nacme {small}\n\n",
        fallback_address="See example.org",
        narrower_rejected="Evaded.",
        **changes,
    )

    assert drafted.parameters["fallback_models"] == [
        {"organisation": "acme", "model": small},
        {"organisation": "globex", "model": small},
    ]
    assert drafted.parameters["fallback_address"] == "See example.org"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("acme", "an organisation and a model"),
        ("acme a b", "an organisation and a model"),
        ("acme a\nacme b", "acme has two fallbacks"),
        ('ac"me a', "at most 200 characters"),
        ("acme unknown-model", "unknown-model is not a registered model"),
    ],
)
def test_a_fallback_that_makes_no_sense_is_told_beside_its_field(client, incident, lines, said):
    large = make_model().name
    changes = {"kind": "halt", "users": "", "models": [large], "narrower_rejected": "Evaded."}

    answer = client.post(create_url(incident), typed(fallback_models=lines, **changes))

    assert said in str(answer.context["form"].errors["fallback_models"])


def test_a_shutdown_begins_with_what_the_register_of_fallbacks_says(client, incident):
    large, small = make_model(), make_model()
    make_fallback(model=large, audience="ACME", other_model_id=small.pk)
    seen("alice", model=large.name)
    seen("carol", model=large.name)

    page = client.post(create_url(incident), typed(kind="suspend", models=[large.name], step="kind"))

    assert page.context["form"]["fallback_models"].value() == f"acme {small.name}"


def test_the_version_of_a_segment_that_is_chosen_is_frozen(client, incident):
    segment = make_segment("alice", "bob")

    drafted = draft(client, incident, users="", segments=[f"{segment.reference}.1"])

    assert drafted.users["lists"] == lists_of(segment, 1)
    add(segment, "carol")
    assert factories.fresh(drafted).users["lists"] == lists_of(segment, 1)


def test_a_segment_that_grew_is_offered_anew_and_the_named_version_stays(client, incident):
    segment = make_segment("alice")
    drafted = draft(client, incident, users="", segments=[f"{segment.reference}.1"])
    add(segment, "bob")

    form = client.get(url("edit", drafted)).context["form"]

    assert [value for value, _ in form.fields["segments"].choices] == [
        f"{segment.reference}.2",
        f"{segment.reference}.1",
    ]
    assert form["segments"].value() == [f"{segment.reference}.1"]


def test_an_edit_that_changes_nothing_keeps_the_lists(client, incident):
    segment = make_segment("alice")
    drafted = draft(client, incident, users="", segments=[f"{segment.reference}.1"])
    form = client.get(url("edit", drafted)).context["form"]

    client.post(
        url("edit", drafted),
        typed(users="", segments=form["segments"].value(), revision="1", once=None),
    )

    assert factories.fresh(drafted).revision == 2
    assert Terms.of(factories.fresh(drafted)).users == Terms.of(drafted).users


def test_a_segment_can_be_brought_along_by_the_link(client, incident):
    segment = make_segment("alice")

    form = client.get(f"{create_url(incident)}&segment={segment.reference}").context["form"]

    assert form["segments"].value() == [f"{segment.reference}.1"]
    assert form.wider_users


def test_a_segment_that_nobody_offers_is_refused_beside_its_field(client, incident):
    answer = client.post(create_url(incident), typed(users="", segments=["SEG-9999.1"]))

    assert "segments" in answer.context["form"].errors


def test_a_filter_names_its_patterns_in_the_version_that_is_chosen(client, incident):
    patterns = make_patterns("ransom note")

    drafted = draft(
        client,
        incident,
        kind="output_filter",
        patterns=f"{patterns.reference}.1",
        done="block",
        threshold="1",
        expected_false_positive_percent="0.2",
    )

    frozen = drafted.parameters["patterns"]
    assert (frozen["version"], frozen["name"].split()[0]) == (1, patterns.reference)
    assert drafted.expected_false_positive_percent == 0.2
    assert client.get(url("edit", drafted)).context["form"]["patterns"].value() == f"{patterns.reference}.1"


def test_a_filter_without_its_rate_is_refused_beside_the_field(client, incident):
    patterns = make_patterns("ransom note")
    changes = {
        "kind": "input_filter",
        "patterns": f"{patterns.reference}.1",
        "done": "block",
        "threshold": "1",
    }

    answer = client.post(create_url(incident), typed(**changes))

    assert "expected_false_positive_percent" in answer.context["form"].errors


def test_the_preview_says_who_would_decide_and_whether_they_could(client, incident):
    model = make_model().name
    changes = {"kind": "decommission", "users": "", "models": [model]}

    shown = client.post(create_url(incident), typed(step="preview", **changes)).context["page"].preview

    assert shown.deciders.startswith("2 from executive")
    assert [caution.title for caution in shown.cautions][:2] == ["It touches everyone", "Meant for good"]


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({}, "Restricting users may not be enough"),
        ({"kind": "output_cap", "max_tokens": "5", "mode": "shadow"}, "A dry run protects nobody"),
        (
            {
                "kind": "classifier",
                "classifier": "bio",
                "where": "input",
                "score": "50",
                "timeout_ms": "500",
                "done": "block",
                "on_failure": "allow",
            },
            "It fails open",
        ),
    ],
)
def test_the_preview_says_what_should_not_be_overlooked(client, incident, changes, title):
    answer = client.post(create_url(incident), typed(step="preview", **changes))

    assert title in text(answer)


def test_the_preview_says_which_of_two_corrections_speaks(client, incident):
    cap = factories.make_correction(
        kind="output_cap", parameters={"max_tokens": 5}, users={"users": ["alice"]}
    )

    answer = client.post(create_url(incident), typed(step="preview"))

    (linked,) = answer.context["page"].preview.overlaps
    assert linked.correction == cap
    assert "what is proposed here speaks: the stricter wins" in linked.text


def test_corrections_that_meet_nowhere_are_not_mentioned(client, incident):
    factories.make_correction(users={"users": ["somebody-else"]})

    answer = client.post(create_url(incident), typed(step="preview"))

    assert answer.context["page"].preview.overlaps == []


def test_the_api_freezes_segments_and_patterns_by_their_references(client, incident):
    segment, patterns = make_segment("alice"), make_patterns("ransom note")
    said = as_json(
        incident=incident.pk,
        kind="output_filter",
        users={"segments": [segment.reference]},
        parameters={"patterns": patterns.reference},
        expected_false_positive_percent=0.5,
    )

    answer = caller(client)("post", "/corrections/", said)

    assert answer.status_code == HTTPStatus.CREATED, answer.content
    assert answer.json()["users"]["lists"] == lists_of(segment)
    assert answer.json()["parameters"]["patterns"]["version"] == 1
    assert answer.json()["expected_false_positive_percent"] == 0.5


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"users": {"segments": ["SEG-9999"]}}, "users.lists"),
        (
            {"users": {"lists": [{"of": "user", "attachment": "sha256:" + "0" * 64, "count": 1}]}},
            "users.lists",
        ),
        (
            {
                "kind": "input_filter",
                "parameters": {"patterns": "PAT-9999"},
                "expected_false_positive_percent": 1,
            },
            "parameters.patterns",
        ),
        ({"users": {"segments": ["SEG-1.x"]}}, "users.segments"),
    ],
)
def test_the_api_refuses_what_was_never_imported(client, incident, changes, field):
    answer = caller(client)("post", "/corrections/", as_json(incident=incident.pk, **changes))

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert field in answer.content.decode()


def test_the_api_takes_and_tells_a_grace_period(client, incident):
    until = (timezone.now() + timedelta(hours=3)).isoformat()

    answer = caller(client)("post", "/corrections/", as_json(incident=incident.pk, grace_until=until))

    assert answer.json()["grace_until"]
    assert "with only a warning until" in answer.json()["summary"]


def test_an_order_is_written_by_a_token_and_signed_by_nobody_but_a_person(client, incident):
    order = {
        "incident": incident.pk,
        "model_name": "aurora-large",
        "components": ["weights"],
        "reason": "Stolen.",
        "narrower_rejected": "Files stay.",
    }
    call, executive = caller(client), factories.make_executive()

    drafted = call("post", "/destruction-orders/", order)
    said = {"reason": "Yes.", "digest": drafted.json()["digest"]}
    signed = call("post", f"/destruction-orders/{drafted.json()['id']}/sign/", said, user=executive)

    assert drafted.status_code == HTTPStatus.CREATED, drafted.content
    assert drafted.json()["authority"] == {"roles": ["EXECUTIVE"], "quorum": 2}
    assert signed.status_code == HTTPStatus.FORBIDDEN
    client.force_login(executive)
    by_hand = client.post(
        f"{API}/destruction-orders/{drafted.json()['id']}/sign/", said, content_type="application/json"
    )
    assert by_hand.status_code == HTTPStatus.CREATED, by_hand.content
    assert len(by_hand.json()["approvals"]) == 1


def test_a_hold_placed_by_a_token_stands_in_the_way(client, incident):
    call = caller(client)
    hold = {"incident": incident.pk, "what": "The logs.", "reason": "Custody."}
    order = {
        "incident": incident.pk,
        "model_name": "aurora-large",
        "components": ["weights"],
        "reason": "Stolen.",
        "narrower_rejected": "Files stay.",
    }

    placed = call("post", "/evidence-holds/", hold)
    drafted = call("post", "/destruction-orders/", order)

    assert placed.status_code == HTTPStatus.CREATED, placed.content
    assert [block["label"] for block in drafted.json()["in_the_way"]] == [placed.json()["reference"]]
    released = call("post", f"/evidence-holds/{placed.json()['id']}/release/", {"reason": "Enough."})
    assert released.status_code == HTTPStatus.FORBIDDEN  # no scope lets a token do that


@pytest.mark.usefixtures("commander")
def test_a_new_version_leaves_out_a_grace_period_that_is_over(client, clock):
    live = factories.make_correction(grace_until=timezone.now() + timedelta(hours=1))
    clock.shift(timedelta(hours=2))

    form = client.get(url("version", live)).context["form"]

    assert form["grace_until"].value() is None
    assert form["expires_at"].value() is not None
