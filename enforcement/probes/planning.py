"""Which requests prove that a correction is in force: planned here, sent by the agent.

A probe speaks for a synthetic identity. What must come out is what :func:`enforcement.decide.decide` says of
the whole policy, so a probe that a second correction refuses is expected to be refused by that one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from enforcement import policy
from enforcement.asking import as_sent, request_body
from enforcement.decide import (
    Attachments,
    Attributes,
    Limit,
    NoAttachments,
    Rules,
    Verdict,
    decide,
    matches,
)
from enforcement.probes.people import MAX_VARIANTS, STRANGER, identities, listed, nth, user_beyond
from enforcement.report import Expect, Probe, Subject

TOOL = "irapp_probe_tool"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One probe: what to send, and what must come back.

    :param limit: the number that a limit of this correction allows at once; 0 when none counts it.
    :param body: the request, written out.
    :param prompt: what it says, where a content filter has to find it.
    :param samples: what of it the filter has to find, each by itself.
    """

    subject: Subject
    attributes: Attributes
    verdict: Verdict
    expect: Expect
    limit: int = 0
    body: bytes = b""
    prompt: str = ""
    samples: tuple[str, ...] = ()

    def shown(self, status: int, wrong: str) -> Probe:
        """Give what is reported of it; ``wrong`` says what was, if anything."""
        return Probe(
            endpoint=self.attributes.endpoint,
            expect=self.expect,
            subject=self.subject,
            status=status,
            ok=not wrong,
            detail=wrong,
        )


def plan(
    correction: policy.Correction,
    content: policy.Content,
    *,
    models: tuple[str, ...],
    now: datetime,
    attachments: Attachments | None = None,
    rules: Rules | None = None,
) -> list[Plan]:
    """Plan the probes of a correction: some identities inside its scope, one beside it.

    The first of them asks on every endpoint, each further one on another endpoint in turn.

    :param models: the models that the gateway serves.
    :param rules: the content made ready, where many corrections of it are planned.
    :raises PolicyError: a list that the policy names is not at hand.
    """
    attached = attachments or NoAttachments()
    return _Planner(correction, rules or Rules(content, attached), models, now, attached).plans()


@dataclass(frozen=True)
class _Planner:
    correction: policy.Correction
    rules: Rules
    models: tuple[str, ...]
    now: datetime
    attachments: Attachments

    def plans(self) -> list[Plan]:
        inside = list(self._inside())
        beside = self._beside(inside[0]) if inside else None
        every: list[tuple[Subject, Attributes]] = [("inside", one) for one in inside]
        every += [("beside", beside)] if beside else []
        return [
            self._planned(subject, _on(endpoint, one))
            for number, (subject, one) in enumerate(every)
            for endpoint in self._in_turn(number, one, subject)
        ]

    def _in_turn(self, number: int, one: Attributes, subject: Subject) -> tuple[str, ...]:
        """Say where somebody asks: endpoint and person are matched separately, so not every pair is tried."""
        endpoints = self._endpoints(one, subject)
        if number == 0 or subject == "beside":
            return endpoints
        return (endpoints[number % len(endpoints)],)

    def _planned(self, subject: Subject, asked: Attributes) -> Plan:
        attributes = as_sent(asked)
        verdict = self.rules.decide(attributes, now=self.now)
        limits = [
            each for each in verdict.limits if each.correction == self.correction.id and not each.shadow
        ]
        return Plan(
            subject=subject,
            attributes=attributes,
            verdict=verdict,
            expect=_expect(verdict, counted=bool(limits)),
            limit=_at_once(self.correction.effect, limits[0]) if limits else 0,
            body=request_body(attributes),
        )

    def _endpoints(self, attributes: Attributes, subject: str) -> tuple[str, ...]:
        if subject == "beside" and attributes.endpoint:
            return (attributes.endpoint,)
        return self.correction.functionality.endpoints or tuple(policy.ENDPOINTS)

    def _inside(self) -> Iterator[Attributes]:
        scope = self.correction.functionality
        several = max(
            len(scope.models), len(scope.applications), len(scope.use_cases), len(scope.platforms), 1
        )
        for person in identities(self.correction, self.attachments):
            for turn in range(min(several, MAX_VARIANTS)):
                yield self._asking(
                    replace(
                        person,
                        application=nth(scope.applications, turn, STRANGER),
                        use_case=nth(scope.use_cases, turn, STRANGER),
                        platform=nth(scope.platforms, turn, ""),
                        model=nth(scope.models, turn, self.models[0] if self.models else STRANGER),
                    )
                )

    def _asking(self, one: Attributes) -> Attributes:
        """Let the request ask for exactly what the correction refuses."""
        effect, scope = self.correction.effect, self.correction.functionality
        one = _using(one, scope.features[:1])
        match effect:
            case policy.ToolsOff(tools=tools):
                one = replace(one, tools=(tools or (TOOL,))[:1])
            case policy.FeatureOff(features=features):
                one = _using(one, features[:1])
            case policy.InputCap(max_bytes=most):
                one = replace(one, body_bytes=most + 1)
            case policy.TurnLimit(turns=most):
                one = replace(one, turns=most + 1)
            case policy.LoopCap(turns=most):
                one = replace(one, tool_turns=most + 1)
            case policy.RequireUse():
                one = replace(one, use_case="")
        return one

    def _beside(self, inside: Attributes) -> Attributes | None:
        """Give the nearest request that the correction does not reach, if there is any."""
        return next((one for one in self._choices(inside) if not self._reached(one)), None)

    def _choices(self, inside: Attributes) -> Iterator[Attributes]:
        scope, other = self.correction.functionality, f"{STRANGER}-beside"
        yield from listed(self.correction, inside, self.attachments)
        yield replace(inside, user=other, organisation=other, key=other, region="", tier="")
        yield from self._asking_less(inside)
        yield replace(inside, model=next((name for name in self.models if name not in scope.models), other))
        yield replace(inside, application=other)
        yield replace(inside, use_case=other)
        yield replace(inside, platform="")
        yield replace(inside, features=(), stream=False)
        yield from (replace(inside, endpoint=name) for name in policy.ENDPOINTS)
        yield replace(inside, user=user_beyond(self.correction.percentage))

    def _asking_less(self, inside: Attributes) -> Iterator[Attributes]:
        match self.correction.effect:
            case policy.ToolsOff():
                yield replace(inside, tools=())
            case policy.FeatureOff():
                yield replace(inside, features=(), stream=False)
            case policy.InputCap():
                yield replace(inside, body_bytes=0)
            case policy.TurnLimit():
                yield replace(inside, turns=1)
            case policy.LoopCap():
                yield replace(inside, tool_turns=0)
            case policy.RequireUse(use_cases=accepted):
                yield replace(inside, use_case=nth(accepted, 0, STRANGER))

    def _reached(self, one: Attributes) -> bool:
        """Tell whether this correction, all by itself, would do something to the request."""
        placed = (
            one if one.endpoint else _on(nth(self.correction.functionality.endpoints, 0, "responses"), one)
        )
        if not matches(self.correction, placed, self.attachments):
            return False
        if isinstance(self.correction.effect, policy.Exempt):
            return True
        alone = policy.Content(corrections=(_now(self.correction),))
        verdict = decide(placed, alone, now=self.now, attachments=self.attachments)
        content = verdict.by_filter and not isinstance(
            self.correction.effect, policy.TurnLimit | policy.LoopCap
        )
        return verdict.action == "refuse" or content or bool(verdict.limits)


def _at_once(effect: policy.Effect, limit: Limit) -> int:
    burst = effect.burst if isinstance(effect, policy.RequestLimit) else None
    return burst or limit.amount


def _now(correction: policy.Correction) -> policy.Correction:
    """Take off what only says when and how hard, so that what is left says whom and what."""
    return policy.Correction(
        id=correction.id,
        effect=correction.effect,
        functionality=correction.functionality,
        users=correction.users,
        percentage=correction.percentage,
        approval_digest=correction.approval_digest,
    )


def _expect(verdict: Verdict, *, counted: bool) -> Expect:
    if verdict.action == "refuse":
        return "refuse"
    if counted:
        return "limit"
    if verdict.reroute_to is not None:
        return "reroute"
    if verdict.warnings:
        return "warn"
    if any(item.mode == "enforce" for item in verdict.filters):
        return "content"
    return "cap" if verdict.max_tokens is not None else "pass"


def _on(endpoint: str, one: Attributes) -> Attributes:
    return replace(one, endpoint=endpoint)


def _using(one: Attributes, features: tuple[str, ...]) -> Attributes:
    """Use features; a stream shows in two attributes."""
    return replace(one, features=features, stream="streaming" in features) if features else one
