"""What a policy says about one request at this door: refused, or served with changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from enforcement import policy, refusals
from enforcement.adapters.litellm.changing import change
from enforcement.adapters.litellm.content import ContentError, Reader
from enforcement.adapters.litellm.counting import Countable, Limited
from enforcement.agent.attachments import Attachments
from enforcement.decide import REFUSALS, Attributes, Rules, Verdict, in_force, lifts_at
from enforcement.filter.ending import ends_streams, next_change
from enforcement.filter.guards import Findings, Guard
from enforcement.filter.rewriting import TooManyAnswersError, UncountableError, capping
from enforcement.report import State

CLOSED = policy.ConcurrencyLimit | policy.Classifier
"""What this door cannot do: whoever matches such a correction is refused."""


class RefusedError(Exception):
    """The request ends here."""

    def __init__(
        self,
        status: int,
        body: Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
        correction: str = "",
    ) -> None:
        super().__init__(str(body["error"]["message"]))
        self.status, self.body, self.headers, self.correction = status, body, dict(headers or {}), correction
        self.verdict: Verdict | None = None
        """What was decided about the request, if anything was."""


@dataclass(frozen=True)
class Ruling:
    """A request that is served."""

    attributes: Attributes
    verdict: Verdict
    headers: dict[str, str]
    decided_at: datetime

    @property
    def model(self) -> str:
        """The model that answers."""
        return self.verdict.reroute_to or self.attributes.model

    def done_by(self, earlier: Ruling) -> bool:
        """Tell whether the request, as an earlier ruling wrote it, is as this one wants it."""
        most, before = self.verdict.max_tokens, earlier.verdict.max_tokens
        small_enough = most is None or (before is not None and before <= most)
        read = {item.id for item in earlier.verdict.filters}
        all_read = all(item.id in read for item in self.verdict.filters if item.mode == "enforce")
        return small_enough and all_read and self.verdict.reroute_to is None


class Law:
    """One policy, made ready for many requests."""

    def __init__(self, signed: policy.Policy, attachments: Attachments) -> None:
        self.signed, self.attachments = signed, attachments
        self.reader = Reader(signed.content, attachments)
        self.rules = Rules(signed.content, attachments)
        self.corrections = signed.content.corrections
        self.by_id = {item.id: item for item in self.corrections}
        self.attached = attachments
        self.ending = [item for item in self.corrections if ends_streams(item)]
        self.exemptions = [item for item in self.corrections if isinstance(item.effect, policy.Exempt)]

    def rule(self, asked: Attributes, *, now: datetime) -> Ruling:
        """Decide about a request; its limits have to be counted still.

        :raises RefusedError: it is refused, by a correction or because this door cannot do what one asks.
        """
        verdict = self.rules.decide(asked, now=now)
        try:
            if verdict.action == "refuse":
                raise self.refused(verdict.correction or "")
            self._close(verdict)
        except RefusedError as refused:
            refused.verdict = verdict
            raise
        return Ruling(asked, verdict, self._headers(verdict), now)

    def limits(self, ruling: Ruling) -> list[Limited]:
        """Give the limits that count a request."""
        found = [(limit, self.by_id[limit.correction].effect) for limit in ruling.verdict.limits]
        return [(limit, effect) for limit, effect in found if isinstance(effect, Countable)]

    def states(self, now: datetime) -> tuple[State, ...]:
        """Give what each correction is at a moment: starts, ends and grace periods come by the clock."""
        return tuple(state_of(item, now) for item in self.corrections)

    def next_change(self, now: datetime) -> datetime | None:
        """Give when the clock alone will change something."""
        return next_change(self.corrections, now)

    def guards(self, ruling: Ruling) -> list[Guard]:
        """Give the filters that look into the answer to a request that is served."""
        return self.reader.guards(ruling.verdict.filters, policy.OutputFilter)

    def read(self, data: dict[str, Any], ruling: Ruling, findings: Findings) -> None:
        """Look into the content of a request that is served, and change it.

        :raises RefusedError: a correction blocks it.
        """
        try:
            self.reader.change(data, ruling.verdict.filters, findings, endpoint=ruling.attributes.endpoint)
        except ContentError as blocked:
            raise self.refused(blocked.correction.id) from None

    def write(self, data: dict[str, Any], ruling: Ruling) -> None:
        """Change model and output of a request that is served.

        :raises RefusedError: its answers cannot be counted, or not be made as few as the policy wants.
        """
        try:
            change(data, ruling.verdict, endpoint=ruling.attributes.endpoint)
        except UncountableError as error:
            raise RefusedError(400, refusals.error("invalid_request", str(error))) from None
        except TooManyAnswersError:
            raise self.refused(capping(ruling.verdict, self.by_id.values()).id) from None

    def refused(self, correction: str) -> RefusedError:
        """Give the refusal by a correction."""
        item = self.by_id[correction]
        _, status, _ = REFUSALS[type(item.effect)]
        after = refusals.retry_after(item)
        headers = _named(item.id) | ({"retry-after": str(after)} if after else {})
        return RefusedError(status, refusals.refusal(item), headers, item.id)

    def _close(self, verdict: Verdict) -> None:
        for item in verdict.filters:
            if item.mode == "enforce" and isinstance(item.effect, CLOSED):
                raise self.refused(item.id)
        for limit in verdict.limits:
            if not limit.shadow and limit.kind == "concurrency_limit":
                body = refusals.uncounted(self.by_id[limit.correction])
                raise RefusedError(503, body, _named(limit.correction), limit.correction)

    def _headers(self, verdict: Verdict) -> dict[str, str]:
        told = ", ".join(refusals.warning(each.correction, each.since) for each in verdict.warnings)
        changing = [name for name in verdict.matched if self._changes(name)]
        return {
            **({"x-irapp-warning": told} if told else {}),
            **(_named(changing[0]) if changing else {}),
        }

    def _changes(self, correction: str) -> bool:
        return isinstance(
            self.by_id[correction].effect, policy.Rerouting | policy.OutputCap | policy.Shutdown
        )


def _named(correction: str) -> dict[str, str]:
    return {"x-irapp-correction": correction}


def at_model(asked: Attributes, model: str) -> Attributes:
    """Ask the same for another model: an alias, or a fallback that LiteLLM chose."""
    return replace(asked, model=model)


def state_of(item: policy.Correction, now: datetime) -> State:
    """Give what a correction is at a moment."""
    if not in_force(item, now):
        end = lifts_at(item)
        return "expired" if end is not None and now >= end else "scheduled"
    return "shadow" if item.mode == "shadow" else "in_force"
