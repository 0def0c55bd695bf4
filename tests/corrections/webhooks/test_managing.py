"""Who may do what with webhooks, by action, page and API."""

import json
from http import HTTPStatus

import pytest
from django.urls import reverse

from corrections.models import Gateway
from corrections.webhooks import actions, policies
from corrections.webhooks.models import Delivery, Endpoint, Secret
from irapp.accounts.models import RoleCode, Scope
from irapp.audit.models import Event
from irapp.common.errors import ConflictError, InvalidError, NotPermittedError
from tests.corrections.calling import caller
from tests.corrections.factories import make_correction
from tests.irapp.factories import make_user

pytestmark = pytest.mark.django_db
MAY, NOT, CONFLICT = None, NotPermittedError, ConflictError
RULES = {
    "change": policies.check_can_change,
    "ping": policies.check_can_ping,
    "pause": policies.check_can_pause,
    "resume": policies.check_can_resume,
}


@pytest.mark.parametrize("role", list(RoleCode))
def test_only_administrators_manage_webhooks_and_everybody_with_a_role_sees_them(role):
    user = make_user(role)

    policies.check_can_see(user)
    if role == RoleCode.ADMINISTRATOR:
        policies.check_can_manage(user)
    else:
        with pytest.raises(NotPermittedError):
            policies.check_can_manage(user)


def test_whoever_holds_no_role_sees_nothing():
    with pytest.raises(NotPermittedError):
        policies.check_can_see(make_user())


@pytest.mark.parametrize(
    ("rule", "sending", "paused", "removed"),
    [
        ("change", MAY, MAY, CONFLICT),
        ("ping", MAY, MAY, CONFLICT),
        ("pause", MAY, CONFLICT, CONFLICT),
        ("resume", CONFLICT, MAY, CONFLICT),
    ],
)
def test_what_an_administrator_may_do_in_each_state(add, admin, rule, sending, paused, removed):
    endpoint = add()
    found = []
    for expected, step in (
        (sending, None),
        (paused, actions.pause_endpoint),
        (removed, actions.remove_endpoint),
    ):
        if step:
            step(endpoint_id=endpoint.pk, reason="Because.", by=admin)
        found.append((expected, outcome(rule, endpoint.pk, admin)))

    assert [got for _, got in found] == [want for want, _ in found]


def outcome(rule, pk, user):
    try:
        RULES[rule](Endpoint.objects.get(pk=pk), user)
    except (NotPermittedError, ConflictError) as error:
        return type(error)
    return None


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"name": ""}, "name", "invalid"),
        ({"name": "white space"}, "name", "invalid"),
        ({"name": "-edge"}, "name", "invalid"),
        ({"name": "x" * 64}, "name", "invalid"),
        ({"name": "gateway-1"}, "name", "taken"),
        ({"url": "https://10.0.0.5/"}, "url", "address_refused"),
        ({"url": "https://169.254.169.254/latest/"}, "url", "address_refused"),
        ({"url": "http://example.org/"}, "url", "invalid"),
    ],
)
def test_bad_input_is_named_by_its_field(admin, changes, field, code):
    Gateway.objects.create(name="gateway-1")
    given = {"name": "edge", "url": "https://127.0.0.1/", "required": True} | changes

    with pytest.raises(InvalidError) as refused:
        actions.add_endpoint(by=admin, **given)

    assert (refused.value.field, refused.value.code) == (field, code)
    assert not Endpoint.objects.exists()


def test_a_name_is_never_given_again(add, admin, receiver):
    endpoint = add("edge")
    actions.remove_endpoint(endpoint_id=endpoint.pk, reason="Gone.", by=admin)

    with pytest.raises(InvalidError):
        actions.add_endpoint(name="edge", url=receiver.url, required=True, by=admin)


def test_what_is_removed_forgets_its_secrets_and_its_word_counts_no_more(add, admin):
    endpoint = add()

    actions.remove_endpoint(endpoint_id=endpoint.pk, reason="Decommissioned.", by=admin)

    assert not Secret.objects.exists()
    assert not Gateway.objects.expected().exists()
    told = Event.objects.get(verb="webhook.removed")
    assert (told.data["reason"], told.actor_id) == ("Decommissioned.", admin.pk)


def test_a_ping_says_what_the_receiver_holds_and_is_on_the_record(add, admin, receiver):
    endpoint = add()

    outcome = actions.ping_endpoint(endpoint_id=endpoint.pk, by=admin)

    ((event, _),) = receiver.seen
    assert (event["type"], outcome.held, outcome.error) == ("ping", None, "")
    assert Event.objects.filter(verb="webhook.pinged", actor_id=admin.pk).exists()


def test_the_page_shows_the_secret_once_and_never_again(client, admin, receiver):
    client.force_login(admin)
    shown = client.post(reverse("webhooks:add"), {"name": "edge", "url": receiver.url, "required": "on"})
    endpoint = Endpoint.objects.get()

    pages = [
        client.get(reverse(f"webhooks:{name}", args=args))
        for name, args in (("list", []), ("detail", [endpoint.pk]))
    ]

    assert "whsec_" in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    assert [page.status_code for page in pages] == [200, 200]
    assert not any("whsec_" in page.content.decode() for page in pages)


def test_the_add_page_names_what_is_wrong(client, admin):
    client.force_login(admin)

    answer = client.post(reverse("webhooks:add"), {"name": "edge", "url": "http://example.org/"})

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "loopback only" in answer.content.decode()


def test_the_page_tells_deliveries_errors_and_that_nothing_is_observed(client, admin, add, receiver, deliver):
    endpoint = add()
    receiver.answers = [(500, b"out of order")]
    make_correction()
    deliver()
    client.force_login(admin)

    page = client.get(reverse("webhooks:detail", args=[endpoint.pk])).content.decode()

    assert "It answered 500: out of order" in page
    assert "policy.published" in page
    assert "taken on its word" in page
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize(
    "step", ["pause", "resume", "require", "unrequire", "remove", "rotate", "ping", "add"]
)
def test_pages_refuse_whoever_is_not_administrator(client, add, admin, step):
    endpoint = add()
    if step == "resume":
        actions.pause_endpoint(endpoint_id=endpoint.pk, reason="x", by=admin)
    client.force_login(make_user(RoleCode.COMMANDER))
    address = reverse(f"webhooks:{step}", args=[] if step == "add" else [endpoint.pk])

    answer = client.post(
        address, {"reason": "x", "overlap_hours": "1", "name": "n", "url": "https://127.0.0.1/"}
    )

    assert answer.status_code == HTTPStatus.FORBIDDEN


def test_every_step_of_an_endpoint_works_by_its_pages(client, add, admin):
    endpoint = add()
    client.force_login(admin)

    for step, given in (
        ("pause", {"reason": "Maintenance."}),
        ("resume", {}),
        ("unrequire", {}),
        ("require", {}),
        ("ping", {}),
        ("rotate", {"overlap_hours": "24"}),
        ("remove", {"reason": "Gone."}),
    ):
        address = reverse(f"webhooks:{step}", args=[endpoint.pk])
        if step != "ping":
            assert client.get(address).status_code == HTTPStatus.OK, step
        answer = client.post(address, given)
        assert answer.status_code in {HTTPStatus.FOUND, HTTPStatus.OK}, (step, answer.content)

    verbs = list(
        Event.objects.filter(verb__startswith="webhook.").order_by("pk").values_list("verb", flat=True)
    )
    assert verbs == [
        f"webhook.{each}"
        for each in (
            "added",
            "paused",
            "resumed",
            "not_required",
            "required",
            "pinged",
            "secret_rotated",
            "removed",
        )
    ]


def test_the_list_asks_the_same_questions_for_ten_webhooks_as_for_one(client, admin, receiver):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.force_login(admin)
    counts = []
    for number in range(10):
        actions.add_endpoint(name=f"edge-{number}", url=receiver.url, required=True, by=admin)
        if number in {0, 9}:
            with CaptureQueriesContext(connection) as asked:
                client.get(reverse("webhooks:list"))
            counts.append(len(asked))

    assert counts[0] == counts[1]


def test_a_token_reads_and_never_changes_where_policies_go(client, add):
    endpoint = add()
    call = caller(client)
    admin = make_user(RoleCode.ADMINISTRATOR)

    listed = call("get", "/webhooks/", user=admin, scopes=[Scope.CORRECTIONS_READ])
    one = call("get", f"/webhooks/{endpoint.pk}/", user=admin, scopes=[Scope.CORRECTIONS_READ])
    steps = [f"/webhooks/{endpoint.pk}/{step}/" for step in ("rotate", "ping", "pause", "remove")]
    given = {"name": "x", "url": "https://127.0.0.1/", "reason": "x"}
    tried = [call("post", path, given, user=admin, scopes=list(Scope)) for path in ("/webhooks/", *steps)]

    assert listed.json()["results"][0]["name"] == "edge"
    assert "secret" not in json.dumps(one.json())
    assert {answer.status_code for answer in tried} == {HTTPStatus.FORBIDDEN}


def test_a_signed_in_administrator_manages_by_the_api(client, admin, receiver):
    client.force_login(admin)
    added = client.post(
        "/api/v1/webhooks/", {"name": "edge", "url": receiver.url}, content_type="application/json"
    )
    receiver.secret = added.json()["secret"]
    pk = added.json()["id"]

    def post(step, body=None):
        return client.post(f"/api/v1/webhooks/{pk}/{step}/", body or {}, content_type="application/json")

    assert added.status_code == HTTPStatus.CREATED
    assert added["Cache-Control"] == "no-store"
    assert post("ping").json()["acknowledged"]
    assert post("rotate", {"overlap_hours": 1}).json()["secret"].startswith("whsec_")
    assert post("pause", {"reason": "x"}).json()["paused_because"] == "x"
    assert post("resume").json()["paused_at"] is None
    assert post("require", {"required": False}).json()["required"] is False
    assert post("remove", {"reason": "x"}).json()["removed_at"]
    assert post("ping").status_code == HTTPStatus.CONFLICT
