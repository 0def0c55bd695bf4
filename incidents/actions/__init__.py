"""Everything that can happen to an incident. Pages, API, tasks and factories call these and no others."""

from incidents.actions.incident import edit, open_incident, restrict
from incidents.actions.moving import declare_emergency, dismiss, move
from incidents.actions.notes import add_note, edit_note
from incidents.actions.people import assign, relieve
from incidents.actions.shared import changed, locked, settle_skipped, words
from incidents.actions.tasks import add_task, finish_task, take_task, unfinish_task

__all__ = [
    "add_note",
    "add_task",
    "assign",
    "changed",
    "declare_emergency",
    "dismiss",
    "edit",
    "edit_note",
    "finish_task",
    "locked",
    "move",
    "open_incident",
    "relieve",
    "restrict",
    "settle_skipped",
    "take_task",
    "unfinish_task",
    "words",
]
