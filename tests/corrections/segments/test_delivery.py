"""Attachments on their way to a real enforcement service."""

from datetime import timedelta

import pytest

from corrections.models import Hub, PolicyVersion
from corrections.publishing import delivery
from corrections.publishing.attachments import stored
from corrections.publishing.client import HubClient, HubError
from corrections.publishing.compile import publish
from corrections.publishing.delivery import DeliveryError
from corrections.segments import contents
from corrections.segments.models import Attachment
from corrections.segments.selectors import members
from corrections.states import State
from enforcement import policy
from irapp.audit import outbox
from irapp.audit.models import OutboxItem
from tests.corrections import hub
from tests.corrections.factories import make_correction
from tests.corrections.segments.factories import add, fresh, lists_of, make_patterns, make_segment, many
from tests.enforcement.hub_process import HubProcess

pytestmark = pytest.mark.django_db


@pytest.fixture
def service(tmp_path, settings, monkeypatch):
    monkeypatch.setattr(delivery, "READ_BACK", timedelta(0))
    with hub.running(tmp_path / "hub", settings) as process:
        yield process


def blocked(segment):
    named = {"narrower_rejected": "They are this many."}
    return make_correction(state=State.ENFORCING, users={"lists": lists_of(segment)}, **named)


def held_by(process):
    said = process.get("/v1/status").json["policy"]
    return said["version"] if said else None


def has(process, digest):
    return HubClient(hub.address(process)).has_attachment(digest)


def base(segment):
    return members.packing_of(members.version_of(fresh(segment))).base_id


def owed(handler):
    return [item.payload for item in OutboxItem.objects.filter(handler=handler).order_by("pk")]


def carry_out(handler):
    for payload in owed(handler):
        outbox._handlers[handler].run(payload, 0)


def test_a_hub_that_lacks_an_attachment_is_given_it_with_the_policy(service):
    segment = make_segment("alice", "bob")
    blocked(segment)
    assert not has(service, base(segment))

    delivery.deliver()

    assert held_by(service) == PolicyVersion.objects.first().version
    raw = service.get(f"/v1/attachments/{base(segment)}").raw
    assert raw == b"alice\nbob\n"
    assert Hub.objects.get().error == ""


def test_delivering_again_is_as_good_as_once(service):
    blocked(make_segment("alice"))

    delivery.deliver()
    delivery.deliver()

    assert held_by(service) == PolicyVersion.objects.first().version


def test_an_import_is_sent_ahead_so_that_a_decision_need_not_wait(service, monkeypatch):
    segment = make_segment("alice")
    carry_out("attachments.deliver")
    assert has(service, base(segment))
    blocked(segment)
    put = []
    monkeypatch.setattr(HubClient, "put_attachment", lambda *args: put.append(args))

    delivery.deliver()

    assert put == []
    assert held_by(service) == PolicyVersion.objects.first().version


def test_one_more_subject_of_many_travels_alone(service, monkeypatch):
    segment = make_segment(*many(1500))
    blocked(segment)
    delivery.deliver()
    plain, sent = HubClient.put_attachment, []

    def put(client, digest, raw):
        sent.append(len(raw))
        plain(client, digest, raw)

    monkeypatch.setattr(HubClient, "put_attachment", put)
    add(segment, "the-one-more")
    blocked(segment)

    delivery.deliver()

    assert sent == [len("the-one-more\n")]


def test_a_hub_that_is_away_gets_everything_on_the_retry(service):
    segment = make_segment("alice")
    blocked(segment)
    service.end()
    with pytest.raises(DeliveryError):
        delivery.deliver()
    with pytest.raises(DeliveryError):
        carry_out("attachments.deliver")

    service.start()
    delivery.deliver()
    carry_out("attachments.deliver")

    assert has(service, base(segment))
    assert held_by(service) == PolicyVersion.objects.first().version


def test_each_hub_gets_what_it_lacks(service, tmp_path, settings):
    (tmp_path / "other").mkdir()
    other = HubProcess(tmp_path / "other")
    other.start()
    try:
        settings.ENFORCEMENT_URLS = [*settings.ENFORCEMENT_URLS, hub.address(other)]
        segment = make_segment("alice")
        HubClient(hub.address(other)).put_attachment(base(segment), b"alice\n")
        blocked(segment)

        delivery.deliver()

        assert [held_by(each) for each in (service, other)] == [PolicyVersion.objects.first().version] * 2
    finally:
        other.end()


def test_a_policy_whose_attachment_is_not_stored_is_an_error_of_that_hub_and_nothing_else(
    service, monkeypatch
):
    blocked(make_segment("alice"))

    def gone(digest, **_):
        raise contents.NotStoredError(f"{digest}: the attachment is not at hand")

    monkeypatch.setattr(contents, "raw", gone)
    with pytest.raises(DeliveryError, match="not at hand"):
        delivery.deliver()

    assert "not at hand" in Hub.objects.get().error


def test_a_hub_that_goes_on_asking_is_not_asked_for_ever(service, monkeypatch):
    blocked(make_segment("alice"))
    monkeypatch.setattr(HubClient, "put_attachment", lambda *_: None)

    with pytest.raises(DeliveryError, match="missing_attachments"):
        delivery.deliver()


def test_bytes_that_are_not_what_they_are_called_are_refused_by_the_hub(service):
    with pytest.raises(HubError, match="bad_attachment"):
        HubClient(hub.address(service)).put_attachment("sha256:" + "0" * 64, b"alice\n")


def test_pattern_sets_travel_the_same_way(service):
    register = make_patterns("sarin")
    version = register.versions.get()
    patterns = {"attachment": version.attachment_id, "name": "x", "version": 1}
    make_correction(
        state=State.ENFORCING,
        kind="input_filter",
        parameters={"patterns": patterns, "action": "block", "threshold": 1},
        users={"users": ["alice"]},
        expected_false_positive_percent=0.1,
    )

    delivery.deliver()

    assert held_by(service) == PolicyVersion.objects.first().version
    assert has(service, version.attachment_id)


def test_a_published_policy_does_not_change_when_the_segment_does():
    segment = make_segment("alice")
    correction = blocked(segment)
    before = PolicyVersion.objects.first()

    add(segment, "bob")
    assert publish(by=None, now=correction.approved_at + timedelta(hours=1)).version == before.version


def test_decisions_in_the_application_read_what_is_stored():
    segment = make_segment("alice", "bob")
    register = make_patterns("sarin")

    assert stored().subjects(base(segment)) == {"alice", "bob"}
    digest = register.versions.get().attachment_id
    assert [pattern.text for pattern in stored().patterns(digest).patterns] == ["sarin"]
    for missing in (LookupError, policy.PolicyError):
        with pytest.raises(missing):
            stored().subjects("sha256:" + "1" * 64)
    with pytest.raises(LookupError):
        stored().subjects(digest)


def test_what_was_read_once_is_not_read_again(django_assert_num_queries):
    digest = base(make_segment("alice", "zoe"))
    stored().subjects(digest)

    with django_assert_num_queries(0):
        stored().subjects(digest)
    assert Attachment.objects.filter(digest=digest).exists()
