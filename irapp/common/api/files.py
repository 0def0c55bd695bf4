"""Files as the body of a call, taken as they are."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from rest_framework.exceptions import APIException
from rest_framework.parsers import BaseParser

LARGEST = 20_000_000


class FileTooLargeError(APIException):
    """More than is read at once."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"
    default_detail = f"The file may have at most {LARGEST} bytes."


class Body(dict[str, str]):
    """The bytes, and their digest as what the call says: so a repeated call is the same call."""

    def __init__(self, raw: bytes) -> None:
        super().__init__(digest="sha256:" + hashlib.sha256(raw).hexdigest())
        self.raw = raw


class TextFileParser(BaseParser):
    """Any text, for example CSV: the reader of the file says what is wrong with it."""

    media_type = "text/*"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,  # noqa: ARG002 (the signature of parsers)
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> Body:
        """Give the bytes."""
        raw: bytes = stream.read(LARGEST + 1)
        if len(raw) > LARGEST:
            raise FileTooLargeError
        return Body(raw)
