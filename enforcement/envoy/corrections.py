"""The corrections as the script that decides about every request."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources

import orjson

from enforcement import policy, refusals
from enforcement.decide import REFUSALS, lifts_at, rank
from enforcement.envoy.effects import join, limit_header, parameters
from enforcement.envoy.gateway import Gateway, Model
from enforcement.envoy.lists import FOLDER, Rendered
from enforcement.envoy.lua_text import literal
from enforcement.envoy.unreached import BUSY, BUSY_SAMPLE, SAMPLE

__all__ = ["cluster_name", "limit_header", "script"]

PARTS = ("lists.lua", "json.lua", "index.lua", "decide.lua", "request.lua", "serve.lua")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Lists = Mapping[str, Rendered]
"""The subject lists of a policy as files, by address."""


def script(gateway: Gateway, signed: policy.Policy | None, version: str, lists: Lists, mark: str = "") -> str:
    """Give the Lua that enforces the policy; none means closed for guarded models.

    :param mark: of the callers whose requests mostly go past it, see :mod:`enforcement.envoy.unreached`.
    """
    data = {**_data(gateway, signed, version, lists), "mark": mark or None}
    return f"local DATA = {literal(data)}\n{_code()}"


def cluster_name(upstream: str) -> str:
    """Name the cluster of an upstream address."""
    return "model-" + hashlib.sha256(upstream.encode()).hexdigest()[:12]


def _data(gateway: Gateway, signed: policy.Policy | None, version: str, lists: Lists) -> dict[str, object]:
    corrections = sorted(signed.content.corrections if signed else (), key=rank)
    return {
        "version": version,
        "number": signed.version if signed else None,
        "secret": gateway.secret,
        "closed": signed is None,
        "strict": signed is None or reads_every_body(gateway),
        "routed": only_cluster(gateway) is not None,
        "sample": SAMPLE,
        "busy_sample": BUSY_SAMPLE,
        "busy": BUSY,
        "closed_body": _json(refusals.CLOSED),
        "failed_body": _json(refusals.FAILED),
        "timed": any(item.starts_at or lifts_at(item) or item.grace_until for item in corrections),
        "endpoints": policy.ENDPOINTS,
        "models": {name: _model(name, model) for name, model in sorted(gateway.models.items())},
        "model_list": _model_list(gateway),
        "folder": str(gateway.folder / FOLDER),
        "lists": {each.name: each.size for each in lists.values()},
        "written": {each.name: str(each.written) for each in lists.values()} or None,
        "corrections": [_row(item, lists) for item in corrections],
    }


def reads_every_body(gateway: Gateway) -> bool:
    """Tell whether the route depends on what a body says: its model, or that it asks for a stream."""
    upstreams = {model.upstream for model in gateway.models.values()}
    return len(upstreams) != 1 or any(model.filtered for model in gateway.models.values())


def only_cluster(gateway: Gateway) -> str | None:
    """Name the cluster that every request goes to, where the body does not decide."""
    if reads_every_body(gateway):
        return None
    return cluster_name(next(iter(gateway.models.values())).upstream)


def _model(name: str, model: Model) -> dict[str, object]:
    return {
        "cluster": cluster_name(model.upstream),
        "guarded": model.guarded,
        "filtered": model.filtered or None,
        "quoted": _json(name),
    }


def _row(item: policy.Correction, lists: Lists) -> dict[str, object]:
    effect = item.effect
    _, status, _ = REFUSALS[type(effect)]
    return {
        "id": item.id,
        "reference": item.reference,
        "shadow": True if item.mode == "shadow" else None,
        "percentage": item.percentage if item.percentage < 100 else None,  # noqa: PLR2004
        "starts": _milliseconds(item.starts_at),
        "ends": _milliseconds(lifts_at(item)),
        "grace": _milliseconds(item.grace_until),
        "warning": refusals.warning(item.id, item.grace_until) if item.grace_until else None,
        **_scopes(item, lists),
        "body": _json(refusals.refusal(item)),
        "status": str(status),
        "retry_after": _text(refusals.retry_after(item)),
        **parameters(item),
    }


def _scopes(item: policy.Correction, lists: Lists) -> dict[str, object]:
    scope, users = item.functionality, item.users
    named = {name: join(getattr(scope, name)) for name in scope.__struct_fields__}
    named |= {name: join(getattr(users, name)) for name in users.__struct_fields__ if name != "lists"}
    attached = [{"of": each.of, "name": lists[each.attachment].name} for each in users.lists]
    return {**named, "lists": attached or None}


def _model_list(gateway: Gateway) -> str:
    names = sorted(gateway.models)
    data = [{"id": name, "object": "model", "created": 0, "owned_by": "irapp"} for name in names]
    return _json({"object": "list", "data": data})


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)


def _milliseconds(moment: datetime | None) -> int | None:
    """Give the first whole millisecond that is not before a moment: nothing starts or ends early."""
    return None if moment is None else -((_EPOCH - moment) // timedelta(milliseconds=1))


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


@cache
def _code() -> str:
    folder = resources.files("enforcement.envoy") / "lua"
    return "\n".join((folder / part).read_text() for part in PARTS)
