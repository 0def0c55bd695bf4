"""Opening and editing an incident; notes, tasks, parts."""

import pytest

from incidents import actions
from incidents.models import Incident, IncidentRole, Note, Task
from irapp.audit.models import Event
from irapp.common.errors import ConflictError, InvalidError, NotPermittedError
from tests.incidents.factories import make_commander, make_incident, make_responder

pytestmark = pytest.mark.django_db


def events(incident, verb):
    return list(Event.objects.filter(incident_id=incident.pk, verb=verb).order_by("id"))


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"title": "   "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"title": "lone \ud800 surrogate"}, "title"),
        ({"title": "T", "summary": "x" * 20_001}, "summary"),
        ({"title": "T", "severity": "HORRIBLE"}, "severity"),
        ({"title": "T", "model_name": "m" * 101}, "model_name"),
    ],
)
def test_bad_input_is_refused_with_the_name_of_its_field(content, field):
    with pytest.raises(InvalidError) as refused:
        actions.open_incident(**content, by=make_responder())

    assert refused.value.field == field
    assert not Incident.objects.exists()


def test_references_count_up_and_never_change():
    first, second = make_incident(), make_incident()

    assert first.reference == f"INC-{first.pk:04d}"
    assert second.pk > first.pk


def test_an_edit_says_what_changed_from_what_to_what():
    incident, responder = make_incident(title="Old"), make_responder()

    actions.edit(incident_id=incident.pk, title="New", severity="LOW", by=responder)

    (event,) = events(incident, "incident.edited")
    assert event.data["changes"] == {"title": ["Old", "New"], "severity": ["", "LOW"]}
    assert event.actor_id == responder.pk


def test_an_edit_that_changes_nothing_leaves_no_event_and_no_revision():
    incident = make_incident(title="Same")

    actions.edit(incident_id=incident.pk, title="Same", by=make_responder())

    assert Incident.objects.get(pk=incident.pk).revision == incident.revision
    assert not events(incident, "incident.edited")


def test_an_edit_of_what_somebody_else_changed_is_refused():
    incident = make_incident()
    actions.edit(incident_id=incident.pk, summary="Theirs", by=make_responder())

    with pytest.raises(ConflictError) as refused:
        actions.edit(incident_id=incident.pk, summary="Mine", revision=incident.revision, by=make_responder())

    assert refused.value.code == "stale_revision"
    assert Incident.objects.get(pk=incident.pk).summary == "Theirs"


def test_a_new_commander_takes_over_and_the_last_one_stays_on_the_record():
    first, second = make_commander(), make_commander()
    incident = make_incident(commander=first)

    actions.assign(incident_id=incident.pk, user_id=second.pk, role="COMMANDER", by=first)

    incident = Incident.objects.get(pk=incident.pk)
    assert incident.commander == second
    parts = IncidentRole.objects.filter(incident=incident, role="COMMANDER")
    assert {(part.user, part.until is None) for part in parts} == {(first, False), (second, True)}


def test_nobody_has_the_same_part_twice():
    commander = make_commander()
    incident = make_incident(commander=commander)

    with pytest.raises(ConflictError, match="is commander already"):
        actions.assign(incident_id=incident.pk, user_id=commander.pk, role="COMMANDER", by=commander)


def test_a_relieved_commander_leaves_the_incident_without_one():
    commander = make_commander()
    incident = make_incident(commander=commander)
    part = incident.parts.get()

    actions.relieve(part_id=part.pk, by=commander)

    assert Incident.objects.get(pk=incident.pk).commander is None
    with pytest.raises(ConflictError, match="relieved already"):
        actions.relieve(part_id=part.pk, by=commander)


def test_an_inactive_person_gets_no_part():
    commander, gone = make_commander(), make_responder()
    gone.is_active = False
    gone.save()
    incident = make_incident(commander=commander)

    with pytest.raises(InvalidError, match="no such person"):
        actions.assign(incident_id=incident.pk, user_id=gone.pk, role="RESPONDER", by=commander)


def test_a_reworded_note_keeps_its_earlier_wordings():
    author, incident = make_responder(), make_incident()
    note = actions.add_note(incident_id=incident.pk, body="First", by=author)

    actions.edit_note(note_id=note.pk, body="Second", revision=1, by=author)
    actions.edit_note(note_id=note.pk, body="Third", revision=2, by=author)

    note = Note.objects.get(pk=note.pk)
    assert note.body == "Third"
    assert [(version.number, version.body) for version in note.versions.all()] == [
        (2, "Second"),
        (1, "First"),
    ]
    with pytest.raises(ConflictError, match="changed in the meantime"):
        actions.edit_note(note_id=note.pk, body="Fourth", revision=2, by=author)


def test_nobody_rewords_what_somebody_else_wrote():
    incident = make_incident()
    note = actions.add_note(incident_id=incident.pk, body="Mine", by=make_responder(name="Rosa"))

    with pytest.raises(NotPermittedError, match="Only Rosa can change this note"):
        actions.edit_note(note_id=note.pk, body="Yours", revision=1, by=make_commander())


def test_a_task_that_is_not_needed_says_why():
    responder, incident = make_responder(), make_incident()
    task = actions.add_task(incident_id=incident.pk, title="Call the customer", by=responder)

    with pytest.raises(InvalidError) as refused:
        actions.finish_task(task_id=task.pk, outcome="NOT_NEEDED", by=responder)
    assert refused.value.field == "note"

    actions.finish_task(task_id=task.pk, outcome="NOT_NEEDED", note="They called us", by=responder)
    task = Task.objects.get(pk=task.pk)
    assert (task.outcome, task.outcome_note, task.finished_by) == ("NOT_NEEDED", "They called us", responder)


def test_a_task_is_finished_once_and_can_be_taken_up_again():
    responder, incident = make_responder(), make_incident()
    task = actions.add_task(incident_id=incident.pk, title="Call", by=responder)
    actions.finish_task(task_id=task.pk, by=responder)

    with pytest.raises(ConflictError, match="was finished by"):
        actions.finish_task(task_id=task.pk, by=make_responder())
    actions.unfinish_task(task_id=task.pk, by=responder)

    assert Task.objects.get(pk=task.pk).is_open
    assert len(events(incident, "task.finished")) == 1


def test_search_finds_words_notes_and_references_but_not_what_is_restricted():
    hidden = make_incident(title="Exfiltration of weights", restricted=True)
    shown = make_incident(title="Hateful posts")
    actions.add_note(incident_id=shown.pk, body="An NGO published transcripts.", by=make_responder())
    reader = make_responder()

    def found(text):
        return set(Incident.objects.visible_to(reader).matching(text))

    assert found("hateful") == {shown}
    assert found("transcript") == {shown}
    assert found(shown.reference.lower()) == {shown}
    assert found(hidden.reference) == set()
    assert found("exfiltration") == set()
    assert found("nothing of the kind") == set()
