import re
from http import HTTPStatus

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse

from irapp.accounts import demo
from irapp.accounts.models import ApiToken, RoleCode, Scope, User
from irapp.audit.models import Event
from tests.irapp.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
LOGIN = "/sign-in/"
STRONG = "a-long-and-strange-sentence"


@pytest.fixture
def admin(client):
    person = make_user(RoleCode.ADMINISTRATOR, name="Adam Brandt")
    client.force_login(person)
    return person


def sign_in(client, username, password=PASSWORD, **rest):
    return client.post(LOGIN, {"username": username, "password": password, **rest})


def test_somebody_signs_in_goes_where_they_wanted_and_signs_out(client):
    person = make_user(RoleCode.RESPONDER, password=PASSWORD)

    entered = sign_in(client, person.username, next="/accounts/")
    assert entered["Location"] == "/accounts/"
    assert client.get("/accounts/").status_code == HTTPStatus.OK

    assert client.post("/sign-out/")["Location"] == LOGIN
    assert client.get("/accounts/").status_code == HTTPStatus.FOUND


def test_a_wrong_password_says_so_and_tells_nothing_about_the_account(client):
    make_user(username="rosa", password=PASSWORD)

    known, unknown = sign_in(client, "rosa", "wrong"), sign_in(client, "nobody", "wrong")

    assert known.status_code == unknown.status_code == HTTPStatus.OK
    strip = re.compile(rb'value="[^"]*"|nonce="[^"]*"')
    assert strip.sub(b"", known.content) == strip.sub(b"", unknown.content)
    assert b"Please enter a correct" in known.content


def test_five_wrong_passwords_lock_the_account_on_the_record_and_an_administrator_unlocks_it(client, admin):
    person = make_user(username="rosa", password=PASSWORD)
    client.logout()
    for _ in range(4):
        sign_in(client, "rosa", "wrong")
    fifth = sign_in(client, "rosa", "wrong")

    assert fifth.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert b"Locked out for now" in fifth.content
    assert sign_in(client, "rosa").status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert Event.objects.filter(verb="person.locked_out", target_id=person.pk).exists()

    client.force_login(admin)
    assert b"Locked out" in client.get(reverse("accounts:people")).content
    client.post(reverse("accounts:unlock", args=[person.pk]))
    client.logout()
    assert sign_in(client, "rosa").status_code == HTTPStatus.FOUND


def test_signing_in_never_leads_to_a_foreign_address(client):
    make_user(username="rosa", password=PASSWORD)

    assert sign_in(client, "rosa", next="https://evil.example/")["Location"] == "/"


def test_demo_people_are_shown_in_the_demo_only(client, settings):
    settings.DEMO = True
    assert b"demo-rosa-2026" in client.get(LOGIN).content
    settings.DEMO = False
    assert b"demo-" not in client.get(LOGIN).content


def test_demo_people_are_never_made_outside_the_demo(settings):
    settings.DEMO = False

    with pytest.raises(ImproperlyConfigured):
        demo.seed()

    assert not User.objects.exists()


def test_seeding_twice_makes_nobody_twice_and_each_can_sign_in(client, settings):
    settings.DEMO = True
    demo.seed()
    demo.seed()

    assert User.objects.count() == len(demo.PEOPLE)
    for one in demo.PEOPLE:
        assert sign_in(client, one.username, one.password).status_code == HTTPStatus.FOUND
        assert User.objects.get(username=one.username).role_codes == {one.role}
        client.post("/sign-out/")


def test_a_person_is_added_invited_and_chooses_a_password_once(client, admin):
    added = client.post(reverse("accounts:create"), {"username": "grace", "name": "Grace Moss"})
    person = User.objects.get(username="grace")
    assert added["Location"] == reverse("accounts:person", args=[person.pk])
    client.post(reverse("accounts:grant", args=[person.pk]), {"role": RoleCode.RESPONDER})
    page = client.post(reverse("accounts:invite", args=[person.pk]))
    link = re.search(r"http://testserver(/accounts/welcome/[^<]+)<", page.content.decode())[1]
    assert "no-store" in page["Cache-Control"]

    client.logout()
    form = client.get(link, follow=True)
    address = form.redirect_chain[-1][0]
    weak = client.post(address, {"new_password1": "grace", "new_password2": "grace"})
    assert b"too short" in weak.content
    client.post(address, {"new_password1": STRONG, "new_password2": STRONG})

    assert sign_in(client, "grace", STRONG).status_code == HTTPStatus.FOUND
    client.post("/sign-out/")
    assert b"This link does not work" in client.get(link, follow=True).content
    verbs = set(Event.objects.filter(target_id=person.pk).values_list("verb", flat=True))
    assert verbs >= {"person.added", "person.role_granted", "person.invited", "person.password_chosen"}


def test_a_name_that_is_taken_is_shown_at_its_field_and_what_was_typed_stays(client, admin):
    make_user(username="rosa")

    page = client.post(reverse("accounts:create"), {"username": "ROSA", "name": "Rosa Keil"})

    assert page.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert b"Somebody has this user name already" in page.content
    assert b'value="Rosa Keil"' in page.content


def test_an_administrator_finds_nothing_to_press_on_their_own_page(client, admin):
    page = client.get(reverse("accounts:person", args=[admin.pk]))

    assert b"cannot change your own roles" in page.content
    assert b"accounts/people/" in page.content
    assert reverse("accounts:revoke", args=[admin.pk]).encode() not in page.content


def test_a_refusal_of_a_role_names_its_reason(client, admin):
    auditor = make_user(RoleCode.AUDITOR)

    page = client.post(reverse("accounts:grant", args=[auditor.pk]), {"role": RoleCode.EXECUTIVE})

    assert page.status_code == HTTPStatus.CONFLICT
    assert b"An auditor holds no other role" in page.content


def test_auditors_see_people_and_can_press_nothing(client):
    client.force_login(make_user(RoleCode.AUDITOR))
    person = make_user(RoleCode.EXECUTIVE, name="Edgar Stone")

    assert b"Edgar Stone" in client.get(reverse("accounts:people")).content
    page = client.get(reverse("accounts:person", args=[person.pk]))
    main = page.content.partition(b"<main")[2]
    assert b"<form" not in main


def test_others_do_not_see_who_there_is(client):
    client.force_login(make_user(RoleCode.EXECUTIVE))

    assert client.get(reverse("accounts:people")).status_code == HTTPStatus.FORBIDDEN


def test_a_token_is_shown_once_works_and_ends_when_it_is_revoked(client):
    person = make_user(RoleCode.AUDITOR)
    client.force_login(person)
    asked = {"label": "reader", "scopes": [Scope.EVENTS_READ], "days": "30"}

    page = client.post(reverse("accounts:create_token"), asked)
    secret = re.search(r"<code>([0-9a-f]{64})</code>", page.content.decode())[1]
    assert "no-store" in page["Cache-Control"]
    own = client.get(reverse("accounts:profile")).content.decode()
    assert "reader" in own
    assert secret not in own

    client.logout()
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.get("/api/v1/events/", headers=headers).status_code == HTTPStatus.OK
    client.force_login(person)
    client.post(reverse("accounts:revoke_token"), {"key": ApiToken.objects.get().token_key})
    client.logout()
    assert client.get("/api/v1/events/", headers=headers).status_code in {401, 403}


def test_a_token_without_scopes_is_refused_at_the_field(client):
    client.force_login(make_user(RoleCode.RESPONDER))

    page = client.post(reverse("accounts:create_token"), {"label": "x", "days": "30"})

    assert page.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert b"May: This field is required" in page.content


def test_a_password_is_changed_by_whoever_knows_it_and_they_stay_signed_in(client):
    person = make_user(RoleCode.RESPONDER, password=PASSWORD)
    sign_in(client, person.username)
    asked = {"old_password": PASSWORD, "new_password1": STRONG, "new_password2": STRONG}

    wrong = client.post(reverse("accounts:password"), asked | {"old_password": "guess"})
    assert b"entered incorrectly" in wrong.content
    client.post(reverse("accounts:password"), asked)

    assert client.get(reverse("accounts:profile")).status_code == HTTPStatus.OK
    assert User.objects.get(pk=person.pk).check_password(STRONG)
    assert Event.objects.filter(verb="person.password_changed").count() == 1


def test_roles_of_the_past_are_not_shown_as_held(client, admin):
    person = make_user(RoleCode.EXECUTIVE, name="Edgar Stone")
    client.post(reverse("accounts:revoke", args=[person.pk]), {"role": RoleCode.EXECUTIVE})

    client.force_login(person)
    page = client.get(reverse("accounts:profile")).content
    assert b"You hold no role yet" in page
    assert b"No role" in page


def test_the_list_asks_the_same_questions_for_ten_people_as_for_one(client, admin, django_assert_num_queries):
    for number in range(10):
        make_user(RoleCode.RESPONDER, RoleCode.COMMANDER, name=f"Person {number}")

    with django_assert_num_queries(6):  # session, account, its roles, people, grants, lock-outs
        client.get(reverse("accounts:people"))
