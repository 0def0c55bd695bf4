"""What a person sees in the terminal."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from deploy.embedded import gateway
from deploy.embedded.settings import PEOPLE, is_on

if TYPE_CHECKING:
    from deploy.embedded.stack import Stack


def say(line: str) -> None:
    """Tell one thing."""
    print(line, flush=True)


def show(stack: Stack) -> None:
    """Show where everything is and how to try it."""
    rows = [("Pages", stack.addresses.web)]
    if stack.own_gateway:
        rows.append(("Gateway", f"{stack.addresses.gateway}/v1"))
    rows += [
        ("Logs", str(stack.state.logs)),
        ("Stop", "Ctrl-C; `make run` goes on, `make reset` starts over"),
    ]
    say(_bold("\nirapp is running"))
    for name, value in rows:
        say(f"  {name:<9}{value}")
    if is_on(stack.environment, "DEMO"):
        _show_people(json.loads(stack.state.recall(PEOPLE)))
    if stack.own_gateway:
        _show_request(stack.addresses.gateway)


def _show_people(people: list[dict[str, str]]) -> None:
    say(_bold("\nSign in as"))
    for one in people:
        say(f"  {one['username']:<9}{one['password']:<20}{one['role']}")


def _show_request(address: str) -> None:
    say(_bold("\nTry the gateway"))
    say(f"  curl {address}/v1/chat/completions -H 'Authorization: Bearer {gateway.key()}' \\")
    say(f"    -H 'Content-Type: application/json' -d '{json.dumps(gateway.QUESTION)}'\n")


def _bold(text: str) -> str:
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        return f"\033[1m{text}\033[0m"
    return text
