"""Who may do what with an incident, and when. Every rule raises its reason; buttons ask the same rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incidents.models import Incident, IncidentRole, Note, Task
from incidents.states import State
from irapp.accounts.models import RoleCode
from irapp.common.errors import ConflictError, DomainError, NotPermittedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from incidents.moves import Move
    from irapp.accounts.models import User

OPENERS = (RoleCode.RESPONDER, RoleCode.COMMANDER, RoleCode.DUTY_OFFICER, RoleCode.EXECUTIVE)
WORKERS = (RoleCode.RESPONDER, RoleCode.COMMANDER)
WRITERS = (*OPENERS, RoleCode.COMMUNICATOR)

_Part = IncidentRole.Part
FIT: dict[str, tuple[RoleCode, ...]] = {
    _Part.COMMANDER: (RoleCode.COMMANDER,),
    _Part.RESPONDER: WORKERS,
    _Part.COMMUNICATOR: (RoleCode.COMMUNICATOR,),
    _Part.SCRIBE: (*WORKERS, RoleCode.COMMUNICATOR),
    _Part.DECISION_MAKER: (RoleCode.DUTY_OFFICER, RoleCode.EXECUTIVE),
}
"""The roles that a part in an incident asks for."""


def check_role(user: User, roles: tuple[RoleCode, ...], what: str) -> None:
    """Ask for one of the roles; the refusal says which, so that people know whom to turn to."""
    if not user.has_role(*roles):
        names = " or ".join(role.label.lower() for role in roles)
        raise NotPermittedError(f"To {what} you need to be {names}.", code="role_missing")


def check_can_see(incident: Incident, user: User) -> None:
    """Restricted incidents are for people with a need to know."""
    if not incident.restricted and user.has_role(*RoleCode):
        return  # what most checks on a page come to, without asking the database
    if not Incident.objects.visible_to(user).filter(pk=incident.pk).exists():
        raise NotPermittedError("This incident is restricted to the people on it.", code="restricted")


def check_is_open(incident: Incident) -> None:
    """What has ended stays as it was until it is reopened."""
    if not incident.is_open:
        raise ConflictError(
            f"{incident} is {incident.get_state_display().lower()}: reopen it first.", code="incident_ended"
        )


def check_can_open(user: User) -> None:
    """Whoever responds or decides may open an incident."""
    check_role(user, OPENERS, "open an incident")


def check_can_move(incident: Incident, move: str, user: User) -> Move:
    """The move must exist from here and belong to one of the person's roles."""
    step = incident.moves.get(move)
    if step is None:
        name, state = move.replace("_", " "), incident.get_state_display().lower()
        message = f"{incident} stands in {state}: “{name}” is not possible from there."
        raise ConflictError(message, code="move_not_possible")
    check_can_see(incident, user)
    check_role(user, step.terms.roles, step.terms.label.lower())
    if move == "declare_emergency" and incident.is_emergency and incident.state == State.EXECUTION:
        raise ConflictError("An emergency is declared already.", code="emergency_already")
    return step


def check_can_edit(incident: Incident, user: User) -> None:
    """Responders and commanders keep the record up to date while the incident is open."""
    check_can_see(incident, user)
    check_is_open(incident)
    check_role(user, WORKERS, "edit an incident")


def check_can_write(incident: Incident, user: User) -> None:
    """Notes and tasks are for everybody who works on it; auditors only read."""
    check_can_see(incident, user)
    check_is_open(incident)
    check_role(user, WRITERS, "write on an incident")


def check_can_edit_note(note: Note, user: User) -> None:
    """Only its author changes a note; others write their own."""
    check_can_write(note.incident, user)
    if note.author_id != user.pk:
        raise NotPermittedError(
            f"Only {note.author} can change this note; write one of your own.", code="not_author"
        )


def check_can_finish_task(task: Task, user: User) -> None:
    """A task ends once; its owner, or whoever works on the incident, ends it."""
    check_can_write(task.incident, user)
    if not task.is_open:
        raise ConflictError(f"This task was finished by {task.finished_by}.", code="task_finished")


def check_can_assign(incident: Incident, part: str, user: User) -> None:
    """Commanders give parts; a responder may hand a new incident to its first commander."""
    check_can_see(incident, user)
    check_is_open(incident)
    first = part == _Part.COMMANDER and incident.commander_id is None
    check_role(user, WORKERS if first else (RoleCode.COMMANDER,), "give out parts in an incident")


def check_is_fit(part: str, user: User) -> None:
    """A part asks for its role; being named does not grant it."""
    if not user.has_role(*FIT[part]):
        names = " or ".join(role.label.lower() for role in FIT[part])
        raise ConflictError(
            f"{user} cannot be {_Part(part).label.lower()}: that asks for {names}.", code="not_fit"
        )


def check_can_restrict(incident: Incident, user: User) -> None:
    """Whoever closes the doors must be inside."""
    check_can_see(incident, user)
    check_is_open(incident)
    check_role(user, (RoleCode.COMMANDER,), "restrict an incident")
    named = user.pk in {incident.commander_id, incident.opened_by_id}
    if not named and not incident.parts.filter(user=user, until=None).exists():
        raise ConflictError(
            "Take a part in this incident first, or you would shut yourself out.", code="outside"
        )


def why_not(rule: Callable[..., object], *args: object) -> str:
    """Give the reason a rule would raise, or nothing where it would pass."""
    try:
        rule(*args)
    except DomainError as error:
        return str(error)
    return ""
