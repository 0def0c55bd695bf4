"""How lists are paged."""

from rest_framework.pagination import CursorPagination


class NewestFirst(CursorPagination):
    """Keyset pages, newest first."""

    ordering = "-id"
    page_size_query_param = "page_size"
    max_page_size = 200
