"""Two people at once: real threads, real commits, real locks."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from incidents import actions
from incidents.models import Incident, State, Task
from irapp.audit.models import Event
from irapp.common.errors import ConflictError
from tests.incidents.factories import make_commander, make_incident, make_prepared, make_responder

pytestmark = pytest.mark.django_db(transaction=True)
CALLERS = 8


def at_once(attempt):
    """Let eight threads make the same attempt at the same moment; give what came of each."""
    barrier = Barrier(CALLERS)

    def run(number):
        try:
            barrier.wait(timeout=60)
            return attempt(number)
        except ConflictError as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(CALLERS) as pool:
        return list(pool.map(run, range(CALLERS)))


def won(outcomes):
    return [outcome for outcome in outcomes if not isinstance(outcome, ConflictError)]


def test_of_eight_who_begin_monitoring_one_wins_and_one_event_stands():
    commander = make_commander()
    incident = make_incident(commander=commander)
    make_prepared(incident.pk, by=commander)

    outcomes = at_once(lambda _: actions.move(incident_id=incident.pk, move="begin_monitoring", by=commander))

    assert len(won(outcomes)) == 1
    assert Incident.objects.get(pk=incident.pk).state == State.MONITORING
    assert Event.objects.filter(incident_id=incident.pk, verb="incident.monitoring_begun").count() == 1


def test_of_eight_who_declare_an_emergency_one_wins_and_what_is_skipped_is_listed_once():
    commander = make_commander()
    incident = make_incident(commander=commander)

    outcomes = at_once(
        lambda number: actions.declare_emergency(
            incident_id=incident.pk, reason=f"Now {number}", by=commander
        )
    )

    assert len(won(outcomes)) == 1
    assert Event.objects.filter(incident_id=incident.pk, verb="incident.emergency_declared").count() == 1
    skipped = list(incident.skipped.values_list("move", "code"))
    assert len(skipped) == len(set(skipped))


def test_of_eight_who_edit_the_same_revision_one_wins_and_no_text_is_overwritten():
    incident, people = make_incident(), [make_responder() for _ in range(CALLERS)]

    outcomes = at_once(
        lambda number: actions.edit(
            incident_id=incident.pk, title=f"Title {number}", revision=incident.revision, by=people[number]
        )
    )

    (winner,) = won(outcomes)
    assert Incident.objects.get(pk=incident.pk).title == winner.title
    assert Event.objects.filter(incident_id=incident.pk, verb="incident.edited").count() == 1


def test_of_eight_who_finish_a_task_one_wins():
    incident, people = make_incident(), [make_responder() for _ in range(CALLERS)]
    task = actions.add_task(incident_id=incident.pk, title="Call", by=people[0])

    outcomes = at_once(lambda number: actions.finish_task(task_id=task.pk, by=people[number]))

    (winner,) = won(outcomes)
    assert Task.objects.get(pk=task.pk).finished_by == winner.finished_by
    assert Event.objects.filter(incident_id=incident.pk, verb="task.finished").count() == 1


def test_eight_new_commanders_leave_exactly_one_in_command():
    first = make_commander()
    incident, people = make_incident(commander=first), [make_commander() for _ in range(CALLERS)]

    at_once(
        lambda number: actions.assign(
            incident_id=incident.pk, user_id=people[number].pk, role="COMMANDER", by=first
        )
    )

    (part,) = incident.parts.filter(role="COMMANDER", until=None)
    assert Incident.objects.get(pk=incident.pk).commander == part.user
