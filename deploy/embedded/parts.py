"""The parts of a stack that are Python programs of ours."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from deploy.embedded.process import Program
from deploy.embedded.ready import http_answers, listens, says, stays

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from deploy.embedded.ports import Ports
    from deploy.embedded.process import Child


def enforcement(environment: Mapping[str, str], ports: Ports) -> list[Program]:
    """Give the service that decisions call, and a gateway with a model behind it."""
    return [
        _python("hub", "enforcement.hub", environment, ready=http_answers(ports.hub, "/healthz")),
        _python("model", "deploy.demo.model", environment, ready=http_answers(ports.model, "/healthz")),
        _python("filter", "enforcement.filter", environment, ready=listens(ports.filter)),
        _python(
            *("ratelimit", "enforcement.ratelimit", environment),
            ready=http_answers(ports.ratelimit_admin, "/basis"),
        ),
        _python("agent", "enforcement.agent", environment, ready=listens(ports.gateway)),
    ]


def application(environment: Mapping[str, str], ports: Ports, *, state: Path) -> list[Program]:
    """Give the web application and its workers."""
    schedule = str(state / "beat" / "schedule")
    return [
        _python(
            *("web", "gunicorn", environment, "irapp.wsgi", "-c", "deploy/gunicorn.conf.py"),
            ready=http_answers(ports.web, "/"),
        ),
        _python(
            *("live", "uvicorn", environment, "irapp.asgi:application", "--no-access-log"),
            *("--host", "127.0.0.1", "--port", str(ports.live), "--timeout-graceful-shutdown", "1"),
            ready=listens(ports.live),
        ),
        _python("relay", "manage", environment, "relay", ready=stays),
        _python(
            *("worker", "celery", environment, "-A", "irapp", "worker", "--loglevel", "INFO"),
            *("--concurrency", "2", "--without-gossip", "--without-mingle", "--hostname", "irapp@%h"),
            ready=says("ready."),
        ),
        _python(
            *("beat", "celery", environment, "-A", "irapp", "beat", "--loglevel", "INFO"),
            *("--schedule", schedule, "--pidfile", ""),
            ready=says("beat: Starting"),
        ),
    ]


def traffic(environment: Mapping[str, str]) -> Program:
    """Give the demo's gentle traffic."""
    return _python("traffic", "deploy.demo.traffic", environment, ready=stays)


def _python(
    name: str,
    module: str,
    environment: Mapping[str, str],
    *arguments: str,
    ready: Callable[[Child], bool],
) -> Program:
    return Program(
        name=name,
        command=(sys.executable, "-m", module, *arguments),
        ready=ready,
        environment=environment,
    )
