"""Files of patterns."""

import json

import pytest

from corrections.segments import pattern_files
from corrections.segments.models import Attachment, Mode, PatternSetVersion
from corrections.segments.selectors import members
from corrections.segments.selectors.trying import try_out
from enforcement import policy
from irapp.common.errors import ConflictError, InvalidError
from tests.corrections.segments.factories import bring_patterns, fresh, make_patterns


def read(text, name=""):
    return pattern_files.read(text.encode(), name=name)


def test_one_term_per_line():
    found = read("nerve agent\n\nsarin\nsarin\n")

    assert found.form == "lines"
    assert {pattern.text for pattern in found.patterns} == {"nerve agent", "sarin"}
    assert (found.blank, found.duplicates) == (1, 1)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_with_headings_says_everything(delimiter):
    rows = [
        ["id", "kind", "text", "weight", "sample"],
        ["a1", "regex", r"nerve\s+agent", "40", "nerve agent"],
        ["", "literal", "sarin", "", ""],
    ]

    found = read("\n".join(delimiter.join(row) for row in rows))

    first, second = found.patterns
    assert (first.id, first.kind, first.weight, first.sample) == ("a1", "regex", 40, "nerve agent")
    assert (second.kind, second.text, second.weight) == ("literal", "sarin", 1)


@pytest.mark.parametrize("whole", [True, False])
def test_json_is_a_list_or_an_object_with_one(whole):
    patterns = [{"text": "sarin", "weight": 3}, "tabun"]

    found = read(json.dumps({"patterns": patterns} if whole else patterns), name="set.json")

    assert {(pattern.text, pattern.weight) for pattern in found.patterns} == {("sarin", 3), ("tabun", 1)}


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"text": ""}, "text: expected str of length >= 1"),
        ({"text": "x" * 501}, "text: expected str of length <= 500"),
        ({"text": "a", "weight": 0}, "weight: expected int >= 1"),
        ({"text": "a", "weight": 101}, "weight: expected int <= 100"),
        ({"text": "a", "kind": "glob"}, "kind: Invalid enum value 'glob'"),
        ({"text": "a", "colour": "red"}, "has a field that patterns do not have (colour)"),
        ({"kind": "literal", "id": "x"}, "has no text"),
        ({"text": 7}, "text: expected str, got int"),
    ],
)
def test_what_is_wrong_with_an_entry_is_said_plainly(entry, reason):
    (row,) = pattern_files.of_entries([entry]).invalid

    assert row.line == 1
    assert row.reason == reason


@pytest.mark.parametrize(
    "text", ["(a+)+$", "(a|aa)*b", "x*", "(", "[z-a]", r"(?<=a)b", r"(a)\1", "(?:a{1,400}){1,400}"]
)
def test_an_expression_without_bound_or_sense_never_reaches_a_filter(text):
    found = pattern_files.of_entries([{"kind": "regex", "text": text, "sample": "a"}])

    assert found.patterns == ()
    assert found.invalid[0].reason


def test_a_sample_that_does_not_match_is_told():
    found = pattern_files.of_entries([{"kind": "regex", "text": "colou?r", "sample": "paint"}])

    assert "sample" in found.invalid[0].reason


def test_an_id_that_stands_for_two_patterns_is_invalid():
    found = pattern_files.of_entries([{"id": "a", "text": "x"}, {"id": "a", "text": "y"}])

    assert [pattern.text for pattern in found.patterns] == ["x"]
    assert found.invalid[0].reason == "the id a stands above already"


@pytest.mark.parametrize("text", ["{", "[1, 2", '{"words": []}'])
def test_broken_json_is_one_clear_error(text):
    with pytest.raises(InvalidError) as refused:
        read(text, name="x.json")

    assert refused.value.code in {"not_json", "not_patterns"}


def change(before, given, mode):
    said = [pattern_files.of_entries(each).patterns for each in (before, given)]
    return pattern_files.change(*said, mode)


def test_adding_replaces_what_has_the_same_id():
    found = change([{"id": "a", "text": "x"}], [{"id": "a", "text": "y"}, {"id": "b", "text": "z"}], Mode.ADD)

    assert (found.added, found.changed, found.removed) == (("b",), ("a",), ())
    assert [pattern.text for pattern in found.result] == ["y", "z"]


def test_removing_looks_at_ids_only():
    found = change(
        [{"id": "a", "text": "x"}], [{"id": "a", "text": "other"}, {"id": "b", "text": "z"}], Mode.REMOVE
    )

    assert (found.removed, found.absent, found.result) == (("a",), 1, ())


def test_replacing_leaves_nothing_else():
    found = change([{"id": "a", "text": "x"}], [{"id": "b", "text": "z"}], Mode.REPLACE)

    assert (found.added, found.removed) == (("b",), ("a",))


@pytest.mark.django_db
def test_a_version_is_the_canonical_bytes_of_a_policys_pattern_set():
    register = make_patterns("sarin")

    version = PatternSetVersion.objects.get()
    raw = bytes(Attachment.objects.get(digest=version.attachment_id).raw)
    stored = policy.parse(raw, policy.PatternSet)
    assert policy.address(raw) == version.attachment_id
    assert policy.canonical(stored) == raw
    assert (stored.name, stored.version) == (f"{register.reference} {register.title}", 1)


@pytest.mark.django_db
def test_versions_of_patterns_are_kept():
    register = make_patterns("sarin")
    bring_patterns(register, "tabun")

    texts = [
        sorted(pattern.text for pattern in members.patterns_in(members.patterns_version(register, number)))
        for number in (1, 2)
    ]
    assert texts == [["sarin"], ["sarin", "tabun"]]


@pytest.mark.django_db
def test_a_pattern_set_is_never_left_empty():
    register = make_patterns("sarin")

    with pytest.raises(ConflictError) as refused:
        bring_patterns(register, "sarin", mode=Mode.REMOVE)

    assert refused.value.code == "left_empty"
    assert fresh(register).version == 1


def test_trying_out_shows_where_and_what_it_weighs():
    patterns = pattern_files.of_entries(
        [
            {"id": "a", "text": "nerve agent", "weight": 3},
            {"id": "b", "text": "agent", "weight": 2},
            {"id": "c", "text": "tabun", "weight": 9},
        ]
    ).patterns

    tried = try_out(patterns, "A nerve agent; an agent.")

    assert tried.weight == 5
    assert {each.pattern.id: each.times for each in tried.matched} == {"a": 1, "b": 2}
    assert [(piece.text, piece.by) for piece in tried.pieces] == [
        ("A ", ()),
        ("nerve ", ("a",)),
        ("agent", ("a", "b")),
        ("; an ", ()),
        ("agent", ("b",)),
        (".", ()),
    ]


def test_a_text_full_of_matches_is_tried_out_in_no_time():
    patterns = pattern_files.of_entries([{"text": "a"}]).patterns

    assert try_out(patterns, "a" * 20_000).matched[0].times > 0
