"""``irapp-policy explain``: what the reference says about one request, and why, correction by correction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from enforcement import policy
from enforcement.cli.conditions import Condition, conditions, when
from enforcement.cli.verifying import kind_of
from enforcement.decide import Attachments, Attributes, Verdict, decide, in_force, in_grace, rank
from enforcement.decide.engine import Case


@dataclass(frozen=True)
class Explained:
    """One correction: what it comes to for this request, and the conditions that led there."""

    id: str
    kind: str
    outcome: str
    because: str
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Explanation:
    """The verdict with its reasons.

    :param models: the models that the request meets, one after another.
    """

    verdict: Verdict
    models: tuple[str, ...]
    corrections: tuple[Explained, ...]

    @property
    def facts(self) -> dict[str, object]:
        """The explanation as data."""
        verdict = {**asdict(self.verdict), "filters": [item.id for item in self.verdict.filters]}
        return {
            "verdict": verdict,
            "models": self.models,
            "corrections": [asdict(each) for each in self.corrections],
        }


def explain(
    attributes: Attributes, content: policy.Content, *, now: datetime, attachments: Attachments
) -> Explanation:
    """Decide, and say why.

    :raises PolicyError: a list that the policy names is not at hand.
    """
    verdict = decide(attributes, content, now=now, attachments=attachments)
    live = [item for item in content.corrections if in_force(item, now)]
    case = Case(attributes, live, now, attachments)
    told = [_Told(item, case, verdict).explained() for item in sorted(content.corrections, key=rank)]
    return Explanation(verdict, case.journey.models, tuple(told))


@dataclass(frozen=True)
class _Told:
    item: policy.Correction
    case: Case
    verdict: Verdict

    def explained(self) -> Explained:
        found = self._conditions()
        outcome, because = self._outcome(found)
        return Explained(self.item.id, kind_of(self.item), outcome, because, found)

    def _conditions(self) -> tuple[Condition, ...]:
        """Give the conditions at the model that the correction meets, or at the one that was asked for."""
        asked = self.case.attributes
        each = [
            tuple(conditions(self.item, replace(asked, model=model), self.case.attachments))
            for model in self.case.journey.models
        ]
        return next((found for found in each if all(one.holds for one in found)), each[0])

    def _outcome(self, found: tuple[Condition, ...]) -> tuple[str, str]:
        if not in_force(self.item, self.case.now):
            return "not in force", when(self.item, self.case.now)
        missed = next((each for each in found if not each.holds), None)
        if missed is not None:
            return "does not match", missed.text
        if self.item.id in self.verdict.exempted:
            return "exempted", f"by {', '.join(self._exemptions())}"
        if isinstance(self.item.effect, policy.Exempt):
            return "exempts", f"from {', '.join(self.item.effect.corrections)}"
        return self._acting()

    def _acting(self) -> tuple[str, str]:
        item, verdict = self.item, self.verdict
        if item.id == verdict.correction:
            return "refuses", f"{verdict.status} {verdict.code}"
        if item.mode == "shadow":
            return "dry run", self._dry()
        if warned := next((each for each in verdict.warnings if each.correction == item.id), None):
            return "warns", f"from {warned.since.isoformat()} on it refuses"
        return self._enforced()

    def _dry(self) -> str:
        if self.item.id in self.verdict.shadow:
            return "it would refuse or change the request"
        if isinstance(self.item.effect, policy.Limiting):
            return "it is counted and never refuses"
        if self.item in self.verdict.filters:
            return "its content is looked at and left alone"
        return "it would change nothing here"

    def _enforced(self) -> tuple[str, str]:
        item, verdict = self.item, self.verdict
        if in_grace(item, self.case.now):
            return "matches", "in its grace period, and it would change nothing here"
        if verdict.action == "refuse":
            return "matches", f"{verdict.correction} comes before it"
        if limit := next((each for each in verdict.limits if each.correction == item.id), None):
            window = f" per {limit.window_seconds} s" if limit.window_seconds else " at once"
            return "limits", f"{limit.amount} {limit.metric}{window}, counted for {limit.per} {limit.subject}"
        if item in verdict.filters:
            return "reads or changes the content", "in the content filter"
        return self._changed()

    def _changed(self) -> tuple[str, str]:
        effect = self.item.effect
        if isinstance(effect, policy.OutputCap):
            return "caps", f"output at {self.verdict.max_tokens} tokens"
        onward = list(self.case.journey.models[1:])
        if onward and isinstance(effect, policy.Rerouting | policy.Shutdown):
            return "reroutes", f"to {onward[-1]}"
        return "matches", "and asks for nothing that this request does"

    def _exemptions(self) -> Iterator[str]:
        for each in self.case.exemptions:
            assert isinstance(each.effect, policy.Exempt)  # noqa: S101 - exemptions are these
            if self.item.reference in each.effect.corrections:
                yield each.id
