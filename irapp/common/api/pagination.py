"""How lists are paged."""

from __future__ import annotations

import re
from typing import Any

from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

_POSITION = re.compile(r"[0-9]{1,18}")
_CURSOR = re.compile(r"[A-Za-z0-9+/=]*")


class NewestFirst(CursorPagination):
    """Keyset pages by id, newest first. A cursor or a size that we never gave is refused."""

    ordering = "-id"
    page_size_query_param = "page_size"
    max_page_size = 200

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Read our own cursor; anything else never reaches the database."""
        not_ours = ValidationError({"cursor": ["This cursor was not given by this list."]})
        if not _CURSOR.fullmatch(request.query_params.get(self.cursor_query_param, "")):
            raise not_ours
        try:
            cursor = super().decode_cursor(request)
        except (NotFound, ValueError) as error:
            raise not_ours from error
        if cursor and cursor.position is not None and not _POSITION.fullmatch(str(cursor.position)):
            raise not_ours
        return cursor

    def get_page_size(self, request: Request) -> int | None:
        """Take a size between one and the largest."""
        given = request.query_params.get("page_size")
        if given is None:
            return self.page_size
        if not _POSITION.fullmatch(given) or not 1 <= int(given) <= self.max_page_size:
            raise ValidationError({"page_size": [f"Between 1 and {self.max_page_size}."]})
        return int(given)

    def get_ordering(self, *_: Any) -> tuple[str, ...]:
        """Cursors hold an id, so the order is always that of ids."""
        return (self.ordering,)
