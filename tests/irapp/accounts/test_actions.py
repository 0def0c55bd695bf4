from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest
from django.contrib.auth import authenticate
from django.db import connection
from django.test import RequestFactory

from irapp.accounts import actions, policies
from irapp.accounts.models import ApiToken, RoleCode, RoleGrant, Scope, User
from irapp.audit.models import Event
from irapp.common.errors import ConflictError, InvalidError, NotPermittedError
from tests.irapp.factories import PASSWORD, make_token, make_user

pytestmark = pytest.mark.django_db
ADMINISTRATOR, AUDITOR, EXECUTIVE = RoleCode.ADMINISTRATOR, RoleCode.AUDITOR, RoleCode.EXECUTIVE


@pytest.fixture
def admin():
    return make_user(ADMINISTRATOR, name="Adam Brandt")


def test_a_role_that_is_given_counts_at_once_and_is_on_the_record(admin):
    person = make_user()

    given = actions.grant_role(user_id=person.pk, role=EXECUTIVE, by=admin)

    assert given.has_role(EXECUTIVE)
    event = Event.objects.get(verb="person.role_granted")
    assert (event.target_id, event.actor_id, event.data) == (person.pk, admin.pk, {"role": "EXECUTIVE"})


def test_a_role_that_is_taken_ends_at_once_and_stays_in_the_history(admin):
    person = make_user(EXECUTIVE)

    taken = actions.revoke_role(user_id=person.pk, role=EXECUTIVE, by=admin)

    assert not taken.has_role(EXECUTIVE)
    assert taken.current_roles == []
    assert RoleGrant.objects.get(user=person).ends_at
    with pytest.raises(ConflictError, match="does not hold"):
        actions.revoke_role(user_id=person.pk, role=EXECUTIVE, by=admin)


@pytest.mark.parametrize("role", [code for code in RoleCode if code != ADMINISTRATOR])
def test_only_administrators_give_roles(role):
    with pytest.raises(NotPermittedError):
        actions.grant_role(user_id=make_user().pk, role=EXECUTIVE, by=make_user(role))

    assert not Event.objects.exists()


def test_nobody_changes_their_own_roles_not_even_by_another_account_of_theirs(admin):
    other = make_user(person=admin.person)
    make_user(ADMINISTRATOR)

    for account in (admin, other):
        with pytest.raises(NotPermittedError, match="own"):
            actions.grant_role(user_id=account.pk, role=EXECUTIVE, by=admin)
    with pytest.raises(NotPermittedError, match="own"):
        actions.revoke_role(user_id=admin.pk, role=ADMINISTRATOR, by=admin)


def test_an_auditor_holds_no_other_role(admin):
    for held, wanted in ((AUDITOR, EXECUTIVE), (EXECUTIVE, AUDITOR)):
        with pytest.raises(ConflictError, match="auditor holds no other"):
            actions.grant_role(user_id=make_user(held).pk, role=wanted, by=admin)


def test_an_unknown_role_is_named_at_its_field(admin):
    with pytest.raises(InvalidError) as refused:
        actions.grant_role(user_id=make_user().pk, role="KING", by=admin)

    assert refused.value.field == "role"


def test_the_last_administrator_cannot_be_removed(admin):
    # Somebody whose own role has gone since the page was loaded is the only way to get here alone.
    leaving = make_user(ADMINISTRATOR)
    assert leaving.has_role(ADMINISTRATOR)
    RoleGrant.objects.filter(user=leaving).delete()

    with pytest.raises(ConflictError, match="last administrator"):
        actions.revoke_role(user_id=admin.pk, role=ADMINISTRATOR, by=leaving)
    with pytest.raises(ConflictError, match="last administrator"):
        actions.set_active(user_id=admin.pk, active=False, by=leaving)


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_remove_each_other_at_once_leave_one(monkeypatch):
    pair = [make_user(ADMINISTRATOR), make_user(ADMINISTRATOR)]
    assert all(one.has_role(ADMINISTRATOR) for one in pair)  # known since their requests began
    both = Barrier(2)
    counted = actions.roles.keep_an_administrator

    def count_when_both_are_there(person):
        with suppress(BrokenBarrierError):
            both.wait(timeout=0.5)
        counted(person)

    def remove(by, other):
        try:
            actions.revoke_role(user_id=other.pk, role=ADMINISTRATOR, by=by)
        except ConflictError:
            return False
        finally:
            connection.close()
        return True

    monkeypatch.setattr(actions.roles, "keep_an_administrator", count_when_both_are_there)
    with ThreadPoolExecutor(2) as pool:
        removed = list(pool.map(remove, pair, reversed(pair)))

    assert sorted(removed) == [False, True]


def test_whoever_is_shut_out_is_out_with_their_tokens(admin):
    person = make_user(EXECUTIVE, password=PASSWORD)
    make_token(person, Scope.EVENTS_READ)

    actions.set_active(user_id=person.pk, active=False, by=admin)

    assert not User.objects.get(pk=person.pk).has_role(EXECUTIVE)
    assert not ApiToken.objects.exists()
    request = RequestFactory().post("/sign-in/")
    assert authenticate(request, username=person.username, password=PASSWORD) is None
    assert actions.set_active(user_id=person.pk, active=True, by=admin).has_role(EXECUTIVE)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"username": "Taken"}, "username"),
        ({"username": "two words"}, "username"),
        ({"username": ""}, "username"),
        ({"name": "  "}, "name"),
        ({"name": "x" * 151}, "name"),
        ({"email": "nowhere"}, "email"),
        ({"password": "short"}, "password"),
    ],
)
def test_wrong_entries_are_named_at_their_field(admin, wrong, field):
    make_user(username="taken")

    with pytest.raises(InvalidError) as refused:
        actions.add_person(**{"username": "new", "name": "New Person", "by": admin} | wrong)

    assert refused.value.field == field
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("roles", "code"), [([], "read_only"), ([AUDITOR], "read_only"), ([RoleCode.RESPONDER], "")]
)
def test_only_somebody_with_a_role_that_acts_may_act(roles, code):
    user = make_user(*roles)

    assert bool(policies.why_not(policies.check_can_act, user)) == bool(code)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"label": " "}, "label"),
        ({"label": "x" * 81}, "label"),
        ({"label": "pager"}, "label"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"days": 0}, "days"),
        ({"days": 366}, "days"),
    ],
)
def test_a_token_without_name_scope_or_end_in_reach_is_refused(wrong, field):
    user = make_user(RoleCode.RESPONDER)
    actions.create_token(label="pager", scopes=[Scope.SIGNALS_WRITE], days=1, by=user)

    with pytest.raises(InvalidError) as refused:
        actions.create_token(
            **{"label": "new", "scopes": [Scope.SIGNALS_WRITE], "days": 30, "by": user} | wrong
        )

    assert refused.value.field == field


def test_the_secret_of_a_token_is_kept_nowhere():
    user = make_user(RoleCode.RESPONDER)

    token, secret = actions.create_token(label="pager", scopes=[Scope.SIGNALS_WRITE], days=1, by=user)

    kept = str(ApiToken.objects.values().get()) + str(list(Event.objects.values()))
    assert secret not in kept
    assert token.expiry


def test_an_auditor_gets_tokens_that_read_only():
    auditor = make_user(AUDITOR)

    actions.create_token(label="reader", scopes=[Scope.EVENTS_READ], by=auditor)
    with pytest.raises(NotPermittedError):
        actions.create_token(label="writer", scopes=[Scope.INCIDENTS_WRITE], by=auditor)


def test_nobody_but_its_owner_and_administrators_ends_a_token(admin):
    owner = make_user(RoleCode.RESPONDER)
    token, _ = actions.create_token(label="pager", scopes=[Scope.SIGNALS_WRITE], by=owner)

    with pytest.raises(NotPermittedError):
        actions.revoke_token(token_key=token.token_key, by=make_user(RoleCode.RESPONDER))
    actions.revoke_token(token_key=token.token_key, by=admin)

    assert not ApiToken.objects.exists()
