"""Writing the request as the policy wants it: another model, a smaller output."""

from __future__ import annotations

import json
from typing import Any

from enforcement.decide import Verdict
from enforcement.filter.rewriting import FIELDS, rewrite

_ASKED = ("model", "n", "best_of", "prompt", *FIELDS)


def change(data: dict[str, Any], verdict: Verdict, *, endpoint: str) -> None:
    """Change LiteLLM's request in place; the content filter of Envoy writes the same fields.

    :raises UncountableError: it does not say how many answers it asks for.
    :raises TooManyAnswersError: it asks for more than the policy allows tokens.
    """
    if verdict.reroute_to is None and verdict.max_tokens is None:
        return
    asked = {name: data[name] for name in _ASKED if name in data}
    written = json.loads(rewrite(asked, verdict, endpoint=endpoint))
    for name in asked.keys() - written.keys():
        del data[name]
    data.update(written)
