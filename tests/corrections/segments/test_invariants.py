"""What PostgreSQL keeps by itself."""

import pytest
from django.db import DatabaseError, connection, transaction

from tests.corrections.segments.factories import make_patterns, make_segment

TABLES = ["attachment", "segmentversion", "packing", "patternsetversion"]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_postgresql_refuses_to_change_what_versions_consist_of(db, table, statement):
    make_segment("alice")
    make_patterns("bomb")
    if table == "attachment":
        statement = statement.replace("id = id", "digest = digest")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute(statement.format(f"segments_{table}"))


def test_references_are_given_once(db):
    assert make_segment().reference != make_segment().reference
    assert make_patterns().reference.startswith("PAT-")
