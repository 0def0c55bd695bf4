"""Logs are data: one JSON object a line, with the id of the request, without secrets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

_SECRET = re.compile(r"password|secret|token|authorization|cookie|csrf|api_?key|dsn|_url$", re.IGNORECASE)
_CREDENTIALS = re.compile(r"(\w+://[^\s:/@]*):[^\s@/]+@|\b(Bearer)\s+\S+|\bsk-[\w-]{8,}")


def without_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Remove what has the name of a secret, and passwords inside addresses wherever they stand."""
    return {name: "[removed]" if _SECRET.search(name) else _clean(value) for name, value in event.items()}


def _clean(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return _CREDENTIALS.sub(lambda found: f"{found[1] or found[2] or ''}[removed]", value)


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        without_secrets,
    ]


def configure() -> None:
    """Send what structlog is given the way of all other logs."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def configuration(level: str) -> dict[str, Any]:
    """Give what Django's LOGGING needs: everybody's logs in the same form, on standard error."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.JSONRenderer(default=str),
                ],
                "foreign_pre_chain": _shared(),
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own handlers would say everything twice, in another form.
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
            # A line per request is written by our own middleware, with its outcome.
            "django.request": {"level": "ERROR"},
            "axes": {"level": "WARNING"},
        },
    }
