"""The sheet in its three uses: a first draft, its revision, the next version of what is in force."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django import forms
from django.db import transaction
from django.utils import timezone

from corrections import actions
from corrections.forms.once import save_once
from corrections.forms.sheet import Sheet
from corrections.models import Package
from corrections.terms import Terms
from irapp.common.errors import DomainError, InvalidError

if TYPE_CHECKING:
    from corrections.models import Correction
    from incidents.models import Incident
    from irapp.accounts.models import User

NEW = "new"


class Saved(Sheet):
    """A sheet that can be saved; a refusal becomes an error of the form, so that nothing typed is lost."""

    placement: tuple[str, ...] = ()
    incident: Incident
    correction: Correction | None = None  # the one that is revised or replaced
    repeated: bool = False  # what was sent had been saved before

    @property
    def heading(self) -> str:
        """What the page is for."""
        raise NotImplementedError

    @property
    def replaced(self) -> Correction | None:
        """What gives way to it, if it is imposed."""
        return self.correction.supersedes if self.correction else None

    @property
    def placed(self) -> list[forms.BoundField]:
        """The fields that say where a new correction belongs."""
        return [self[name] for name in self.placement]

    def saved(self, *, by: User) -> Correction | None:
        """Save, or put the refusal where it belongs and give None."""
        if not self.is_valid():
            return None
        try:
            with transaction.atomic():
                return self.save(by=by)
        except InvalidError as error:
            self.refuse(error)
        except DomainError as error:
            self.add_error(None, str(error))
        return None

    def save(self, *, by: User) -> Correction:
        """Call the action."""
        raise NotImplementedError


class Draft(Saved):
    """A first draft, in a package of the incident that exists or begins with it."""

    once = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    package = forms.ChoiceField(label="Package", widget=forms.RadioSelect)
    title = forms.CharField(label="Title of the new package", required=False, max_length=200)
    rationale = forms.CharField(
        label="Why corrections are called for",
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="One or two sentences; the evidence stays on the incident.",
    )
    precaution = forms.BooleanField(
        label="Precaution: the incident is not confirmed yet, so every correction of the package must expire",
        required=False,
    )
    placement = ("package", "title", "rationale", "precaution")

    def __init__(self, *args: Any, incident: Incident, **kwargs: Any) -> None:
        self.incident = incident
        packages = list(Package.objects.filter(incident=incident).order_by("-pk"))
        begins = {"package": str(packages[0].pk) if packages else NEW, "title": f"Response to {incident}"}
        kwargs["initial"] = begins | _likely(incident, kwargs["models"]) | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        new = (NEW, "Begin a new package")
        self.fields["package"].choices = [*((str(each.pk), each.title) for each in packages), new]  # type: ignore[attr-defined]

    @property
    def heading(self) -> str:
        """What the page is for."""
        return f"New correction for {self.incident}"

    def clean(self) -> dict[str, Any]:
        """A package that begins needs its title."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("package") == NEW and not data.get("title"):
            self.add_error("title", "A new package needs a title.")
        return data

    def save(self, *, by: User) -> Correction:
        """Begin the package if needed, and draft; once, however often it is sent."""
        correction, self.repeated = save_once(str(self.cleaned_data["once"]), partial(self._save, by), by=by)
        return correction

    def _save(self, by: User) -> Correction:
        return actions.draft_correction(package_id=self._package(by), terms=self.terms(), by=by)

    def _package(self, by: User) -> int:
        data = self.cleaned_data
        if data["package"] != NEW:
            return int(data["package"])
        said = {name: data[name] for name in ("title", "rationale", "precaution")}
        return actions.open_package(incident_id=self.incident.pk, by=by, **said).pk


class Revision(Saved):
    """Other terms for what nobody has approved yet."""

    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, correction: Correction, **kwargs: Any) -> None:
        self.correction: Correction = correction
        self.incident = correction.package.incident
        initial = {"revision": correction.revision}
        super().__init__(*args, terms=Terms.of(correction), initial=initial, **kwargs)

    @property
    def heading(self) -> str:
        """What the page is for."""
        return f"Edit {self.correction}"

    def save(self, *, by: User) -> Correction:
        """Revise, unless somebody else was faster."""
        revision = self.cleaned_data["revision"]
        return actions.revise_correction(
            correction_id=self.correction.pk, revision=revision, terms=self.terms(), by=by
        )


class Version(Saved):
    """The next version of a correction in force: tighter, looser, longer."""

    def __init__(self, *args: Any, correction: Correction, **kwargs: Any) -> None:
        self.correction: Correction = correction
        self.incident = correction.package.incident
        super().__init__(*args, terms=Terms.of(correction), initial=_still_ahead(correction), **kwargs)

    @property
    def heading(self) -> str:
        """What the page is for."""
        return f"New version of {self.correction}"

    @property
    def replaced(self) -> Correction | None:
        """What gives way to it, if it is imposed."""
        return self.correction

    def save(self, *, by: User) -> Correction:
        """Draft the version."""
        return actions.draft_version(correction_id=self.correction.pk, terms=self.terms(), by=by)


def _likely(incident: Incident, models: list[str]) -> dict[str, object]:
    """Begin with the affected model, a review tomorrow and an end in a week: each is easily changed."""
    now = timezone.now()
    named = [incident.model_name] if incident.model_name in models else []
    return {"models": named, "review_at": now + timedelta(days=1), "expires_at": now + timedelta(days=7)}


def _still_ahead(correction: Correction) -> dict[str, object]:
    """Leave out what has passed: a start behind us, an expiry that is over."""
    now = timezone.now()
    names = ("starts_at", "grace_until", "expires_at", "review_at")
    times = {name: getattr(correction, name) for name in names}
    return {name: None for name, moment in times.items() if moment is not None and moment <= now}
