"""What every declared move carries beside its source and target: words, event, and who may make it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from irapp.accounts.models import RoleCode

if TYPE_CHECKING:
    from incidents.states import State

COMMAND = (RoleCode.COMMANDER,)
URGENT = (RoleCode.COMMANDER, RoleCode.DUTY_OFFICER, RoleCode.EXECUTIVE)


@dataclass(frozen=True)
class Terms:
    """The terms of a move, declared with its transition.

    :param label: the words on the button.
    :param verb: the event it leaves behind.
    :param roles: who may make it.
    :param reason: whether a typed reason is always asked for.
    :param override: whether a commander may go on with waivable conditions unmet.
    :param backwards: leads back or out; shown apart from the way forward.
    """

    label: str
    verb: str
    roles: tuple[RoleCode, ...] = COMMAND
    reason: bool = False
    override: bool = False
    backwards: bool = False


@dataclass(frozen=True)
class Move:
    """A transition that exists from the stage an incident stands in."""

    name: str
    source: State
    target: State
    terms: Terms
