"""The document of the levers, held against the code."""

from __future__ import annotations

from pathlib import Path

from enforcement import policy
from enforcement.decide import REFUSALS

DOCUMENT = (Path(__file__).parents[2] / "docs" / "levers.md").read_text()


def rows(heading):
    section = DOCUMENT.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def names(cell):
    return tuple(name.strip("` ") for name in cell.split(",") if name.strip())


def test_the_table_of_kinds_says_what_the_code_says_in_its_order():
    ordered = sorted(policy.EFFECTS.items(), key=lambda item: REFUSALS[item[1]][0])
    expected = [
        [f"`{name}`", kind.correction_class, str(status), f"`{code}`", set(kind.__struct_fields__)]
        for name, kind in ordered
        for _, status, code in [REFUSALS[kind]]
    ]

    assert [[*row[:4], set(names(row[4]))] for row in rows("Kinds")] == expected


def test_the_table_of_scopes_names_every_dimension():
    assert [names(row[1]) for row in rows("Scopes")] == [
        policy.Functionality.__struct_fields__,
        policy.Users.__struct_fields__,
    ]


def test_every_feature_is_named():
    assert all(f"`{name}`" in DOCUMENT for name in policy.FEATURES)
