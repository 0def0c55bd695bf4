"""``python -m enforcement.ratelimit``."""

from __future__ import annotations

import asyncio
import signal
import sys

import uvloop

from enforcement.ratelimit.config import Settings, SettingsError, from_environment
from enforcement.ratelimit.server import serve


def main() -> int:
    """Run the service until it is told to stop."""
    try:
        uvloop.run(_until_told(from_environment()))
    except SettingsError as error:
        print(f"rate-limit service: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


async def _until_told(settings: Settings) -> None:
    serving = asyncio.create_task(serve(settings))
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, serving.cancel)
    try:
        await serving
    except asyncio.CancelledError:
        return


if __name__ == "__main__":
    sys.exit(main())
