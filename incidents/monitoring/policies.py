"""Who may report, and who may say what becomes of it. Every rule raises its reason; buttons ask the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incidents.monitoring.states import State
from incidents.policies import OPENERS, check_can_open, check_can_see, check_is_open, check_role
from irapp.accounts.models import RoleCode
from irapp.accounts.policies import check_can_act
from irapp.common.errors import ConflictError, NotPermittedError

if TYPE_CHECKING:
    from incidents.models import Incident
    from incidents.monitoring.models import SignalGroup
    from irapp.accounts.models import User

TRIAGERS = OPENERS
"""Whoever may open an incident may also say that none is needed."""
KEEPERS = (RoleCode.COMMANDER, RoleCode.ADMINISTRATOR)


def check_can_report(user: User) -> None:
    """Anybody with a role may report what they saw; auditors change nothing, not even this."""
    check_can_act(user)


def check_can_keep_sources(user: User) -> None:
    """Which sources are listened to is a matter of preparation."""
    check_role(user, KEEPERS, "change the sources of signals")


def check_can_acknowledge(group: SignalGroup, user: User) -> None:
    """Once: whoever acknowledged first is on it."""
    check_can_triage(group, user)
    if group.state == State.ACKNOWLEDGED:
        raise ConflictError(
            f"{group.acknowledged_by} acknowledged this already.", code="acknowledged_already"
        )
    _check_state(group, State.NEW, to="acknowledge them")


def check_can_link(group: SignalGroup, incident: Incident, user: User) -> None:
    """To an open incident that the person sees; a wrong link is put right by another."""
    check_can_triage(group, user)
    _check_state(group, State.NEW, State.ACKNOWLEDGED, State.LINKED, to="link them")
    check_can_see(incident, user)
    check_is_open(incident)
    if group.state == State.LINKED and group.incident_id == incident.pk:
        raise ConflictError(f"These signals are linked to {incident} already.", code="linked_already")


def check_can_open_from(group: SignalGroup, user: User) -> None:
    """An incident starts from signals that belong to none."""
    check_can_open(user)
    check_can_triage(group, user)
    if group.state == State.LINKED:
        raise ConflictError(f"These signals are linked to {group.incident} already.", code="linked_already")
    _check_state(group, State.NEW, State.ACKNOWLEDGED, to="start an incident from them")


def check_can_close(group: SignalGroup, user: User) -> None:
    """What belongs to an incident ends with it."""
    check_can_triage(group, user)
    if group.state == State.LINKED:
        message = f"These signals belong to {group.incident}: close or dismiss that instead."
        raise ConflictError(message, code="linked_already")
    _check_state(group, State.NEW, State.ACKNOWLEDGED, to="close them")


def check_can_reopen(group: SignalGroup, user: User) -> None:
    """Only what was closed."""
    check_can_triage(group, user)
    _check_state(group, State.CLOSED, to="reopen them")


def check_can_triage(group: SignalGroup, user: User) -> None:
    """Responders, commanders and decision-makers, for signals that are not hidden from them."""
    check_role(user, TRIAGERS, "deal with signals")
    if not type(group).objects.visible_to(user).filter(pk=group.pk).exists():
        raise NotPermittedError("These signals belong to a restricted incident.", code="restricted")


def _check_state(group: SignalGroup, *states: State, to: str) -> None:
    if group.state not in states:
        now = State(group.state).label.lower()
        raise ConflictError(f"These signals are {now}: nobody can {to} any more.", code="wrong_state")
