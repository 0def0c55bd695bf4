"""One request that is served: what was decided about it, and what became of it and of its answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from enforcement import policy
from enforcement.adapters.litellm.charging import Figures
from enforcement.adapters.litellm.counting import Counting, Limited
from enforcement.adapters.litellm.ruling import Law, RefusedError, Ruling, at_model
from enforcement.adapters.litellm.telling import Ledger
from enforcement.decide import Attributes, Verdict
from enforcement.filter.guards import Findings, What
from enforcement.filter.record import Told

_REFUSED = 400
_WITHHELD = 403
_NAMED = "x-irapp-correction"


@dataclass
class Passage:
    """A request on its way.

    :param ledger: where it is noted what became of it; nothing of a probe is.
    """

    law: Law
    ruling: Ruling
    ledger: Ledger | None = None
    told: Told = field(default_factory=Told)
    blocked: str | None = None
    """The correction that has ended its answer."""
    noted: bool = False
    """It is known already what became of the request."""
    _models: list[str] = field(default_factory=list)
    _counted: set[str] = field(default_factory=set)
    _tokens: list[Limited] = field(default_factory=list)
    _dry: tuple[str, ...] = ()
    _ends: set[tuple[int, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.findings = Findings(self._found)

    def _found(self, item: policy.Correction, what: What) -> None:
        """Note what a correction did to the content; a refusal is noted with the request itself."""
        self.told.note(item, what)
        if self.ledger is None or (what == "blocked" and not isinstance(item.effect, policy.OutputFilter)):
            return
        self.ledger.note(
            self.ruling.attributes,
            (item.id,) if what in ("blocked", "shadow") else (),
            status=_WITHHELD if what == "blocked" else 200,
            correction=item.id if what in ("blocked", "redacted") else None,
            shadow=(item.id,) if what == "shadow" else (),
            flagged=(item.id,) if what == "flagged" else (),
            policy=self.law.signed.version,
            weight=0,
        )

    def came_to(self, status: int, correction: str = "") -> None:
        """Note what became of the request; and what has ended its answer, if that comes later.

        LiteLLM's own retries and fallbacks may meet the same refusal again: it is noted once.
        """
        if (status, correction) in self._ends:
            return
        self._ends.add((status, correction))
        again, self.noted = self.noted, True
        if self.ledger is None:
            return
        served = status < _REFUSED
        _note(
            self.ledger,
            self.law,
            self.ruling.attributes,
            None if again else self.ruling.verdict,
            status=status,
            correction=self.headers.get(_NAMED) if served else correction or None,
            counted=() if served or not correction or self.blocked else (correction,),
            dry=() if again else self._dry,
            weight=0 if again else 1,
        )

    async def count(self, limits: Sequence[Limited], counting: Counting, law: Law) -> None:
        """Count the request, by each limit once, whatever models it meets.

        A limit that refuses it has not counted it, and refuses it again when LiteLLM tries again.

        :param law: which the limits are of; there may be a newer one than that it began with.
        :raises RefusedError: a limit is used up.
        """
        new = [each for each in limits if each[0].correction not in self._counted]
        taken = await counting.take(new)
        if taken.used_up is not None:
            raise law.refused(taken.used_up.correction)
        self._counted.update(each[0].correction for each in new)
        self._tokens += [each for each in new if isinstance(each[1], policy.TokenLimit)]
        self._dry += taken.dry

    @property
    def figures(self) -> Figures | None:
        """Where it is read what the answer takes, if a limit asks for it."""
        return Figures(self.ruling.attributes.body_bytes) if self._tokens else None

    async def charge(self, figures: Figures | None, counting: Counting) -> None:
        """Count what an answer has taken, as far as it came."""
        for limit, effect in self._tokens if figures and figures.came else ():
            await counting.spend(limit, effect, figures.tokens(limit.metric) if figures else 0)

    def went_to(self, model: str) -> None:
        """Note another model that LiteLLM itself lets answer."""
        if model not in self._models:
            self._models.append(model)

    @property
    def attributes(self) -> tuple[Attributes, ...]:
        """The request as each model meets it that may be answering."""
        asked, names = self.ruling.attributes, dict.fromkeys([self.ruling.model, *self._models])
        return (asked, *(at_model(asked, name) for name in names if name != asked.model))

    @property
    def headers(self) -> dict[str, str]:
        """What the caller is told: warnings, what was changed or found, what was withheld."""
        found = {name.decode(): value.decode() for name, value in self.told.headers()}
        ended = {_NAMED: self.blocked} if self.blocked else {}
        return {**self.ruling.headers, **found, **ended}


async def admitted(
    law: Law, asked: Attributes, data: dict[str, Any], *, counting: Counting, ledger: Ledger | None = None
) -> Passage:
    """Decide about a request, count it, and change it as the policy wants it.

    :param ledger: where it is noted if it is refused, and later what became of it.
    :raises RefusedError: it is refused.
    """
    try:
        ruling = law.rule(asked, now=datetime.now(UTC))
    except RefusedError as refused:
        if ledger is not None:
            names = (refused.correction,) if refused.correction else ()
            told = next(iter(names), None)
            _note(ledger, law, asked, refused.verdict, counted=names, status=refused.status, correction=told)
        raise
    passage = Passage(law, ruling, ledger)
    try:
        await passage.count(law.limits(ruling), counting, law)
        law.read(data, ruling, passage.findings)
        law.write(data, ruling)
    except RefusedError as refused:
        passage.came_to(refused.status, refused.correction)
        raise
    return passage


def _note(
    ledger: Ledger,
    law: Law,
    asked: Attributes,
    verdict: Verdict | None,
    *,
    counted: tuple[str, ...] = (),
    dry: tuple[str, ...] = (),
    **found: Any,
) -> None:
    shadow = (*(verdict.shadow if verdict else ()), *dry)
    warned = tuple(each.correction for each in verdict.warnings) if verdict else ()
    version = law.signed.version
    ledger.note(asked, (*counted, *shadow), shadow=shadow, warned=warned, policy=version, **found)
