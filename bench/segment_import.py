"""Importing 100 000 subjects, one more afterwards, and looking at the result: how long each takes.

    PYTHONPATH=. .venv/bin/python bench/segment_import.py

Takes a PostgreSQL of its own unless DATABASE_URL names one; everything is rolled back.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bench.database import rolled_back

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corrections.segments.models import Segment

COUNT = 99_980
"""So that there is room for a few more: a segment has at most 100 000."""
ROUNDS = 3
took: dict[str, list[float]] = defaultdict(list)


@contextmanager
def timed(label: str) -> Iterator[None]:
    """Note how long it takes."""
    began = time.perf_counter()
    yield
    took[label].append((time.perf_counter() - began) * 1000)


def main() -> None:
    """Start what is needed, measure, print."""
    with rolled_back():
        for number in range(ROUNDS):
            measure(number)
    print(f"{'':<54} median ms   worst ms")
    for label, times in took.items():
        print(f"{label:<54} {statistics.median(times):9.1f} {max(times):10.1f}")


def measure(number: int) -> None:
    """One round, with a list of its own."""
    # Only now is Django configured.
    from corrections.segments import actions, contents, panels, reading  # noqa: PLC0415
    from corrections.segments.actions.importing import Intent  # noqa: PLC0415
    from corrections.segments.models import Mode  # noqa: PLC0415
    from corrections.segments.selectors import members  # noqa: PLC0415
    from tests.corrections.segments.factories import add, fresh, make_segment, remove  # noqa: PLC0415
    from tests.incidents.factories import make_responder  # noqa: PLC0415

    by = make_responder()
    segment = make_segment(by=by)
    names = [f"acct-{number}-{each:08}" for each in range(COUNT)]
    raw = ("id;user_id;note\n" + "".join(f"7;{name};note\n" for name in names)).encode()
    with timed("read the file (three columns)"):
        read = reading.read(raw, of="user", layout=reading.Layout())
    with timed("say what it would do"):
        panels.preview_read(segment, read, Mode.ADD)
    intent = Intent(mode=Mode.ADD, reason="Bench.")
    with timed(f"take {COUNT} subjects in"):
        actions.import_subjects(segment_id=segment.pk, read=read, intent=intent, by=by)
    contents.subjects.cache_clear()
    contents.in_order.cache_clear()
    with timed("one subject more, the list not read before"):
        add(segment, "late", by=by)
    with timed("one subject more"):
        add(segment, "later", by=by)
    deliver(segment, number)
    version = members.version_of(fresh(segment))
    with timed("is somebody in it, the list not read before"):
        assert members.contains(version, names[7])
    with timed("is somebody in it"):
        assert members.contains(version, names[8])
    with timed("page 700 of 1 000"):
        members.browse(version, page=700)
    with timed("those that hold a text"):
        members.browse(version, text="999")
    with timed("one subject less: a new base"):
        remove(segment, names[9], by=by)


def deliver(segment: Segment, number: int) -> None:
    """Approve a block of all of them, then of one more, and hand both to a real hub."""
    from django.conf import settings  # noqa: PLC0415

    from corrections.models import PolicyVersion  # noqa: PLC0415
    from corrections.publishing import delivery  # noqa: PLC0415
    from corrections.states import State  # noqa: PLC0415
    from tests.corrections import hub  # noqa: PLC0415
    from tests.corrections.factories import make_correction  # noqa: PLC0415
    from tests.corrections.segments.factories import add, lists_of  # noqa: PLC0415

    named = {"state": State.ENFORCING, "narrower_rejected": "They are this many."}
    with TemporaryDirectory(prefix="irapp-bench-") as folder, hub.running(Path(folder), settings):
        (url,) = settings.ENFORCEMENT_URLS
        for label, more in (("all of them", ()), ("one more", (f"even-later-{number}",))):
            if more:
                add(segment, *more)
            make_correction(users={"lists": lists_of(segment)}, **named)
            newest = PolicyVersion.objects.first()
            with timed(f"hand a policy with {label} to a hub"):
                assert not delivery.hand_over(url, newest)


if __name__ == "__main__":
    main()
