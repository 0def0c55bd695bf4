"""What an agent reports of itself, and that it stays small however long it runs."""

import msgspec

from enforcement.agent import state
from enforcement.agent.state import State
from enforcement.report import LiftedReport, Probe

PROBES = tuple(
    Probe(endpoint="messages", expect="pass", subject="inside", status=200, ok=True) for _ in range(13)
)


def lift(known, numbers, *, verified=True):
    for number in numbers:
        known.note_lifted(f"COR-{number:04}.1", LiftedReport(verified=False))
    for number in numbers:
        known.note_lifted(f"COR-{number:04}.1", LiftedReport(verified=verified, probes=PROBES))


def test_only_the_last_removed_corrections_are_reported_with_their_probes():
    known = State("gateway")

    lift(known, range(500))

    found = list(known.report().lifted.items())
    assert [name for name, _ in found] == [f"COR-{number:04}.1" for number in range(300, 500)]
    assert all(one.verified for _, one in found)
    assert [bool(one.probes) for _, one in found] == [False] * 190 + [True] * 10
    assert len(msgspec.json.encode(known.report())) < 40_000


def test_probes_that_say_what_is_wrong_are_reported_until_it_is_right():
    known = State("gateway")

    lift(known, range(5), verified=False)
    lift(known, range(5, 100))

    found = known.report().lifted
    assert [bool(found[f"COR-{number:04}.1"].probes) for number in (0, 4, 5, 89, 90)] == [
        True,
        True,
        False,
        False,
        True,
    ]
    assert state.KEPT_IN_FULL == 10

    known.note_lifted("COR-0000.1", LiftedReport(verified=True, probes=PROBES))
    assert known.lifted["COR-0000.1"].probes
    assert not known.lifted["COR-0090.1"].probes
