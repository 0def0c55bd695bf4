"""What PostgreSQL keeps whatever the code does, and what the code says of itself."""

import importlib
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from corrections.models import Correction, PolicyVersion
from corrections.states import EDITABLE, ENDED, IN_FLIGHT, IN_POLICY, VERIFIED, State, mermaid
from tests.corrections.factories import make_correction, make_draft

moves = importlib.import_module("corrections.migrations.0002_invariants").MOVES


def declared():
    return {
        (str(move.source), str(move.target))
        for move in Correction._meta.get_field("state").get_all_transitions(Correction)
    }


def test_the_database_knows_exactly_the_declared_moves():
    assert set(moves) == declared()


def test_the_diagram_draws_every_move():
    arrows = [line.strip().split(":")[0] for line in mermaid().splitlines() if "-->" in line]

    assert {tuple(arrow.split(" --> ")) for arrow in arrows} == declared() | {("[*]", "DRAFT")}


def test_every_state_can_be_reached_and_every_end_is_an_end():
    reached = {"DRAFT"} | {target for _, target in declared()}
    left = {source for source, _ in declared()}

    assert reached == set(State.values)
    assert set(State.values) - left == {"LIFTED", "REJECTED", "WITHDRAWN", "SUPERSEDED"}


def test_each_state_is_in_the_right_groups():
    assert VERIFIED < IN_POLICY
    assert not (IN_POLICY | IN_FLIGHT) & ENDED
    assert not EDITABLE & IN_POLICY


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        {"state": State.ACTIVE},
        {"state": State.APPROVED},
        {"state": "ASLEEP"},
        {"kind": "fly"},
        {"percentage": 0},
        {"mode": "loud"},
        {"at_expiry": "forget"},
        {"version": 2},
        {"approval_digest": "sha256:x"},
        {"reference": None},
    ],
    ids=str,
)
def test_postgresql_refuses_a_draft_with(change):
    draft = make_draft()

    with pytest.raises(IntegrityError), transaction.atomic():
        Correction.objects.filter(pk=draft.pk).update(**change)


@pytest.mark.django_db
def test_postgresql_refuses_an_end_before_the_start():
    draft = make_draft()

    with pytest.raises(IntegrityError), transaction.atomic():
        Correction.objects.filter(pk=draft.pk).update(starts_at=draft.expires_at + timedelta(hours=1))


@pytest.mark.django_db
def test_what_is_lifted_does_not_come_back_to_life():
    lifted = make_correction(state=State.LIFTED)

    with pytest.raises(IntegrityError), transaction.atomic():
        Correction.objects.filter(pk=lifted.pk).update(state=State.ACTIVE)


@pytest.mark.django_db
def test_a_published_policy_cannot_be_changed_or_removed():
    make_correction()

    with pytest.raises(IntegrityError), transaction.atomic():
        PolicyVersion.objects.update(digest="sha256:other")
    with pytest.raises(IntegrityError), transaction.atomic():
        PolicyVersion.objects.all().delete()
