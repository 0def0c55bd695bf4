"""Two imports at once, with real commits: both are in, one after the other. Seen failing without the lock."""

from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest

from corrections.segments import packing
from corrections.segments.selectors import members
from irapp.common.errors import ConflictError
from tests.corrections.segments.factories import add, fresh, make_segment
from tests.corrections.test_race import together
from tests.incidents.factories import make_responder

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def both_have_read(monkeypatch):
    """Hold each import where it has read the list and stored nothing, until the other is there too."""
    plain, barrier = packing.change, Barrier(2)

    def change(*args):
        with suppress(BrokenBarrierError):
            barrier.wait(timeout=0.5)
        return plain(*args)

    monkeypatch.setattr(packing, "change", change)


def adding(segment, name, **how):
    person = make_responder()
    return lambda: add(segment, name, by=person, **how)


def test_nobody_is_lost_when_two_import_at_once(both_have_read):
    segment = make_segment("alice")

    together(adding(segment, "bob"), adding(segment, "carol"))

    assert members.everybody(members.version_of(fresh(segment))) == ("alice", "bob", "carol")
    assert (fresh(segment).version, fresh(segment).count) == (3, 3)


def test_of_two_who_looked_at_the_same_preview_one_is_told(both_have_read):
    segment = make_segment("alice")
    seen = {"revision": segment.revision}

    outcomes = together(adding(segment, "bob", **seen), adding(segment, "carol", **seen))

    assert sorted(isinstance(each, ConflictError) for each in outcomes) == [False, True]
    assert fresh(segment).version == 2
