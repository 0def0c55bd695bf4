"""``python -m enforcement.agent``."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import uvloop

from enforcement.agent.agent import serve
from enforcement.agent.config import Settings, SettingsError, from_environment


async def _until_told(settings: Settings) -> None:
    task = asyncio.ensure_future(serve(settings))
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        return


def main() -> int:
    """Run the agent; exit code 2 for settings that cannot work."""
    try:
        uvloop.run(_until_told(from_environment(os.environ)))
    except (SettingsError, OSError) as error:
        print(f"enforcement agent: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
