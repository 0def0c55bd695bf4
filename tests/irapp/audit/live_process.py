"""The live process with a heart that beats fast: ``uvicorn tests.irapp.audit.live_process:application``."""

import irapp.asgi  # noqa: F401 (sets Django up)
from irapp.audit.live.app import Live

application = Live(heartbeat=0.2)
