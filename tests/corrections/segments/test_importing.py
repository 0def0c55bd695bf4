"""What becomes of a segment when subjects are taken in."""

import pytest

from corrections.segments import actions
from corrections.segments.models import Attachment, Mode, Packing, Segment, SegmentVersion
from corrections.segments.selectors import members
from enforcement import policy
from irapp.accounts.models import RoleCode
from irapp.audit.models import Event, OutboxItem
from irapp.common.errors import ConflictError, InvalidError, NotPermittedError
from tests.corrections.segments.factories import add, bring, fresh, make_segment, many, remove
from tests.irapp.factories import make_user

pytestmark = pytest.mark.django_db


def everybody(segment, number=None):
    return list(members.everybody(members.version_of(fresh(segment), number)))


def packing(segment):
    return members.packing_of(members.version_of(fresh(segment)))


def test_a_first_import_is_version_1_and_one_attachment():
    segment = make_segment("bob", "alice")

    version = segment.versions.get()
    attachment = Attachment.objects.get(digest=packing(segment).base_id)
    assert (segment.version, segment.count, version.number, version.added) == (1, 2, 1, 2)
    assert bytes(attachment.raw) == b"alice\nbob\n"
    assert attachment.digest == policy.address(b"alice\nbob\n")


def test_versions_keep_who_was_in_them():
    segment = make_segment("alice", "bob")
    add(segment, "carol")
    remove(segment, "alice")

    assert everybody(segment, 1) == ["alice", "bob"]
    assert everybody(segment, 2) == ["alice", "bob", "carol"]
    assert everybody(segment, 3) == ["bob", "carol"]


def test_replacing_adds_what_is_new_and_removes_the_rest():
    segment = make_segment("alice", "bob")

    version = bring(segment, "bob\ncarol\n", mode=Mode.REPLACE, revision=segment.revision)

    assert (version.added, version.removed, version.count) == (1, 1, 2)
    assert everybody(segment) == ["bob", "carol"]


def test_one_more_subject_of_many_is_a_small_new_attachment():
    segment = make_segment(*many(1500))
    base = packing(segment).base_id

    add(segment, "the-one-more")

    now = packing(segment)
    assert now.base_id == base
    assert bytes(now.recent.raw) == b"the-one-more\n"
    assert fresh(segment).count == 1501


def test_somebody_removed_who_is_in_the_base_means_a_new_base_at_once():
    segment = make_segment(*many(1500))
    add(segment, "late")
    before = packing(segment).base_id

    remove(segment, "user-000000")

    now = packing(segment)
    assert now.base_id != before
    assert now.recent_id is None
    assert len(everybody(segment)) == 1500
    assert not members.contains(members.version_of(fresh(segment)), "user-000000")


def test_somebody_removed_who_came_lately_leaves_the_base_alone():
    segment = make_segment(*many(1500))
    base = packing(segment).base_id
    add(segment, "late", "later")

    remove(segment, "late")

    assert packing(segment).base_id == base
    assert bytes(packing(segment).recent.raw) == b"later\n"


def test_a_recent_list_that_has_grown_is_merged_in_the_background_without_a_new_version():
    segment = make_segment(*many(2000))
    add(segment, *many(1001, prefix="late"))
    owed = OutboxItem.objects.get(handler="segment.merge")
    before = fresh(segment)

    assert actions.merge(segment_id=owed.payload["segment"])

    now = packing(segment)
    assert now.recent_id is None
    assert now.base.count == 3001
    assert everybody(segment)[0] == "late-000000"
    assert (fresh(segment).version, fresh(segment).revision) == (before.version, before.revision)


def test_merging_twice_does_nothing_the_second_time():
    segment = make_segment(*many(2000))
    add(segment, *many(1001, prefix="late"))
    actions.merge(segment_id=segment.pk)
    packings = Packing.objects.count()

    assert not actions.merge(segment_id=segment.pk)
    assert Packing.objects.count() == packings


def test_a_segment_can_be_emptied_by_removing_but_not_by_a_file_without_names():
    segment = make_segment("alice")

    with pytest.raises(InvalidError, match="Nothing valid is left"):
        bring(segment, "a b\n", mode=Mode.REPLACE, revision=segment.revision, skip_invalid=True)
    remove(segment, "alice")

    assert everybody(segment) == []
    assert packing(segment).digests == ()


def test_invalid_rows_stop_an_import_until_somebody_says_to_go_on_without_them():
    segment = make_segment()

    with pytest.raises(InvalidError) as refused:
        bring(segment, "alice\nb b\ncarol\n", layout=None)
    assert refused.value.code == "invalid_rows"
    assert refused.value.details["invalid"] == 1
    assert refused.value.details["rows"][0] == {
        "line": 2,
        "value": "b b",
        "reason": "contains white space",
    }
    assert fresh(segment).version == 0

    version = bring(segment, "alice\nb b\ncarol\n", skip_invalid=True)

    assert (version.count, version.skipped) == (2, 1)


def test_an_import_that_changes_nothing_is_refused():
    segment = make_segment("alice")

    with pytest.raises(ConflictError) as refused:
        add(segment, "alice")

    assert refused.value.code == "nothing_changes"
    assert fresh(segment).version == 1


def test_what_was_previewed_from_an_older_revision_is_refused():
    segment = make_segment("alice")
    add(segment, "bob")

    with pytest.raises(ConflictError) as refused:
        add(segment, "carol", revision=segment.revision)

    assert refused.value.code == "stale"
    assert "version 2 with 2 users" in str(refused.value)
    assert everybody(segment) == ["alice", "bob"]


def test_replacing_says_what_it_replaces():
    segment = make_segment("alice")

    with pytest.raises(InvalidError) as refused:
        bring(segment, "bob\n", mode=Mode.REPLACE)

    assert refused.value.code == "revision_required"


def test_a_segment_has_at_most_100_000_subjects(monkeypatch):
    monkeypatch.setattr(policy, "LIST_MOST", 3)
    segment = make_segment("a", "b", "c")

    with pytest.raises(InvalidError) as refused:
        add(segment, "d")

    assert refused.value.code == "too_many"
    assert "these would be 4" in str(refused.value)


def test_a_reason_is_needed():
    with pytest.raises(InvalidError) as refused:
        add(make_segment(), "alice", reason=" ")

    assert refused.value.field == "reason"


@pytest.mark.parametrize("role", [RoleCode.AUDITOR, RoleCode.COMMUNICATOR, RoleCode.ADMINISTRATOR])
def test_who_neither_responds_nor_decides_changes_no_segment(role):
    segment = make_segment("alice")
    other = make_user(role)

    with pytest.raises(NotPermittedError):
        add(segment, "bob", by=other)
    with pytest.raises(NotPermittedError):
        actions.create_segment(title="Mine", of="user", by=other)
    with pytest.raises(NotPermittedError):
        actions.retire(kind=Segment, pk=segment.pk, reason="Mine.", by=other)


@pytest.mark.parametrize(
    "role", [RoleCode.RESPONDER, RoleCode.COMMANDER, RoleCode.DUTY_OFFICER, RoleCode.EXECUTIVE]
)
def test_who_responds_or_decides_may_import(role):
    segment = make_segment()

    assert add(segment, "alice", by=make_user(role)).number == 1


def test_a_retired_segment_stays_as_it_was():
    segment = make_segment("alice")
    actions.retire(kind=Segment, pk=segment.pk, reason="Over.", by=make_user(RoleCode.COMMANDER))

    with pytest.raises(ConflictError) as refused:
        add(segment, "bob")

    assert refused.value.code == "retired"


def test_an_import_is_on_the_record_with_counts_and_source_but_no_names():
    segment = make_segment()
    bring(segment, "alice\nbob\n", source_name="list.csv", source_digest="sha256:" + "a" * 64)

    event = Event.objects.get(verb="segment.imported")
    assert event.target_name == segment.reference
    assert {key: event.data[key] for key in ("version", "added", "removed", "source")} == {
        "version": 1,
        "added": 2,
        "removed": 0,
        "source": "list.csv",
    }
    assert "alice" not in str(event.data)


def test_new_attachments_are_owed_to_the_hubs_before_any_decision_names_them():
    segment = make_segment("alice")

    owed = OutboxItem.objects.get(handler="attachments.deliver")
    assert owed.payload["digests"] == [packing(segment).base_id]


def test_when_recording_fails_nothing_of_the_import_is_left(monkeypatch):
    segment = make_segment("alice")

    def broken(*args, **kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr("corrections.segments.actions.base.record", broken)
    with pytest.raises(ZeroDivisionError):
        add(segment, "bob")

    assert SegmentVersion.objects.count() == 1
    assert everybody(segment) == ["alice"]
