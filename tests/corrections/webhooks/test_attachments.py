"""A receiver fetches the lists that its policy names, and nothing else."""

import hashlib

import msgspec
import pytest
from django.urls import reverse

from corrections.models import PolicyVersion
from corrections.segments import registers
from corrections.webhooks import actions, messages
from tests.corrections.factories import decide, make_proposal
from tests.corrections.segments.factories import make_segment

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(add, deliver, receiver):
    """Let a policy that names a list be delivered; give what the receiver was told, and the address."""
    add()
    users, address = listed("alice", "bob")
    decide(make_proposal(users=users))
    deliver()
    return receiver.seen[-1][0]["data"], address


def listed(*names):
    """Begin a segment; give the users of a correction that names it, and the address of its list."""
    (found,) = registers.subject_lists(make_segment(*names).reference)
    return {"lists": [msgspec.to_builtins(found)]}, found.attachment


def fetch(client, url, authorization=""):
    headers = {"authorization": authorization} if authorization else {}
    return client.get(url.removeprefix("http://localhost:8000"), headers=headers)


def test_what_a_policy_names_is_fetched_with_the_ticket_that_came_with_it(client, told):
    data, address = told
    (named,) = data["attachments"]

    answer = fetch(client, named["url"], data["attachments_authorization"])

    assert named["digest"] == address
    assert answer.status_code == 200
    assert "sha256:" + hashlib.sha256(answer.content).hexdigest() == address
    assert answer.content == b"alice\nbob\n"


def test_without_a_ticket_or_with_a_forged_or_old_one_nothing_is_given(client, told, clock):
    data, _ = told
    url, ticket = data["attachments"][0]["url"], data["attachments_authorization"]

    assert fetch(client, url).status_code == 401
    assert fetch(client, url, "Bearer nonsense").status_code == 401
    assert fetch(client, url, ticket[:-2] + "xx").status_code == 401
    clock.shift(24 * 3600 + 1)
    assert fetch(client, url, ticket).status_code == 401


def test_a_ticket_opens_only_what_its_policy_names(client, told):
    data, _ = told
    _, other = listed("carol")

    url = reverse("webhook-attachment-detail", args=[other])

    assert fetch(client, url, data["attachments_authorization"]).status_code == 404


def test_a_paused_or_removed_endpoint_gets_nothing(client, told, admin):
    from corrections.webhooks.models import Endpoint

    data, _ = told
    url, ticket = data["attachments"][0]["url"], data["attachments_authorization"]

    actions.pause_endpoint(endpoint_id=Endpoint.objects.get().pk, reason="x", by=admin)

    assert fetch(client, url, ticket).status_code == 401


def test_a_policy_without_attachments_brings_no_ticket(add):
    from django.utils import timezone

    endpoint = add()
    decide(make_proposal())

    body = messages.published(endpoint, PolicyVersion.objects.first(), now=timezone.now())

    assert b"attachments" not in body
