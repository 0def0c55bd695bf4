"""The corrections as the script that decides about every request."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import cache
from importlib import resources

import orjson

from enforcement import policy, refusals
from enforcement.decide import REFUSALS, lifts_at, rank
from enforcement.envoy.gateway import Gateway
from enforcement.envoy.lua_text import literal

PARTS = ("json.lua", "decide.lua", "serve.lua")


def script(gateway: Gateway, content: policy.Content | None, version: str) -> str:
    """Give the Lua that enforces the policy; no content means closed for guarded models."""
    return f"local DATA = {literal(_data(gateway, content, version))}\n{_code()}"


def limit_header(correction: policy.Correction) -> str:
    """Name the internal header that carries the subject whom a limit counts."""
    return f"x-irapp-limit-{correction.id.lower()}"


def cluster_name(upstream: str) -> str:
    """Name the cluster of an upstream address."""
    return "model-" + hashlib.sha256(upstream.encode()).hexdigest()[:12]


def _data(gateway: Gateway, content: policy.Content | None, version: str) -> dict[str, object]:
    corrections = sorted(content.corrections if content else (), key=rank)
    return {
        "version": version,
        "secret": gateway.secret,
        "closed": content is None,
        "closed_body": _json(refusals.CLOSED),
        "failed_body": _json(refusals.FAILED),
        "timed": any(item.starts_at or lifts_at(item) for item in corrections),
        "endpoints": policy.ENDPOINTS,
        "models": {
            name: {"cluster": cluster_name(model.upstream), "guarded": model.guarded}
            for name, model in sorted(gateway.models.items())
        },
        "model_list": _model_list(gateway),
        "corrections": [_row(item) for item in corrections],
    }


def _row(item: policy.Correction) -> dict[str, object]:
    kind = str(item.effect.__struct_config__.tag)
    scope, users, effect = item.functionality, item.users, item.effect
    silent = isinstance(effect, policy.OutputCap)
    return {
        "id": item.id,
        "kind": kind,
        "shadow": True if item.mode == "shadow" else None,
        "percentage": item.percentage if item.percentage < 100 else None,  # noqa: PLR2004
        "starts": _milliseconds(item.starts_at),
        "ends": _milliseconds(lifts_at(item)),
        "models": _join(scope.models),
        "endpoints": _join(scope.endpoints),
        "applications": _join(scope.applications),
        "use_cases": _join(scope.use_cases),
        "users": _join(users.users),
        "organisations": _join(users.organisations),
        "keys": _join(users.keys),
        "body": None if silent else _json(refusals.refusal(item)),
        "status": str(REFUSALS[type(effect)][1]),
        "retry_after": _text(refusals.retry_after(item)),
        **_parameters(item),
    }


def _parameters(item: policy.Correction) -> dict[str, object]:
    effect = item.effect
    if isinstance(effect, policy.ToolsOff):
        return {"tools": _join(effect.tools)}
    if isinstance(effect, policy.RequestLimit):
        return {"header": limit_header(item), "per": effect.per}
    if isinstance(effect, policy.OutputCap):
        return {"max_tokens": effect.max_tokens}
    if isinstance(effect, policy.Reroute):
        return {"fallback": effect.fallback_model}
    return {}


def _model_list(gateway: Gateway) -> str:
    names = sorted(gateway.models)
    data = [{"id": name, "object": "model", "created": 0, "owned_by": "irapp"} for name in names]
    return _json({"object": "list", "data": data})


def _join(names: tuple[str, ...]) -> str | None:
    return ";".join(names) or None


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


@cache
def _code() -> str:
    folder = resources.files("enforcement.envoy") / "lua"
    return "\n".join((folder / part).read_text() for part in PARTS)
