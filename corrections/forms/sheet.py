"""The form that describes a correction: one shape for a draft, its revision and a new version."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.datastructures import MultiValueDict

from corrections import registers
from corrections.forms import offered
from corrections.forms.parameters import FIELDS, PARAMETER_OF
from corrections.forms.questions import Questions
from corrections.forms.scopes import (
    DEFAULTS,
    FUNCTIONALITY,
    ROUGH,
    SEGMENTS,
    USERS,
    gathered,
    spread,
    unasked,
)
from corrections.panels.kinds import CLASS_OF, CLASSES
from corrections.selectors.impact import seen_organisations
from irapp.common.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corrections.terms import Terms
    from irapp.accounts.models import User


class Sheet(Questions):
    """Every field of the terms; the parameters are those of the chosen kind."""

    def __init__(
        self, *args: Any, models: list[str], reader: User, terms: Terms | None = None, **kwargs: Any
    ) -> None:
        initial = {**DEFAULTS, **(spread(terms) if terms else {}), **(kwargs.get("initial") or {})}
        super().__init__(*args, **(kwargs | {"initial": initial}))
        self.given, self.unclear = terms, ""
        self.known, self.reader = models, reader
        self.chosen = self._chosen()
        own = FIELDS[self.chosen]()
        self.fields.update(own)
        for name in unasked(self.chosen):
            del self.fields[name]
        if self.chosen == "exempt":
            self.fields["expires_at"].required = True
            self.fields["expires_at"].help_text = "It ends by itself then."
        if self.needs_platforms:
            self.fields["platforms"].help_text = "One per line. At least one."
        self.order_fields(["kind", *own])
        self._offer()

    def _chosen(self) -> str:
        value = self.data.get(self.add_prefix("kind")) if self.is_bound else self.initial.get("kind")
        return str(value) if value in FIELDS else "block"

    def _offer(self) -> None:
        """Fill in what can be chosen from; what is named already stays among it."""
        models = sorted({*self.known, *self._begun("models")})
        choices = {
            "models": [(name, name) for name in models],
            SEGMENTS: offered.segments(self._begun(SEGMENTS)),
        }
        if "fallback_model" in self.fields:
            choices["fallback_model"] = [("", "Choose a model"), *((name, name) for name in self.known)]
        if "patterns" in self.fields:
            choices["patterns"] = offered.patterns([str(self.initial.get("patterns") or "")])
        if "fallback_models" in self.fields:
            self._begin_with_fallbacks()
        if "corrections" in self.fields:
            choices["corrections"] = offered.spared(self.reader, self._begun("corrections"))
        for name, found in choices.items():
            self.fields[name].choices = found  # type: ignore[attr-defined]

    def _begin_with_fallbacks(self) -> None:
        """Suggest what the register says for the organisations that use the models (P-7)."""
        models = self.data.getlist("models") if self.is_bound else self._begun("models")  # type: ignore[attr-defined]
        found = registers.customer_fallbacks(models, seen_organisations(models))
        pairs = [{"organisation": name, "model": model} for name, model in found.items()]
        if pairs and not self.initial.get("fallback_models"):
            self.initial["fallback_models"] = pairs

    def _begun(self, name: str) -> list[str]:
        return [str(value) for value in self.initial.get(name) or ()]

    @property
    def classes(self) -> list[dict[str, object]]:
        """The five classes with the radio buttons of their kinds, as the page shows them."""
        options = {str(option.data["value"]): option for option in self["kind"]}
        return [
            {
                "words": words,
                "options": [options[kind] for kind in words.kinds],
                "current": words is self.words,
            }
            for words in CLASSES
        ]

    @property
    def words(self) -> object:
        """The class of the chosen kind."""
        return CLASS_OF[self.chosen]

    @property
    def parameters(self) -> Iterator[forms.BoundField]:
        """The fields that only this kind has."""
        return (self[name] for name in FIELDS[self.chosen]())

    def uncheck(self) -> None:
        """Go back to a form that is being filled in, with everything that was typed and no complaints."""
        typed = {
            name: field.widget.value_from_datadict(self.data, self.files, self.add_prefix(name))
            for name, field in self.fields.items()
        }
        self.initial = {**self.initial} | {name: value for name, value in typed.items() if value is not None}
        self.is_bound, self.data = False, MultiValueDict()

    def asked(self, *names: str) -> list[forms.BoundField]:
        """Give those of the fields that this kind asks for."""
        return [self[name] for name in names if name in self.fields]

    @property
    def moments(self) -> list[forms.BoundField]:
        """When."""
        return self.asked("starts_at", "grace_until", "expires_at", "review_at")

    @property
    def manners(self) -> list[forms.BoundField]:
        """How."""
        return self.asked("at_expiry", "mode", "running_streams")

    @property
    def told(self) -> list[forms.BoundField]:
        """What callers are told."""
        return self.asked("public_reason", "appeal")

    @property
    def measured(self) -> list[forms.BoundField]:
        """What is known about a filter before it is enforced."""
        return self.asked("expected_false_positive_percent")

    @property
    def needs_platforms(self) -> bool:
        """Whether it makes no sense without a platform; a fold that is morphed in stays as it was: closed."""
        return self.chosen == "market_removal"

    @property
    def wider_functionality(self) -> bool:
        """Whether the rarer dimensions of the functionality are in use."""
        return self._used("platforms", "features")

    @property
    def wider_users(self) -> bool:
        """Whether the rarer dimensions of the users scope are in use."""
        return self._used("regions", "tiers", SEGMENTS)

    @property
    def offers_segments(self) -> bool:
        """Whether there is any to choose."""
        return bool(self.fields[SEGMENTS].choices)  # type: ignore[attr-defined]

    @property
    def scope_help(self) -> str:
        """What it means to be named here, and to name nobody."""
        return SCOPE_HELP.get(self.chosen, SCOPE_HELP[""])

    def _used(self, *names: str) -> bool:
        return any(self[name].value() or self[name].errors for name in names)

    def rough_terms(self) -> Terms | None:
        """Give what can be understood so far, for a preview; None before the scopes make sense."""
        if not self.is_bound:
            return self.given
        if self.lacking:
            return None
        try:
            return self._terms(ROUGH | self.cleaned_data)
        except InvalidError as error:
            self.unclear = str(error)
            return None

    @property
    def lacking(self) -> str:
        """Say what a preview cannot do without."""
        needed = ("kind", *FIELDS[self.chosen](), *FUNCTIONALITY, *USERS, SEGMENTS)
        missing = (f"{self[name].label}: {self.errors[name][0]}" for name in needed if name in self.errors)
        return self.unclear or next(missing, "")

    def terms(self) -> Terms:
        """Give what was typed as the actions take it, frozen to the lists and patterns that it names.

        :raises InvalidError: a segment or pattern set is gone.
        """
        return self._terms(self.cleaned_data)

    def _terms(self, data: dict[str, Any]) -> Terms:
        terms = gathered(data, self.chosen)
        users, parameters = registers.resolved(dict(terms.users), dict(terms.parameters))
        return replace(terms, users=users, parameters=parameters)

    def refuse(self, error: InvalidError) -> None:
        """Put a refusal of the actions beside the field that it names."""
        called = {parameter: field for field, parameter in PARAMETER_OF.items() if field in self.fields}
        parts = error.field.split(".")
        if parts[0] == "parameters":
            parts = [called.get(part, part) for part in parts]
        shown = SHOWN_AT.get(error.field, next((part for part in reversed(parts) if part in self.fields), ""))
        self.add_error(shown if shown in self.fields else None, str(error))


SCOPE_HELP = {
    "": "Whoever stands in one of the lists is in the scope. With all of them empty it touches everyone.",
    "block": "Whoever stands in one of the lists is refused. Name somebody.",
    "allow": "Whoever stands in one of the lists is served; everyone else is refused. Name somebody.",
    "exempt": "Whoever stands in one of the lists is spared; with all of them empty, everyone is.",
}
SHOWN_AT = {"functionality": "use_cases", "users.lists": SEGMENTS, "users.segments": SEGMENTS}
"""Refusals about a whole scope stand at the field where they are mended."""
