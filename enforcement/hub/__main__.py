"""``python -m enforcement.hub``."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import structlog
import uvicorn

from enforcement.hub.app import Hub
from enforcement.hub.config import SettingsError, from_environment

if TYPE_CHECKING:
    from types import FrameType


class Server(uvicorn.Server):
    """Uvicorn, except that long polls do not hold up its end."""

    def __init__(self, config: uvicorn.Config, hub: Hub) -> None:
        super().__init__(config)
        self._hub = hub

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Send home who waits, then end."""
        self._hub.close()
        super().handle_exit(sig, frame)


def main() -> int:
    """Serve; exit code 2 for settings that cannot work."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        settings = from_environment()
    except SettingsError as error:
        print(f"enforcement hub: {error}", file=sys.stderr)  # noqa: T201
        return 2
    hub = Hub(settings)
    config = uvicorn.Config(
        hub,
        host=settings.host,
        port=settings.port,
        access_log=False,
        lifespan="off",
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=3,
    )
    server = Server(config, hub)
    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
