"""What people enter into the registers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.forms import formset_factory

from incidents.preparation.contents import FallbackContent, ModelContent, PlanContent, Step, ThreatContent
from incidents.preparation.models import DeployedModel, Plan
from incidents.selectors.people import crew
from incidents.states import Severity

if TYPE_CHECKING:
    from incidents.preparation.contents import Owned
    from incidents.preparation.models import Entry


def _lines(rows: int = 2) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


def _date() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def _text(label: str, *, rows: int = 2, help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label=label, required=False, max_length=20_000, widget=_lines(rows), help_text=help_text
    )


class EntryForm(forms.Form):
    """What every register asks for; subclasses add theirs and say what they make."""

    makes: type[Owned]
    order = ("owner_id", "review_on")

    revision = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)
    owner_id = forms.TypedChoiceField(label="Owner", required=False, coerce=int, empty_value=None)
    review_on = forms.DateField(label="Review on", required=False, widget=_date())

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.fields["owner_id"].choices = [("", "Nobody yet"), *((one.pk, str(one)) for one in crew())]  # type: ignore[attr-defined]
        for name, choices in self.keyed().items():
            self.fields[name].choices = choices  # type: ignore[attr-defined]
        self.order_fields([name for name in self.fields if name not in self.order])

    def keyed(self) -> dict[str, list[tuple[Any, str]]]:
        """Give the choices of the fields that name other entries."""
        return {}

    def content(self) -> Owned:
        """Give what the action takes."""
        return self.makes(**{name: value for name, value in self.cleaned_data.items() if name != "revision"})

    @staticmethod
    def begin(entry: Any) -> dict[str, Any]:
        """Give what the form starts with for an entry that exists."""
        return {"revision": entry.revision}


class Model(EntryForm):
    """A deployed model."""

    makes = ModelContent

    name = forms.CharField(max_length=100, help_text="As the gateway names it.")
    title = forms.CharField(max_length=200)
    access = forms.ChoiceField(label="Access mode", choices=DeployedModel.Access.choices)
    description = _text("Description")
    fallback_needed = forms.BooleanField(label="A fallback is needed", required=False, initial=True)
    fallback_reason = _text("Why no fallback is needed")


class Threat(EntryForm):
    """A threat."""

    makes = ThreatContent

    title = forms.CharField(max_length=200)
    severity = forms.ChoiceField(required=False, choices=[("", "Not judged yet"), *Severity.choices])
    actor = _text("Actor or behaviour")
    capability = _text("Capability")
    pathway = _text("Pathway")
    assets = _text("What is affected")
    evidence = _text("Evidence")
    model_ids = forms.TypedMultipleChoiceField(
        label="Models", required=False, coerce=int, widget=forms.CheckboxSelectMultiple
    )
    plan_ids = forms.TypedMultipleChoiceField(
        label="Plans against it", required=False, coerce=int, widget=forms.CheckboxSelectMultiple
    )

    def keyed(self) -> dict[str, list[tuple[Any, str]]]:
        models = [(model.pk, str(model)) for model in DeployedModel.objects.current()]
        return {"model_ids": models, "plan_ids": [(plan.pk, str(plan)) for plan in Plan.objects.current()]}

    @staticmethod
    def begin(entry: Any) -> dict[str, Any]:
        models = [model.pk for model in entry.deployed_models.all()]
        return {
            "revision": entry.revision,
            "model_ids": models,
            "plan_ids": [plan.pk for plan in entry.plans.all()],
        }


class PlanStep(forms.Form):
    """One step; an empty title leaves it out."""

    title = forms.CharField(label="Step", required=False, max_length=200)
    minutes = forms.IntegerField(label="Due after min", required=False, min_value=1, max_value=525_600)
    detail = forms.CharField(label="Details", required=False, max_length=2000)


Steps = formset_factory(PlanStep, extra=3, max_num=60, absolute_max=60)


class PlanForm(EntryForm):
    """A plan and its steps."""

    makes = PlanContent

    title = forms.CharField(max_length=200)
    purpose = _text("When it applies", rows=3)

    def __init__(self, data: Any = None, *, initial: dict[str, Any] | None = None, **named: Any) -> None:
        super().__init__(data, initial=initial, **named)
        self.steps = Steps(data, initial=(initial or {}).get("steps"), prefix="steps")

    def is_valid(self) -> bool:
        """Look at the steps as well."""
        return super().is_valid() & self.steps.is_valid()

    def content(self) -> PlanContent:
        """Give the plan with the steps that have a title, in order."""
        steps = [step.cleaned_data for step in self.steps.forms if step.cleaned_data.get("title")]
        plain = {name: value for name, value in self.cleaned_data.items() if name != "revision"}
        return PlanContent(**plain, steps=tuple(Step(**step) for step in steps))

    @staticmethod
    def begin(entry: Any) -> dict[str, Any]:
        latest = entry.versions.first()
        return {"revision": entry.revision, "steps": latest.steps if latest else []}


class Fallback(EntryForm):
    """A fallback."""

    makes = FallbackContent

    model_id = forms.TypedChoiceField(label="Model", coerce=int)
    title = forms.CharField(max_length=200)
    audience = forms.CharField(label="For whom", required=False, max_length=200)
    other_model_id = forms.TypedChoiceField(
        label="Fallback model", required=False, coerce=int, empty_value=None
    )
    manual_process = _text("Or: what people do by hand")
    recovery_minutes = forms.IntegerField(
        label="Minutes until it serves", required=False, min_value=0, max_value=1_000_000
    )
    tested_on = forms.DateField(label="Last tested on", required=False, widget=_date())

    def keyed(self) -> dict[str, list[tuple[Any, str]]]:
        models = [(model.pk, str(model)) for model in DeployedModel.objects.current()]
        return {"model_id": [("", "Choose"), *models], "other_model_id": [("", "None"), *models]}


class Retire(forms.Form):
    """Why an entry is taken out of use."""

    reason = forms.CharField(max_length=2000, widget=_lines(3))


def begin(kind: type[EntryForm], entry: Entry) -> dict[str, Any]:
    """Give a form's initial values for an entry that exists."""
    plain = {name: getattr(entry, name) for name in kind.base_fields if hasattr(entry, name)}
    return plain | kind.begin(entry)
