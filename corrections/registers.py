"""What preparation knows about models and fallbacks, and what is live: whether terms fit to it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from corrections.models import Correction
from corrections.segments.registers import check_attachments, patterns_ref, subject_lists
from corrections.states import IN_POLICY
from corrections.validation import spec
from enforcement import policy
from incidents.preparation.models import DeployedModel, Fallback
from irapp.common.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from corrections.terms import Terms
    from irapp.accounts.models import User

SHUTDOWNS = ("suspend", "market_removal", "halt", "decommission", "reroute")


def check(terms: Terms, *, by: User, reference: str = "") -> None:
    """Refuse what the registers, the attachments or the corrections in force contradict.

    :param by: an exemption names only what its author can see.
    :param reference: of the correction itself: its own versions are no contradiction.
    :raises InvalidError: naming the field.
    """
    check_models(terms)
    check_fallbacks(terms, by=by, reference=reference)
    check_exemption(terms, by=by)
    check_attachments(spec(terms))


def check_models(terms: Terms) -> None:
    """Refuse a model that is not registered, or that nobody upstream controls.

    Where no model is registered at all there is nothing to check against.
    """
    register = {model.name: model for model in DeployedModel.objects.current()}
    if not register:
        return
    for field, name in _named(terms):
        if name not in register:
            raise InvalidError(
                f"{name} is not a registered model. Registered are {', '.join(sorted(register))}.",
                field=field,
                code="unknown_model",
            )
        if not register[name].can_be_restricted:
            raise InvalidError(
                f"Access to {name} cannot be restricted: its weights are open.",
                field=field,
                code="open_weights",
            )


def check_fallbacks(terms: Terms, *, by: User, reference: str = "") -> None:
    """Refuse a fallback that is itself shut down: whoever is sent there would be refused there."""
    for field, model in _fallback_models(terms):
        down = Correction.objects.filter(
            state__in=IN_POLICY, kind__in=SHUTDOWNS, mode="enforce", functionality__models__contains=model
        ).exclude(reference=reference)
        if stopped := next((each for each in down if _reaches_everyone(each)), None):
            seen = Correction.objects.visible_to(by).filter(pk=stopped.pk).exists()
            what = str(stopped) if seen else "a correction you may not see"
            raise InvalidError(f"{model} is itself shut down by {what}.", field=field, code="fallback_down")


def check_exemption(terms: Terms, *, by: User) -> None:
    """Refuse an exemption from what is not in force, or from another exemption."""
    if terms.kind != "exempt":
        return
    spared = spared_by(terms, reader=by)
    known = {each.reference for each in spared}
    for name in terms.parameters["corrections"]:  # type: ignore[attr-defined]
        if name not in known:
            raise InvalidError(
                f"{name} is not in force, so there is nothing to spare from.",
                field="parameters.corrections",
                code="not_live",
            )
    if other := next((each for each in spared if each.kind == "exempt"), None):
        raise InvalidError(
            f"{other} is itself an exemption.", field="parameters.corrections", code="not_live"
        )


def spared_by(terms: Terms, *, reader: User | None = None) -> list[Correction]:
    """Give the corrections in force that an exemption names, every version of them.

    :param reader: whoever is shown them, and sees some only; without, all are given.
    """
    names = spared_names(terms.kind, terms.parameters)
    if not names:
        return []
    every = Correction.objects.visible_to(reader) if reader else Correction.objects.all()
    rows = every.filter(reference__in=names, state__in=IN_POLICY)
    return list(rows.select_related("package__incident").order_by("reference", "version"))


def spared_names(kind: str, parameters: Mapping[str, object]) -> list[str]:
    """Give the references that an exemption names; no other kind spares from anything."""
    names = parameters.get("corrections")
    return list(names) if kind == "exempt" and isinstance(names, list | tuple) else []


def resolved(users: dict[str, Any], parameters: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Freeze names of segments and of a pattern set to the attachments they stand for now.

    :param users: may name ``segments``: ``["SEG-0003"]`` or ``["SEG-0003.2"]`` for a certain version.
    :param parameters: may name ``patterns`` as a text: ``"PAT-0001"`` or ``"PAT-0001.3"``.
    """
    users, parameters = dict(users), dict(parameters)
    segments = _items(users.pop("segments", None), field="users.segments")
    if segments:
        lists = [policy_list for name in segments for policy_list in _lists(name)]
        users["lists"] = [*_items(users.get("lists"), field="users.lists"), *lists]
    if isinstance(parameters.get("patterns"), str):
        reference, version = _reference(parameters["patterns"], field="parameters.patterns")
        found = patterns_ref(reference, version)
        parameters["patterns"] = {
            "attachment": found.attachment,
            "name": found.name,
            "version": found.version,
        }
    return users, parameters


def fallbacks(correction: policy.Correction, organisations: Iterable[str]) -> dict[str, str]:
    """Give what each organisation falls back to: by the correction itself, or by the register.

    The correction speaks first, then what is registered for the organisation, then for everybody.
    """
    registered = Fallback.objects.current().select_related("other_model", "model")
    if correction.functionality.models:
        registered = registered.filter(model__name__in=correction.functionality.models)
    by_audience = {fallback.audience.strip().lower(): _leads_to(fallback) for fallback in registered}
    general = _rerouted(correction) or by_audience.get("", "")
    found = {name: _own(correction, name) or by_audience.get(name.lower(), general) for name in organisations}
    return {name: to for name, to in found.items() if to}


def customer_fallbacks(models: Iterable[str], organisations: Iterable[str]) -> dict[str, str]:
    """Give the other model that is registered for each organisation: what a shutdown may begin with (P-7)."""
    known = {name.lower(): name for name in organisations}
    rows = Fallback.objects.current().filter(model__name__in=list(models), other_model__isnull=False)
    pairs = rows.values_list("audience", "other_model__name")
    found = {audience.strip().lower(): str(name) for audience, name in pairs}
    named = {name: found.get(lower, found.get("", "")) for lower, name in sorted(known.items())}
    return {name: model for name, model in named.items() if model}


def _named(terms: Terms) -> Iterator[tuple[str, str]]:
    models = terms.functionality.get("models", ())
    if isinstance(models, list | tuple):
        yield from (("functionality.models", str(name)) for name in models)
    yield from _fallback_models(terms)


def _fallback_models(terms: Terms) -> Iterator[tuple[str, str]]:
    if "fallback_model" in terms.parameters:
        yield "parameters.fallback_model", str(terms.parameters["fallback_model"])
    each: Any = terms.parameters.get("fallback_models") or ()
    yield from (("parameters.fallback_models", str(one["model"])) for one in each)


def _reaches_everyone(correction: Correction) -> bool:
    """A shutdown of some users or platforms leaves the model to others."""
    scope = correction.functionality
    narrowed = any(values for name, values in scope.items() if name != "models")
    return not narrowed and not any(correction.users.values()) and correction.percentage == 100  # noqa: PLR2004


def _items(given: object, *, field: str) -> list[Any]:
    """Give a list that came as raw JSON; nothing where none was given."""
    if given is None:
        return []
    if not isinstance(given, list | tuple):
        raise InvalidError("A list is needed.", field=field, code="bad_terms")
    return list(given)


def _lists(name: object) -> list[dict[str, object]]:
    reference, version = _reference(name, field="users.segments")
    return [
        {"of": each.of, "attachment": each.attachment, "count": each.count}
        for each in subject_lists(reference, version)
    ]


def _reference(name: object, *, field: str) -> tuple[str, int | None]:
    """Take ``SEG-0003.2`` apart. A version of more digits than a column holds is nobody's."""
    found = re.fullmatch(r"([^.\x00\ud800-\udfff]{1,40})(?:\.([0-9]{1,9}))?", str(name))
    if not isinstance(name, str) or found is None:
        raise InvalidError(
            "A reference is needed, alone or with a version: REF-0001 or REF-0001.2.",
            field=field,
            code="bad_terms",
        )
    return found[1], int(found[2]) if found[2] else None


def _own(correction: policy.Correction, organisation: str) -> str:
    effect = correction.effect
    return (effect.fallback_for(organisation) or "") if isinstance(effect, policy.Shutdown) else ""


def _rerouted(correction: policy.Correction) -> str:
    effect = correction.effect
    return effect.fallback_model if isinstance(effect, policy.Rerouting) else ""


def _leads_to(fallback: Fallback) -> str:
    return fallback.other_model.name if fallback.other_model else fallback.title
