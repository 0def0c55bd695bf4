"""What people see of the truth: steps, alarms, the chart. Seconds count, and nobody sees too much."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from corrections import actions
from corrections.models import Alarm, Gateway, Hub, PolicyVersion, RefusalCount
from corrections.publishing import alarms, hubs, traffic
from corrections.publishing.evaluate import evaluate
from corrections.selectors.alarms import UNWATCHED
from corrections.states import State
from enforcement.report import PolicyRef
from incidents import actions as incidents
from irapp.accounts.models import RoleCode
from tests.corrections import gateways
from tests.corrections.factories import fresh, make_commander, make_correction, make_draft, make_officer
from tests.corrections.pages import text, url
from tests.corrections.truth.said import refused, said
from tests.irapp.factories import make_user

pytestmark = pytest.mark.django_db
GATEWAYS, ALARMS, BANNER = "/corrections/gateways/", "/corrections/alarms/", "/corrections/alarms/banner/"


@pytest.fixture
def commander(client):
    person = make_commander()
    client.force_login(person)
    return person


def answer(**held):
    newest = PolicyVersion.objects.first()
    ref = PolicyRef(version=newest.version, digest=newest.digest) if newest else None
    hubs.note_policy("http://hub.example", held.get("held", ref), now=timezone.now())


def raise_silence(clock):
    clock.shift(timedelta(seconds=6))
    answer()
    alarms.settle(now=timezone.now())
    return Alarm.objects.get(kind="SILENCE")


def cells(steps):
    return [(step.name, step.cell.text, step.cell.tone) for step in steps]


@pytest.mark.usefixtures("commander")
def test_four_steps_say_that_all_is_as_decided(client):
    make_correction()
    answer()

    fleet = client.get(GATEWAYS).context["fleet"]

    assert fleet.verdict.text == "All as decided: 1 gateway on policy 1, 1 correction shown."
    assert cells(fleet.steps) == [
        ("Wanted", "policy 1", "ok"),
        ("Delivered", "1 of 1", "ok"),
        ("Acknowledged", "1 of 1", "ok"),
        ("Observed", "1 of 1", "ok"),
    ]


@pytest.mark.usefixtures("commander")
def test_each_step_can_be_the_one_that_is_missing(client):
    first = make_correction()
    old = PolicyVersion.objects.get()
    held = gateways.report("gateway-2")
    make_correction(state=State.ENFORCING)
    answer(held=PolicyRef(version=old.version, digest=old.digest))
    gateways.tell(held | {"reported_at": timezone.now().astimezone(UTC).isoformat()})
    gateways.show("gateway-1")

    response = client.get(GATEWAYS)

    fleet = response.context["fleet"]
    assert [(step.cell.text, step.cell.tone) for step in fleet.steps] == [
        ("policy 2", "ok"),
        ("0 of 1", "danger"),
        ("1 of 2", "danger"),
        ("1 of 2", "danger"),
    ]
    second, one = fleet.corrections
    texts = [each.text for each in (second.delivered, second.acknowledged, second.observed)]
    assert texts == ["0 of 1", "1 of 2", "1 of 2"]
    assert second.delivered.tone == "warn"  # on its way, not yet wrong
    assert (one.correction, one.observed.tone, one.acknowledged.tone) == (first, "ok", "ok")
    assert "gateway-2 has policy 1, needs 2, since" in text(response)


@pytest.mark.usefixtures("commander")
def test_how_a_limit_is_counted_is_said(client):
    correction = make_correction(
        kind="request_limit", parameters={"requests": 5, "window_seconds": 60, "per": "user"}
    )
    answer()
    gateways.show("gateway-1", limits={correction.policy_id: "global"})
    gateways.show("gateway-2", limits={correction.policy_id: "gateway"})

    shown = text(client.get(GATEWAYS))

    assert "counted across gateways (1)" in shown
    assert "counted at each gateway alone (1)" in shown
    assert "counted at each gateway alone" in text(client.get(url("detail", correction)))


@pytest.mark.usefixtures("commander")
def test_a_webhook_is_acknowledged_and_never_called_observed(client):
    correction = make_correction()
    newest = PolicyVersion.objects.first()
    Gateway.objects.create(
        name="own",
        kind=Gateway.Kind.WEBHOOK,
        live=True,
        seen_at=timezone.now(),
        policy_version=newest.version,
        policy_digest=newest.digest,
    )
    evaluate(now=timezone.now())

    shown = client.get(GATEWAYS)

    (row,) = shown.context["fleet"].corrections
    assert (row.acknowledged.text, row.observed.text) == ("2 of 2", "1 of 1")
    assert "not observable" in text(shown)
    assert fresh(correction).state == State.ACTIVE


@pytest.mark.usefixtures("commander")
def test_the_page_asks_the_same_for_many_gateways_and_corrections_as_for_few(
    client, django_assert_max_num_queries
):
    make_correction()
    answer()

    with django_assert_max_num_queries(18):
        client.get(GATEWAYS)
    for number in range(2, 12):
        gateways.show(f"gateway-{number}")
    for _ in range(5):
        make_correction(state=State.ENFORCING)
    with django_assert_max_num_queries(18):
        client.get(GATEWAYS)


def test_what_is_restricted_is_not_shown_to_others(client, clock):
    correction = make_correction()
    incident, hidden = correction.package.incident, {"restricted": True, "reason": "Need to know."}
    incidents.restrict(incident_id=incident.pk, by=incident.commander, **hidden)
    answer()
    clock.move_to(correction.expires_at, tick=False)
    answer()
    alarms.settle(now=timezone.now())
    alarm = Alarm.objects.get(kind="HELD")
    client.force_login(make_officer())

    pages = [client.get(page) for page in (GATEWAYS, ALARMS, BANNER)]

    assert all(str(correction) not in text(page) for page in pages)
    assert client.get(alarm.get_absolute_url()).status_code == HTTPStatus.NOT_FOUND
    answered = client.post(reverse("corrections:acknowledge", args=[alarm.pk]))
    assert answered.status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize(
    ("role", "told"),
    [
        (RoleCode.RESPONDER, True),
        (RoleCode.COMMANDER, True),
        (RoleCode.DUTY_OFFICER, True),
        (RoleCode.EXECUTIVE, True),
        (RoleCode.AUDITOR, False),
        (RoleCode.COMMUNICATOR, False),
    ],
)
def test_the_banner_stands_above_every_page_of_whoever_is_told(client, clock, role, told):
    make_correction()
    raise_silence(clock)
    client.force_login(make_user(role))

    assert "/corrections/alarms/banner/" in text(client.get("/"))
    assert ("gateway-1 is silent" in text(client.get(BANNER))) is told


def test_acknowledging_from_its_page_quiets_the_banner(client, clock, commander):
    make_correction()
    alarm = raise_silence(clock)
    assert "I look after it" in text(client.get(alarm.get_absolute_url()))

    client.post(reverse("corrections:acknowledge", args=[alarm.pk]), {"note": "On the phone."})

    page = text(client.get(alarm.get_absolute_url()))
    assert "On the phone." in page
    assert "I look after it" not in page
    assert f"{commander} looks after it" in text(client.get(BANNER))
    again = client.post(reverse("corrections:acknowledge", args=[alarm.pk]))
    assert again.status_code == HTTPStatus.CONFLICT


@pytest.mark.usefixtures("commander")
def test_a_note_that_is_too_long_is_named(client, clock):
    make_correction()
    alarm = raise_silence(clock)

    refused = client.post(reverse("corrections:acknowledge", args=[alarm.pk]), {"note": "x" * 501})

    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "at most 500 characters" in text(refused)
    assert Alarm.objects.get().acknowledged_at is None


def test_an_auditor_reads_alarms_and_is_told_why_no_more(client, clock):
    make_correction()
    alarm = raise_silence(clock)
    client.force_login(make_user(RoleCode.AUDITOR))

    assert "gateway-1 is silent" in text(client.get(ALARMS))
    assert "You need to be" in text(client.get(alarm.get_absolute_url()))


@pytest.mark.usefixtures("commander")
def test_what_was_cleared_is_kept_with_how_long_it_lasted(client, clock):
    make_correction()
    alarm = raise_silence(clock)
    clock.shift(timedelta(minutes=4))
    answer()
    gateways.tell(gateways.report())
    alarms.settle(now=timezone.now())

    assert "No alarm is open" in text(client.get(ALARMS))
    shown = text(client.get(ALARMS, {"tab": "cleared"}))
    assert "gateway-1 is silent" in shown
    assert "4 min" in shown
    assert "reports again" in text(client.get(alarm.get_absolute_url()))
    assert text(client.get(BANNER)) == '<div id="alarms"></div>' or "gateway-1" not in text(
        client.get(BANNER)
    )


@pytest.mark.usefixtures("commander")
def test_where_nobody_looks_any_more_the_banner_says_so(client, clock, settings):
    settings.ENFORCEMENT_URLS = ["http://hub.example"]
    make_correction()
    answer()
    assert "Nobody has looked" not in text(client.get(BANNER))

    clock.shift(UNWATCHED + timedelta(seconds=1))

    assert "Nobody has looked at the gateways since" in text(client.get(BANNER))
    Hub.objects.update(error="refused", error_since=timezone.now())
    assert "Nobody has looked" not in text(client.get(BANNER))


@pytest.mark.usefixtures("commander")
def test_alarms_at_scale_ask_the_same_questions(client, clock, django_assert_max_num_queries):
    make_correction()
    for number in range(2, 30):
        gateways.tell(gateways.report(f"gateway-{number}"))
    raise_silence_many = timezone.now() + timedelta(seconds=6)
    clock.move_to(raise_silence_many, tick=False)
    answer()
    alarms.settle(now=timezone.now())

    with django_assert_max_num_queries(5):
        shown = text(client.get(BANNER))

    assert "and 26 more alarms" in shown
    with django_assert_max_num_queries(5):
        client.get(ALARMS)


# The chart


def chart(client, correction, window="hour"):
    return client.get(url("detail", correction), {"window": window, "part": "log"}).context["chart"]


def figures(shown):
    return {figure.label: figure.value for figure in shown.figures}


@pytest.mark.usefixtures("commander")
def test_the_chart_counts_requests_users_and_organisations(client):
    correction = make_correction()
    traffic.take_in(
        [
            *[refused(correction, user="alice") for _ in range(3)],
            refused(correction, user="bob"),
            refused(correction, user="bob", organisation="globex", ago=1800),
        ],
        now=timezone.now(),
    )

    shown = chart(client, correction)

    assert figures(shown) == {"Refused": 5, "Users touched": 3, "Organisations touched": 2}
    assert sum(1 for part in shown.parts if part.kind == "refused") >= 2
    assert "refused 5; 3 users of 2 organisations touched" in shown.summary


@pytest.mark.usefixtures("commander")
def test_a_dry_run_shows_what_it_would_refuse_with_examples_and_no_content(client):
    correction = make_correction(mode="shadow")
    traffic.take_in([said(shadow=(correction.policy_id,), tools=("search",))], now=timezone.now())

    page = text(client.get(url("detail", correction)))

    assert "What it would have done" in page
    assert figures(chart(client, correction))["Would be refused"] == 1
    assert "alice of acme (chat, writing)" in page
    assert "chat.completions of aurora-large, offering search" in page


@pytest.mark.usefixtures("commander")
def test_the_newest_requests_are_shown_whatever_was_done_to_them(client):
    correction = make_correction()
    traffic.take_in(
        [
            *[refused(correction, user=f"old-{n}", ago=600 + n) for n in range(9)],
            said(user="dry", shadow=(correction.policy_id,), ago=20),
            refused(correction, user="late", ago=10),
            said(user="seen", flagged=(correction.policy_id,), ago=5),
        ],
        now=timezone.now(),
    )

    shown = chart(client, correction).examples

    assert [each.who.split()[0] for each in shown] == ["seen", "late", "dry", "old-0", "old-1"]
    assert [each.outcome for each in shown][:3] == ["Flagged", "Refused", "Would be refused"]


@pytest.mark.usefixtures("commander")
def test_an_empty_chart_says_so(client):
    shown = text(client.get(url("detail", make_correction()), {"part": "log"}))

    assert "Nothing in this time" in shown


@pytest.mark.usefixtures("commander")
def test_a_draft_has_no_chart(client):
    assert client.get(url("detail", make_draft())).context["detail"].chart is None


@pytest.mark.usefixtures("commander")
@pytest.mark.parametrize("window", ["hour", "day", "life", "nonsense", ""])
def test_every_window_has_a_table_that_says_the_same(client, window):
    correction = make_correction()
    traffic.take_in([refused(correction) for _ in range(4)], now=timezone.now())

    shown = chart(client, correction, window)

    assert sum(column.refused for _, column in shown.rows) == 4
    assert len(shown.labels) == 5


@pytest.mark.usefixtures("commander")
@pytest.mark.parametrize("days", [0, 2, 40, 400, 3000])
def test_a_whole_life_fits_into_about_sixty_columns(client, clock, days):
    correction = make_correction()
    traffic.take_in([refused(correction)], now=timezone.now())
    client.logout()
    clock.shift(timedelta(days=days))
    client.force_login(make_commander())

    shown = chart(client, correction, "life")

    assert figures(shown)["Refused"] == 1
    assert shown.users.count(",") <= 110


@pytest.mark.usefixtures("commander")
def test_the_bars_stay_within_the_picture(client):
    correction = make_correction()
    for minute in range(50):
        traffic.take_in(
            [refused(correction, ago=60 * minute) for _ in range(minute * 3 % 17)], now=timezone.now()
        )

    for part in chart(client, correction).parts:
        assert 0 <= part.x <= part.x + part.width <= 600
        assert -1 <= part.y <= part.y + part.height <= 101


@pytest.mark.usefixtures("commander")
def test_what_was_let_through_stands_on_the_page_with_examples(client, clock):
    correction = make_correction(users={"users": ["alice"]})
    clock.shift(timedelta(seconds=30))
    version = fresh(correction).policy_version
    traffic.take_in([said(policy=version)], now=timezone.now())
    alarms.settle(now=timezone.now())

    page = text(client.get(url("detail", correction)))

    assert "Let through although it refuses them" in page
    assert "gateway-1, answered 200 by policy 1" in page
    alarm = Alarm.objects.get(kind="ALLOWED")
    assert alarm.get_absolute_url() in page
    assert "alice of acme" in text(client.get(alarm.get_absolute_url()))


@pytest.mark.usefixtures("commander")
def test_a_hundred_thousand_counts_ask_no_more_than_none(client, django_assert_max_num_queries):
    correction = make_correction()
    fill(correction, 100_000)

    with django_assert_max_num_queries(13):  # one for when its life began
        page = client.get(url("detail", correction), {"window": "life"})

    assert figures(page.context["detail"].chart)["Refused"] == 100_000
    assert RefusalCount.objects.count() == 100_000


def fill(correction, rows):
    """Counts of a busy day: a hundred users, a thousand minutes."""
    begun = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=1000)
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO corrections_refusalcount (correction, minute, organisation, "user", refused, shadow,'
            " warned, flagged) SELECT %s, %s + make_interval(mins => n / 100), 'org-' || n %% 10,"
            " 'user-' || n %% 100, 1, 0, 0, 0 FROM generate_series(0, %s - 1) AS n",
            [correction.policy_id, begun, rows],
        )


def test_acknowledging_needs_a_signed_in_person(client, clock):
    make_correction()
    alarm = raise_silence(clock)

    answered = client.post(reverse("corrections:acknowledge", args=[alarm.pk]))

    assert answered.status_code == HTTPStatus.FOUND
    assert Alarm.objects.get().acknowledged_at is None
    assert actions.acknowledge_alarm(alarm_id=alarm.pk, by=make_officer()).acknowledged_at
