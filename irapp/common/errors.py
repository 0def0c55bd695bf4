"""The three kinds of no. Whatever is not one of them is a bug and is not caught."""

from typing import ClassVar


class DomainError(Exception):
    """A refusal that its reader can act on: ``str(error)`` for people, ``code`` for machines.

    :param field: the name of the input that is wrong, where there is one.
    :param details: further facts for machines, for example the unmet conditions of a move.
    """

    default_code: ClassVar[str] = "error"

    def __init__(
        self, message: str, *, code: str = "", field: str = "", details: dict[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code or self.default_code
        self.field = field
        self.details = details or {}


class NotPermittedError(DomainError):
    """The person may not do this; the text says what they lack and whom to ask."""

    default_code = "not_permitted"


class ConflictError(DomainError):
    """The record is not, or no longer, in a state that allows this."""

    default_code = "conflict"


class InvalidError(DomainError):
    """The input is wrong; ``field`` names where."""

    default_code = "invalid"
