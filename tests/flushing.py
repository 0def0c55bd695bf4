"""How tests that really commit are undone.

Django empties every table with TRUNCATE after such a test. Two things stand in the way: the events' trigger
refuses that, and the rows that migrations wrote (the roles, for example) would be gone for the next test.
Only here, and only because the tests' account owns the cluster, triggers are switched off for the one
transaction that empties the tables, and the migrations' rows come back in the same transaction.
"""

from contextlib import contextmanager

import pytest
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations

SWITCHED_OFF = "SET LOCAL session_replication_role = replica"
_kept: list[str] = []


def keep_reference_rows():
    """Copy what the migrations wrote, once the test database stands."""
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS kept CASCADE")
        cursor.execute("CREATE SCHEMA kept")
        for table in connection.introspection.django_table_names(only_existing=True):
            cursor.execute(f'CREATE TABLE kept."{table}" AS TABLE public."{table}"')
            if cursor.rowcount > 0:
                _kept.append(table)


@contextmanager
def allowed():
    """Make Django's flush pass the trigger and bring the migrations' rows back."""
    plain = DatabaseOperations.sql_flush

    def sql_flush(self, style, tables, **options):
        # knox's own table refers to users, although the tokens here are a model of ours.
        statements = plain(self, style, tables, **options | {"allow_cascade": True})
        back = [f'INSERT INTO public."{table}" SELECT * FROM kept."{table}"' for table in _kept]
        return [SWITCHED_OFF, *statements, *back] if statements else []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
        yield
