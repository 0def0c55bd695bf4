"""A connection of its own for LISTEN: Django's are pooled per thread and busy with queries."""

from __future__ import annotations

import psycopg2
from django.db import connection
from psycopg2 import sql


def listen(channel: str) -> psycopg2.extensions.connection:
    """Open a connection that hears the channel. Select on it, ``poll()`` it, read its ``notifies``.

    :raises psycopg2.OperationalError: the database cannot be reached.
    """
    options = connection.get_connection_params()
    for ours in ("cursor_factory", "isolation_level"):
        options.pop(ours, None)
    # A peer that vanished without a word is noticed within half a minute.
    options |= {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
    options["application_name"] = f"irapp {channel}"
    listening: psycopg2.extensions.connection = psycopg2.connect(**options)
    listening.autocommit = True
    with listening.cursor() as cursor:
        cursor.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
    return listening
