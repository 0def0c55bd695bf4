"""One request that is served: what was decided about it, and what became of it and of its answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from enforcement import policy
from enforcement.adapters.litellm.ruling import Law, Ruling, at_model
from enforcement.decide import Attributes
from enforcement.filter.guards import Findings, What
from enforcement.filter.record import Told

Tell: TypeAlias = "Callable[[Passage, policy.Correction, What], None]"


@dataclass
class Passage:
    """A request on its way.

    :param tell: is told whatever a correction did to its content.
    """

    law: Law
    ruling: Ruling
    tell: Tell
    told: Told = field(default_factory=Told)
    blocked: str | None = None
    """The correction that has ended its answer."""
    begun: bool = False
    """Somebody knows already what became of it."""
    _models: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.findings = Findings(self._note)

    def _note(self, item: policy.Correction, what: What) -> None:
        self.told.note(item, what)
        self.tell(self, item, what)

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
        ended = {"x-irapp-correction": self.blocked} if self.blocked else {}
        return {**self.ruling.headers, **found, **ended}
