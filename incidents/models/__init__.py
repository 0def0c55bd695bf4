"""The incident, the people on it, and what is written down about it."""

from incidents.models.incident import Incident
from incidents.models.work import IncidentRole, Note, NoteVersion, SkippedCondition, Task
from incidents.states import Severity, State

__all__ = ["Incident", "IncidentRole", "Note", "NoteVersion", "Severity", "SkippedCondition", "State", "Task"]
