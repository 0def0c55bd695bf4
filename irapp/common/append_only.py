"""For migrations: what stands against TRUNCATE, which triggers for rows never see."""

from __future__ import annotations

from django.db.migrations import RunSQL


def refuse_truncate(*tables: str, function: str) -> RunSQL:
    """Have PostgreSQL refuse to empty these tables.

    :param function: the trigger function that refuses to change their rows; it exists already.
    """
    return RunSQL(
        [
            f"CREATE TRIGGER {table}_not_emptied BEFORE TRUNCATE ON {table}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
            for table in tables
        ],
        [f"DROP TRIGGER {table}_not_emptied ON {table}" for table in tables],
    )


def append_only(*tables: str, function: str) -> RunSQL:
    """Have PostgreSQL refuse to change, remove or empty what these tables hold."""
    return RunSQL(
        [
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
            for table in tables
        ],
        [f"DROP TRIGGER {table}_append_only ON {table}" for table in tables],
    )
