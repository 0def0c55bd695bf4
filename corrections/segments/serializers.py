"""What the API takes and tells of segments and pattern sets."""

from __future__ import annotations

from typing import Any, Final

from rest_framework import serializers

from corrections.segments import panels, reading
from corrections.segments.actions.importing import Intent
from corrections.segments.models import Mode, PatternSet, PatternSetVersion, Segment, SegmentVersion
from enforcement import policy
from irapp.common.api.serializers import StrictSerializer

Plain = dict[str, Any]
AT_ONCE: Final = 20_000
"""Names in one JSON body; longer lists come as a file."""
_TOLD: Final = ("id", "reference", "title", "description", "owner", "version", "count", "revision")
_DATES: Final = ("created_at", "changed_at", "retired_at", "retired_reason")
_VERSION: Final = ("number", "at", "by", "reason", "mode", "source_name", "source_digest")
_COUNTS: Final = ("added", "removed", "skipped", "count")


class NewPatternSet(StrictSerializer):
    """A pattern set to begin."""

    title = serializers.CharField(max_length=200)
    description = serializers.CharField(required=False, max_length=10_000, default="")
    owner_id = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=1)


class NewSegment(NewPatternSet):
    """A segment to begin."""

    of = serializers.ChoiceField(choices=Segment.Of.choices)


class Reason(StrictSerializer):
    """Why."""

    reason = serializers.CharField(max_length=4000)


class Meant(StrictSerializer):
    """What is to be done, why, and with what one has seen before."""

    mode = serializers.ChoiceField(choices=Mode.choices, default=Mode.ADD)
    reason = serializers.CharField(max_length=4000)
    revision = serializers.IntegerField(
        required=False,
        min_value=1,
        help_text="The one you have seen: refused where it changed. Needed for replacing.",
    )
    skip_invalid = serializers.BooleanField(
        required=False, default=False, help_text="Go on without invalid rows; otherwise they are refused."
    )
    dry_run = serializers.BooleanField(
        required=False, default=False, help_text="Only tell what would happen: 200 instead of 201."
    )

    def intent(self, *, name: str = "", digest: str = "") -> Intent:
        """Give what the actions take."""
        said = self.validated_data
        return Intent(
            mode=Mode(said["mode"]),
            reason=said["reason"],
            revision=said.get("revision"),
            skip_invalid=said["skip_invalid"],
            source_name=name,
            source_digest=digest,
        )


class Subjects(Meant):
    """Subjects named one by one."""

    subjects = serializers.ListField(
        child=serializers.CharField(max_length=400, trim_whitespace=False, allow_blank=True),
        min_length=1,
        max_length=AT_ONCE,
    )


class Patterns(Meant):
    """Patterns named one by one."""

    patterns = serializers.ListField(
        child=serializers.DictField(),
        min_length=1,
        max_length=policy.PATTERNS_MOST,
        help_text="Each with text, and if need be id, kind (literal or regex), weight and sample.",
    )


class PatternImport(Meant):
    """How a file of patterns is to be taken in."""

    file_name = serializers.CharField(required=False, max_length=250, default="")


class Import(PatternImport):
    """How a file of subjects is to be read and taken in."""

    delimiter = serializers.ChoiceField(choices=["comma", "semicolon", "tab"], required=False)
    header = serializers.BooleanField(required=False, allow_null=True, default=None)
    column = serializers.CharField(
        required=False, max_length=200, help_text="A heading, or a number from 1; found out otherwise."
    )

    def layout(self) -> reading.Layout:
        """Give what the reader takes."""
        said = self.validated_data
        marks = {name: mark for mark, name in reading.DELIMITERS.items()}
        column: str | int | None = said.get("column")
        if column and str(column).isdecimal():
            column = int(column) - 1
        return reading.Layout(
            delimiter=marks.get(said.get("delimiter", "")), header=said["header"], column=column
        )


class Asked(StrictSerializer):
    """Which page of which version."""

    version = serializers.IntegerField(required=False, min_value=1)
    page = serializers.IntegerField(required=False, min_value=1, default=1)
    q = serializers.CharField(required=False, max_length=200, default="", help_text="Holds this text.")


class AskedSubjects(Asked):
    """Which page of which version, or whether somebody is in it."""

    name = serializers.CharField(
        required=False, max_length=200, help_text="Exactly this subject: answers with one name or none."
    )


class Sample(StrictSerializer):
    """A text to be held against the patterns; it is not stored."""

    text = serializers.CharField(max_length=20_000, trim_whitespace=False)


class OfPatternSet(serializers.ModelSerializer[PatternSet]):
    """A pattern set."""

    owner = serializers.CharField(source="owner.username", default=None, allow_null=True)

    class Meta:
        model = PatternSet
        fields = (*_TOLD, *_DATES)


class OfSegment(serializers.ModelSerializer[Segment]):
    """A segment."""

    owner = serializers.CharField(source="owner.username", default=None, allow_null=True)

    class Meta:
        model = Segment
        fields = (*_TOLD, "of", *_DATES)


class OfList(serializers.Serializer[Any]):
    """A list, as the users scope of a correction names it."""

    of = serializers.CharField()
    attachment = serializers.CharField()
    count = serializers.IntegerField()


class OfSegmentVersion(serializers.ModelSerializer[SegmentVersion]):
    """A version of a segment, and the lists by which corrections name it."""

    by = serializers.CharField(source="by.username")
    lists = serializers.SerializerMethodField()

    class Meta:
        model = SegmentVersion
        fields = (*_VERSION, *_COUNTS, "lists")

    def get_lists(self, version: SegmentVersion) -> list[Plain]:
        """Give them as they are packed now."""
        packing = next(iter(version.packings.all()), None)
        parts = (packing.base, packing.recent) if packing else ()
        of = version.segment.of
        return [{"of": of, "attachment": part.digest, "count": part.count} for part in parts if part]


class OfPatternSetVersion(serializers.ModelSerializer[PatternSetVersion]):
    """A version of a pattern set, and the reference by which filters name it."""

    by = serializers.CharField(source="by.username")
    attachment = serializers.CharField(source="attachment_id")

    class Meta:
        model = PatternSetVersion
        fields = (*_VERSION, *_COUNTS, "changed", "attachment")


class OfCount(serializers.Serializer[Any]):
    """How many rows are of one sort."""

    label = serializers.CharField()  # type: ignore[assignment] # a field called as DRF calls its own
    number = serializers.IntegerField()


class OfInvalid(serializers.Serializer[Any]):
    """A row that cannot be taken in."""

    line = serializers.IntegerField()
    value = serializers.CharField()
    reason = serializers.CharField()


class OfPreview(serializers.Serializer[Any]):
    """What would happen."""

    counts = OfCount(many=True)
    after = serializers.IntegerField()
    invalid_total = serializers.IntegerField()
    invalid = OfInvalid(many=True)
    why_not = serializers.CharField()


class OfSubjects(serializers.Serializer[Any]):
    """A page of names."""

    version = serializers.IntegerField()
    total = serializers.IntegerField()
    page = serializers.IntegerField()
    pages = serializers.IntegerField()
    subjects = serializers.ListField(child=serializers.CharField())


class OfPattern(serializers.Serializer[Any]):
    """One pattern."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(choices=["literal", "regex"])
    text = serializers.CharField()
    weight = serializers.IntegerField()
    sample = serializers.CharField()


class OfPatterns(serializers.Serializer[Any]):
    """A page of patterns."""

    version = serializers.IntegerField()
    total = serializers.IntegerField()
    page = serializers.IntegerField()
    pages = serializers.IntegerField()
    patterns = OfPattern(many=True)


class OfMatch(serializers.Serializer[Any]):
    """A pattern that matches."""

    pattern = serializers.CharField(source="pattern.id")
    weight = serializers.IntegerField(source="pattern.weight")
    times = serializers.IntegerField()


class OfTried(serializers.Serializer[Any]):
    """What the patterns find in a text."""

    weight = serializers.IntegerField()
    matched = OfMatch(many=True)


def previewed(seen: panels.Preview) -> Plain:
    """Tell what would happen."""
    return dict(OfPreview(seen).data)
