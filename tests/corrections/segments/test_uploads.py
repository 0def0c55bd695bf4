"""Files between upload and import."""

from datetime import timedelta

import pytest
from django.utils import timezone

from corrections.segments import actions, reading, tasks
from corrections.segments.actions.importing import Intent
from corrections.segments.models import Mode, Upload
from irapp.common.errors import ConflictError, InvalidError
from tests.corrections.segments.factories import fresh, make_patterns, make_segment
from tests.incidents.factories import make_responder

pytestmark = pytest.mark.django_db
INTENT = Intent(mode=Mode.ADD, reason="From the logs.")


def upload(register, *, by, name="list.csv", raw=b"alice\n"):
    return actions.upload(register=register, name=name, raw=raw, by=by)


def take_in(brought, *, by, **changes):
    said = {"upload_id": brought.pk, "digest": brought.digest, "intent": INTENT} | changes
    return actions.take_in_subjects(**said, layout=reading.Layout(), by=by)


def test_a_file_that_nobody_confirms_is_forgotten_after_a_day():
    by = make_responder()
    kept = upload(make_segment(), by=by)
    old = upload(make_segment(), by=by)
    Upload.objects.filter(pk=old.pk).update(at=timezone.now() - timedelta(hours=25))

    tasks.forget_uploads()

    assert list(Upload.objects.all()) == [kept]
    with pytest.raises(ConflictError) as refused:
        take_in(old, by=by)
    assert refused.value.code == "upload_gone"


def test_only_who_brought_a_file_takes_it_in():
    segment = make_segment()
    brought = upload(segment, by=make_responder())

    with pytest.raises(ConflictError):
        take_in(brought, by=make_responder())

    assert fresh(segment).version == 0


def test_a_file_for_one_register_is_not_taken_into_another():
    by = make_responder()
    brought = upload(make_patterns(), by=by)

    with pytest.raises(InvalidError) as refused:
        take_in(brought, by=by)

    assert refused.value.code == "wrong_kind"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("C:\\Users\\me\\list.csv", "list.csv"),
        ("../../etc/passwd", "passwd"),
        ("a\u202eb\x00c.csv", "abc.csv"),
        ("", "file"),
        ("x" * 300, "x" * 250),
    ],
)
def test_the_name_of_a_file_is_only_a_name(given, kept):
    assert upload(make_segment(), by=make_responder(), name=given).name == kept
