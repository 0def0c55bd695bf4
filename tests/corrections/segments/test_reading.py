"""Files as people export them."""

import csv
import io

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from corrections.segments import reading
from corrections.segments.names import why_no_name
from corrections.segments.reading import Layout
from enforcement import policy
from irapp.common.errors import InvalidError


def read(content, *, of="user", **layout):
    raw = content if isinstance(content, bytes) else content.encode()
    return reading.read(raw, of=of, layout=Layout(**layout))


@pytest.mark.parametrize(
    "content",
    [
        b"alice\nbob\n",
        b"\xef\xbb\xbfalice\nbob\n",
        b"alice\r\nbob\r\n",
        b"alice\rbob",
        b"alice\nbob",
        b'"alice"\n"bob"\n',
        b"user_id\nalice\nbob\n",
        b"\xef\xbb\xbfUser ID;note\nalice;x\nbob;y\n",
        b"note,user\nx,alice\ny,bob\n",
        b"note\tusername\nx\talice\ny\tbob\n",
        b'note;user\n"a;b\nc";alice\n"d ""e""";bob\n',
        b"\n\nalice\n\n,\nbob\n\n",
        b"  alice \n\tbob\n",
        b"alice,first\nbob,second\n",
    ],
    ids=range(14),
)
def test_the_same_list_in_every_form_that_programs_write(content):
    assert read(content).names == ("alice", "bob")


def test_every_row_is_accounted_for():
    found = read("user\nalice\nalice\n\nb b\n\nbob\n")

    assert found.rows == len(found.names) + found.duplicates + len(found.invalid) == 4
    assert (found.duplicates, found.blank) == (1, 2)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("a b", "contains white space"),
        ("a\u00a0b", "contains white space"),
        ("a=b", "contains ="),
        ("a|b", "contains |"),
        ("a\\b", "contains \\"),
        ("x" * 201, "longer than 200 characters"),
        ("a\u200bb", "contains an invisible character (U+200B)"),
        ("a\ufeffb", "contains an invisible character (U+FEFF)"),
        ("a\u202eb", "contains an invisible character (U+202E)"),
        ("a\x01b", "contains an invisible character (U+0001)"),
    ],
)
def test_an_invalid_row_is_named_with_line_value_and_reason(value, reason):
    (row,) = read(f"alice\n{value}\nbob\n", delimiter=",").invalid

    assert (row.line, row.value, row.reason) == (2, value[: reading.VALUE_SHOWN], reason)


def test_a_row_without_a_value_in_the_column_is_invalid_and_shown_whole():
    found = read("note,user\nx,alice\nonly a note\n,\ny,\n")

    assert [(row.line, row.value, row.reason) for row in found.invalid] == [
        (3, "only a note", "no value in this column"),
        (5, "y | ", "no value in this column"),
    ]
    assert found.blank == 1


def test_lines_are_counted_as_an_editor_counts_them():
    found = read('note,user\n"one\ntwo",alice\nx,b b\n')

    assert found.invalid[0].line == 4


def test_letters_of_any_script_are_names():
    assert read("zoë\nмария\n李雷\n").names == ("zoë", "мария", "李雷")


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"PK\x03\x04", "not_csv", "Excel file"),
        (b"%PDF-1.7", "not_csv", "a PDF"),
        (b"\xff\xfea\x00", "not_csv", "UTF-16"),
        (b"a\x00b", "not_csv", "not a text file"),
        (b"alice\nb\xf6b\n", "not_utf8", "line 2"),
        (b"  \n \n", "empty_file", "empty"),
        (b"user\n", "empty_file", "no rows"),
        (b'alice\n"bob\ncarol\ndave\n', "not_csv", "line 2 is never closed"),
        (b'alice\n"bob"x\n', "not_csv", "Line 2"),
    ],
)
def test_a_file_that_is_no_list_gets_one_clear_error(content, code, said):
    with pytest.raises(InvalidError) as refused:
        read(content)

    assert refused.value.code == code
    assert said in str(refused.value)


def test_a_file_that_is_too_large_is_not_read(monkeypatch):
    monkeypatch.setattr(reading, "MOST_BYTES", 10)

    with pytest.raises(InvalidError, match="at most"):
        read("alice\nbob\ncarol\n")


def test_a_file_with_too_many_rows_is_not_read_to_its_end(monkeypatch):
    monkeypatch.setattr(reading, "MOST_ROWS", 3)

    with pytest.raises(InvalidError) as refused:
        read("a\nb\nc\nd\n")

    assert refused.value.code == "too_many_rows"


@pytest.mark.parametrize(
    ("layout", "names"),
    [
        ({"column": 0}, ("x", "y")),
        ({"column": "user"}, ("alice", "bob")),
        ({"header": False}, ("note", "x", "y")),
        ({"header": False, "column": 1}, ("user", "alice", "bob")),
    ],
)
def test_how_a_file_is_read_can_be_said(layout, names):
    assert read("note,user\nx,alice\ny,bob\n", **layout).names == names


def test_a_column_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(InvalidError, match="There are: note, user"):
        read("note,user\nx,alice\n", column="name")


@pytest.mark.parametrize(("of", "name"), [("user", "alice"), ("key", "k1"), ("organisation", "acme")])
def test_the_column_is_found_by_what_the_segment_is_of(of, name):
    assert read("id,org,api_key,user\n7,acme,k1,alice\n", of=of).names == (name,)


def test_half_a_name_is_never_taken_for_another():
    found = read("alice\nsmith,john\nbob\n")

    assert found.names == ("alice", "bob")
    assert (found.invalid[0].value, found.invalid[0].reason) == (
        "smith | john",
        "has more columns than the first row",
    )


@given(st.text(max_size=30))
def test_whatever_is_taken_in_is_a_name_that_policies_can_carry(name):
    if not why_no_name(name):
        assert policy.convert(name, policy.Name) == name
        assert policy.read_subject_list(policy.subject_list([name])) == {name}


@given(st.lists(st.text(max_size=12), min_size=1, max_size=30), st.sampled_from(",;\t"))
def test_no_row_that_a_program_wrote_is_lost(values, delimiter):
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter).writerows([value, "end"] for value in values)
    raw = written.getvalue().encode("utf-8", "replace")
    assume("\x00" not in written.getvalue())

    found = read(raw, delimiter=delimiter, header=False, column=0)

    assert found.rows == len(values) == len(found.names) + found.duplicates + len(found.invalid)
