"""Which requests prove that a correction is in force: planned here, sent by the agent.

A probe speaks for a synthetic identity. What must come out is what :func:`enforcement.decide.decide` says of
the whole policy, so a probe that a second correction refuses is expected to be refused by that one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count

from enforcement import policy
from enforcement.decide import Attributes, Verdict, bucket, decide, matches
from enforcement.report import Expect, Subject

STRANGER = "irapp-probe"
TOOL = "irapp_probe_tool"
MANY_TOKENS = 1_000_000
MAX_VARIANTS = 3


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One probe: what to send, and what must come back. ``limit`` is the number that a limit allows."""

    subject: Subject
    attributes: Attributes
    verdict: Verdict
    expect: Expect
    limit: int = 0


def plan(
    correction: policy.Correction,
    content: policy.Content,
    *,
    models: tuple[str, ...],
    now: datetime,
) -> list[Plan]:
    """Plan the probes of a correction on every endpoint: some identities inside its scope, one beside it.

    :param models: the models that the gateway serves.
    """
    inside = list(_inside(correction, models))
    beside = _beside(correction, inside[0], models) if inside else None
    every = [("inside", one) for one in inside] + ([("beside", beside)] if beside else [])
    return [
        _planned(correction, content, subject, replace(one, endpoint=endpoint), now)  # type: ignore[arg-type]
        for subject, one in every
        for endpoint in _endpoints(correction, one, subject)
    ]


def _planned(
    correction: policy.Correction,
    content: policy.Content,
    subject: Subject,
    attributes: Attributes,
    now: datetime,
) -> Plan:
    verdict = decide(attributes, content, now=now)
    counted = any(limit.correction == correction.id for limit in verdict.limits)
    effect = correction.effect
    return Plan(
        subject=subject,
        attributes=attributes,
        verdict=verdict,
        expect=_expect(verdict, counted=counted),
        limit=effect.requests if counted and isinstance(effect, policy.RequestLimit) else 0,
    )


def _expect(verdict: Verdict, *, counted: bool) -> Expect:
    if verdict.action == "refuse":
        return "refuse"
    if counted:
        return "limit"
    if verdict.reroute_to is not None:
        return "reroute"
    return "cap" if verdict.max_tokens is not None else "pass"


def _endpoints(correction: policy.Correction, attributes: Attributes, subject: str) -> tuple[str, ...]:
    if subject == "beside" and attributes.endpoint:
        return (attributes.endpoint,)
    return correction.functionality.endpoints or tuple(policy.ENDPOINTS)


def _inside(correction: policy.Correction, models: tuple[str, ...]) -> Iterator[Attributes]:
    scope = correction.functionality
    several = max(len(scope.models), len(scope.applications), len(scope.use_cases), 1)
    for user, organisation, key in _identities(correction):
        for turn in range(min(several, MAX_VARIANTS)):
            one = Attributes(
                user=user,
                organisation=organisation,
                key=key,
                application=_nth(scope.applications, turn, STRANGER),
                use_case=_nth(scope.use_cases, turn, STRANGER),
                endpoint="",
                model=_nth(scope.models, turn, models[0] if models else STRANGER),
                tools=_tools(correction),
                max_tokens=MANY_TOKENS,
            )
            yield one


def _identities(correction: policy.Correction) -> Iterator[tuple[str, str, str]]:
    """Give a user, organisation and key for every list of the scope: its first and its last entry."""
    users, share = correction.users, correction.percentage
    stranger = _user_in(share)
    if users.everyone:
        yield stranger, STRANGER, STRANGER
    chosen = tuple(name for name in users.users if bucket(name) < share)
    for name in _ends(chosen or users.users):
        yield name, STRANGER, STRANGER
    for name in _ends(users.organisations):
        yield stranger, name, STRANGER
    for name in _ends(users.keys):
        yield stranger, STRANGER, name


def _beside(correction: policy.Correction, inside: Attributes, models: tuple[str, ...]) -> Attributes | None:
    """Give the nearest request that the correction does not reach, if there is any."""
    scope, other = correction.functionality, f"{STRANGER}-beside"
    choices = [
        replace(inside, user=other, organisation=other, key=other),
        replace(inside, model=next((name for name in models if name not in scope.models), other)),
        replace(inside, application=other),
        replace(inside, use_case=other),
        *(replace(inside, endpoint=name) for name in policy.ENDPOINTS),
        replace(inside, user=_user_beyond(correction.percentage)),
    ]
    if isinstance(correction.effect, policy.ToolsOff):
        choices.insert(1, replace(inside, tools=()))
    return next((one for one in choices if not _reached(correction, one)), None)


def _reached(correction: policy.Correction, one: Attributes) -> bool:
    if isinstance(correction.effect, policy.ToolsOff) and not one.tools:
        return False
    endpoints = correction.functionality.endpoints
    placed = one if one.endpoint else replace(one, endpoint=_nth(endpoints, 0, "responses"))
    return matches(correction, placed)


def _tools(correction: policy.Correction) -> tuple[str, ...]:
    effect = correction.effect
    return (effect.tools or (TOOL,))[:1] if isinstance(effect, policy.ToolsOff) else ()


def _user_in(share: int) -> str:
    return next(name for name in _names() if bucket(name) < share)


def _user_beyond(share: int) -> str:
    return next((name for name in _names() if bucket(name) >= share or share > 99), STRANGER)  # noqa: PLR2004


def _names() -> Iterator[str]:
    return (f"{STRANGER}-{number}" for number in count())


def _nth(names: tuple[str, ...], turn: int, otherwise: str) -> str:
    return names[turn % len(names)] if names else otherwise


def _ends(names: tuple[str, ...]) -> tuple[str, ...]:
    return names if len(names) <= 2 else (names[0], names[-1])  # noqa: PLR2004
