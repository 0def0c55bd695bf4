"""What corrections ask for before an incident moves on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Max

from corrections.models import AuthorityRule, Correction
from corrections.selectors.decisions import holders
from corrections.states import IN_FLIGHT, State
from incidents import gates
from incidents.gates import Condition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from incidents.models import Incident


def deciders_exist(incident: Incident) -> Iterator[Condition]:
    """Execution begins where enough people can decide: a quorum that nobody can reach decides nothing."""
    rules = AuthorityRule.objects.filter(action="IMPOSE")
    needed = rules.aggregate(most=Max("quorum"))["most"] or 0
    roles = {role for rule in rules for role in rule.roles}
    found = len(set(holders(roles, incident).values_list("person", flat=True)))
    yield Condition(
        "deciders",
        "Enough people can decide on corrections",
        bool(needed) and found >= needed,
        f"{found} people hold a deciding role; {needed} are needed."
        if needed
        else "The authority matrix is empty.",
    )


def nothing_in_flight(incident: Incident) -> Iterator[Condition]:
    """Execution ends when nothing is half done. What is in force may stay, to be lifted step by step."""
    half_done = _in_states(incident, *IN_FLIGHT, State.FAILED)
    yield Condition(
        "corrections_settled",
        "No correction is undecided, being enforced, failed or being lifted",
        not half_done,
        ", ".join(f"{each} ({each.get_state_display().lower()})" for each in half_done) or "All are settled.",
        half_done[0].get_absolute_url() if half_done else "",
    )


def nothing_in_force(incident: Incident) -> Iterator[Condition]:
    """A closed incident restricts nobody, except by what was decided to stay."""
    left = _in_states(incident, *IN_FLIGHT, State.FAILED, State.ACTIVE)
    yield Condition(
        "corrections_ended",
        "Every correction is lifted, superseded or made permanent",
        not left,
        ", ".join(f"{each} ({each.get_state_display().lower()})" for each in left) or "None is left.",
        left[0].get_absolute_url() if left else "",
        waivable=False,
    )


def register() -> None:
    """Register the conditions of this floor."""
    gates.register("begin_execution", deciders_exist)
    gates.register("begin_post_incident", nothing_in_flight)
    gates.register("close", nothing_in_force)
    gates.register("dismiss", nothing_in_force)


def _in_states(incident: Incident, *states: State) -> list[Correction]:
    return list(Correction.objects.of_incident(incident.pk).filter(state__in=states).order_by("pk"))
