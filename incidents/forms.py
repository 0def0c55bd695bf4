"""What people may enter about an incident."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django import forms

from incidents.models import IncidentRole, Note, Severity, Task
from incidents.selectors.timeline import Kind
from incidents.states import State
from irapp.common.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from incidents.moves import Move
    from irapp.accounts.models import User

SEVERITIES = [("", "Not judged yet"), *Severity.choices]
STATES = [("", "Any"), ("OPEN", "Open"), *State.choices]


@contextmanager
def refusals_in(form: forms.Form) -> Iterator[None]:
    """Show what an action finds wrong at the field it names."""
    try:
        yield
    except InvalidError as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))


def _lines(rows: int, **attrs: str) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows, **attrs})


class Incident(forms.Form):
    """What an incident is about."""

    title = forms.CharField(max_length=200, help_text="One line that a colleague understands at night.")
    summary = forms.CharField(
        required=False,
        max_length=20_000,
        widget=_lines(6),
        help_text="What was seen, where, since when. Markdown.",
    )
    severity = forms.ChoiceField(required=False, choices=SEVERITIES)
    model_name = forms.CharField(
        label="Affected model",
        required=False,
        max_length=100,
        help_text="As the gateway names it.",
        widget=forms.TextInput(attrs={"list": "known-models"}),
    )


class Open(Incident):
    """A new incident."""

    restricted = forms.BooleanField(
        label="Restricted",
        required=False,
        help_text="Only the people on it, auditors and administrators see it.",
    )


class Edit(Incident):
    """A change; ``revision`` is what the person saw."""

    revision = forms.IntegerField(min_value=1, widget=forms.HiddenInput)


class MakeMove(forms.Form):
    """The confirmation of a move."""

    reason = forms.CharField(max_length=2000, widget=_lines(4))
    override = forms.BooleanField(
        label="Go on without what is missing",
        required=False,
        help_text="What is skipped stays listed, and must be made up before the incident can close.",
    )

    def __init__(self, *args: Any, move: Move, missing: bool, **named: Any) -> None:
        super().__init__(*args, **named)
        self.fields["reason"].required = move.terms.reason
        if missing and move.terms.override:
            self.fields["reason"].help_text = "Needed to go on without what is missing."
        else:
            del self.fields["override"]


class Restrict(forms.Form):
    """Who may see the incident."""

    restricted = forms.BooleanField(label="Only people with a need to know may see it", required=False)
    reason = forms.CharField(max_length=2000, widget=_lines(2))


class WriteNote(forms.Form):
    """A note."""

    body = forms.CharField(label="Note", max_length=20_000, widget=_lines(4), help_text="Markdown.")
    kind = forms.ChoiceField(
        label="Kind",
        choices=Note.Kind.choices,
        help_text="Execution asks for an assessment: what is known, and how surely.",
    )


class EditNote(forms.Form):
    """Other words for a note; ``revision`` is what the person saw."""

    body = forms.CharField(label="Note", max_length=20_000, widget=_lines(10), help_text="Markdown.")
    revision = forms.IntegerField(min_value=1, widget=forms.HiddenInput)


class People(forms.Form):
    """A form that names people; the page reads them once for all its forms."""

    def __init__(self, *args: Any, people: Iterable[User], **named: Any) -> None:
        super().__init__(*args, **named)
        choices = [(person.pk, str(person)) for person in people]
        for field in self.fields.values():
            if isinstance(field, Person):
                field.choices = [("", field.nobody), *choices]


class Person(forms.TypedChoiceField):
    """Somebody, by key."""

    def __init__(self, *, nobody: str = "Choose", **named: Any) -> None:
        self.nobody = nobody
        super().__init__(coerce=int, empty_value=None, **named)


class AddTask(People):
    """Something to do."""

    title = forms.CharField(label="Task", max_length=200)
    owner_id = Person(label="Owner", required=False, nobody="Nobody yet")
    due_at = forms.DateTimeField(
        label="Due (UTC)",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    detail = forms.CharField(label="Details", required=False, max_length=20_000, widget=_lines(2))


class FinishTask(forms.Form):
    """How a task ended."""

    outcome = forms.ChoiceField(choices=Task.Outcome.choices)
    note = forms.CharField(
        label="Remark", required=False, max_length=2000, help_text="If it is not needed, say why."
    )


class Assign(People):
    """A part for somebody."""

    role = forms.ChoiceField(label="Part", choices=IncidentRole.Part.choices)
    user_id = Person(label="Person")


class Filters(forms.Form):
    """How the list of incidents is narrowed."""

    q = forms.CharField(
        label="Search", required=False, max_length=200, widget=forms.TextInput(attrs={"type": "search"})
    )
    state = forms.ChoiceField(required=False, choices=STATES)
    severity = forms.ChoiceField(required=False, choices=[("", "Any"), *Severity.choices])
    model_name = forms.CharField(
        label="Model", required=False, max_length=100, widget=forms.TextInput(attrs={"list": "known-models"})
    )
    before = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)


class TimelineFilters(forms.Form):
    """How a timeline is narrowed."""

    kind = forms.ChoiceField(label="Show", required=False, choices=Kind.choices)
    before = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)
