"""What people enter about segments and pattern sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms

from corrections.segments import reading
from corrections.segments.models import Mode, Segment
from irapp.accounts.models import User

if TYPE_CHECKING:
    from collections.abc import Mapping

    from corrections.segments.models import Register

IN_USE: Final = [("", "In use"), ("retired", "Retired"), ("all", "All")]
PASTED: Final = 200_000
"""Characters that may be typed or pasted; more comes as a file."""


class PatternFilter(forms.Form):
    """The filter bar of the list of pattern sets."""

    q = forms.CharField(
        label="Search", required=False, max_length=200, widget=forms.TextInput(attrs={"type": "search"})
    )
    state = forms.ChoiceField(label="State", required=False, choices=IN_USE)


class Filter(PatternFilter):
    """The filter bar of the list of segments."""

    of = forms.ChoiceField(label="Of", required=False, choices=[("", "Anybody"), *Segment.Of.choices])
    field_order = ("q", "of", "state")


class Words(forms.Form):
    """The words around the content."""

    title = forms.CharField(max_length=200, help_text="What a colleague looks for at night.")
    description = forms.CharField(
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Where it comes from, who belongs in it and who does not. Markdown.",
    )
    owner = forms.ModelChoiceField(
        User.objects.none(), required=False, empty_label="Nobody", help_text="Who keeps it up to date."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner: Any = self.fields["owner"]
        owner.queryset = User.objects.filter(is_active=True).order_by("name", "username")

    def content(self) -> dict[str, Any]:
        """Give what the actions take."""
        said = dict(self.cleaned_data)
        owner = said.pop("owner")
        return {**said, "owner_id": owner.pk if owner else None}


class NewSegment(Words):
    """A new segment; of whom cannot be changed later."""

    of = forms.ChoiceField(
        label="Of",
        choices=Segment.Of.choices,
        initial=Segment.Of.USER,
        widget=forms.RadioSelect,
        help_text="By which of their names the gateways know them. This stays.",
    )
    field_order = ("title", "of", "description", "owner")


class NewPatternSet(Words):
    """A new pattern set."""


class Edit(Words):
    """Other words, bound to the revision that was read."""

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=1)

    @classmethod
    def of_register(cls, register: Register, data: Mapping[str, str] | None) -> Edit:
        """Begin from what is stored."""
        begin = {name: getattr(register, name) for name in ("title", "description", "owner", "revision")}
        return cls(data, initial=begin)


class Bring(forms.Form):
    """A file, or names typed by hand."""

    file = forms.FileField(
        required=False,
        allow_empty_file=True,
        max_length=250,
        help_text="CSV or plain text, UTF-8, up to 20 MB and 100 000 subjects. Comma, semicolon or tab.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv,text/plain"}),
    )
    typed = forms.CharField(
        label="Or type them",
        required=False,
        max_length=PASTED,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocapitalize": "none"}),
        help_text="One per line.",
    )
    mode = forms.ChoiceField(
        label="What to do with them", choices=Mode.choices, initial=Mode.ADD, widget=forms.RadioSelect
    )

    def clean(self) -> dict[str, Any]:
        """Ask for one of the two."""
        said = super().clean() or {}
        if not said.get("file") and not said.get("typed", "").strip() and not self.errors:
            self.add_error("file", "Choose a file, or type something.")
        if said.get("file") and said.get("typed", "").strip():
            self.add_error("typed", "A file or typed text, not both.")
        file = said.get("file")
        if file and file.size > reading.MOST_BYTES:
            most = reading.MOST_BYTES // 1_000_000
            self.add_error("file", f"The file has {file.size / 1e6:.1f} MB; at most {most} MB are read.")
        return said

    def brought(self) -> tuple[str, bytes]:
        """Give the name and the bytes."""
        file = self.cleaned_data["file"]
        if file:
            return str(file.name), bytes(file.read())
        return "typed by hand", str(self.cleaned_data["typed"]).encode()


class BringPatterns(Bring):
    """A file of patterns, or terms typed by hand."""

    file = forms.FileField(
        required=False,
        allow_empty_file=True,
        max_length=250,
        help_text="One term per line; or CSV with the headings text, kind (literal or regex), id, weight and"
        " sample; or JSON. UTF-8, up to 10 000 patterns.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,.json"}),
    )
    typed = forms.CharField(
        label="Or type them",
        required=False,
        max_length=PASTED,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocapitalize": "none"}),
        help_text="One term per line, or JSON as in a file.",
    )


class Layout(forms.Form):
    """How to read the file; what is empty is found out."""

    mode = forms.ChoiceField(label="What to do", choices=Mode.choices)
    column = forms.TypedChoiceField(label="Column", coerce=int, required=False, empty_value=None)
    header = forms.ChoiceField(
        label="First row",
        required=False,
        choices=[("", "Find out"), ("yes", "Headings"), ("no", "Already a subject")],
    )
    delimiter = forms.ChoiceField(
        label="Columns are separated by",
        required=False,
        choices=[("", "Find out"), ("comma", "Comma"), ("semicolon", "Semicolon"), ("tab", "Tab")],
    )

    def __init__(self, *args: Any, table: reading.Table | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        if table is None:
            return
        found = {
            "column": table.columns[table.column],
            "header": "headings" if table.header else "already a subject",
            "delimiter": reading.DELIMITERS[table.delimiter],
        }
        fields["column"].choices = [("", ""), *((str(at), name) for at, name in enumerate(table.columns))]
        for name, value in found.items():
            told = f"Found: {value}" if not self.data.get(name) else "Find out"
            fields[name].choices = [("", told), *fields[name].choices[1:]]

    def layout(self) -> reading.Layout:
        """Give what the reader takes."""
        said = self.cleaned_data
        marks = {name: mark for mark, name in reading.DELIMITERS.items()}
        return reading.Layout(
            delimiter=marks.get(said.get("delimiter", "")),
            header={"yes": True, "no": False}.get(said.get("header", "")),
            column=said.get("column"),
        )


class AnyColumn(Layout):
    """Before the file is read nobody knows its columns: any number will do, the reader checks it."""

    column = forms.IntegerField(required=False, min_value=0, max_value=10_000)  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        forms.Form.__init__(self, *args, **kwargs)


class Confirm(forms.Form):
    """Take it in as previewed."""

    reason = forms.CharField(
        label="Reason",
        max_length=4_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept for good; read by those who decide with this list and by the auditor.",
    )
    skip_invalid = forms.BooleanField(required=False)
    digest = forms.CharField(max_length=71, widget=forms.HiddenInput)
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=1)

    def __init__(self, *args: Any, invalid: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = "the invalid row" if invalid == 1 else f"the {invalid} invalid rows"
        self.fields["skip_invalid"].label = f"Go on without {rows}"
        if not invalid:
            del self.fields["skip_invalid"]


class Retire(forms.Form):
    """Out of use, with a reason."""

    reason = forms.CharField(max_length=4_000, widget=forms.Textarea(attrs={"rows": 3}))


class Sure(forms.Form):
    """Nothing but the button."""


class Search(forms.Form):
    """Looking through what a version holds."""

    q = forms.CharField(
        label="Holds the text",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "autocapitalize": "none", "spellcheck": "false"}),
    )


class TryOut(forms.Form):
    """A text to be held against the patterns. It is not stored."""

    sample = forms.CharField(
        label="Text",
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="Matched as the gateways would match it. It is neither stored nor logged.",
    )
