"""What each kind of correction is to the gateway's script: how it refuses, changes, limits or spares.

``refuses`` names the test in ``decide.lua``; ``content`` says that the content filter does the rest, for dry
runs too or for enforced ones only; ``unread`` that it may refuse by what the script does not count;
``silent`` dry runs show nothing by their attributes alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from enforcement import policy

_ALWAYS: dict[str, object] = {"refuses": "always"}
_FILTERED: dict[str, object] = {"content": "always", "silent": True, "body_asked": True}
_COUNTED: dict[str, object] = {**_FILTERED, "unread": True}
_READ: dict[str, object] = {"body_asked": True}


def parameters(item: policy.Correction) -> dict[str, object]:
    """Give the members of a correction that depend on its kind."""
    return _BY_KIND[type(item.effect)](item)


def limit_header(correction: policy.Correction) -> str:
    """Name the internal header that carries the subject whom a limit counts."""
    return f"x-irapp-limit-{correction.id.lower()}"


def join(names: tuple[str, ...]) -> str | None:
    """Give names as the script splits them again; none of them holds a semicolon."""
    return ";".join(names) or None


def _constant(members: dict[str, object]) -> Callable[[policy.Correction], dict[str, object]]:
    return lambda _item: members


def _shutdown(item: policy.Correction) -> dict[str, object]:
    effect: Any = item.effect
    fallbacks = {each.organisation: each.model for each in effect.fallback_models}
    return {**_ALWAYS, "fallbacks": fallbacks or None}


def _rerouting(item: policy.Correction) -> dict[str, object]:
    effect: Any = item.effect
    return {"fallback": effect.fallback_model, **_READ}


def _limiting(item: policy.Correction) -> dict[str, object]:
    effect: Any = item.effect
    return {"header": limit_header(item), "per": effect.per}


def _listed(refuses: str, member: str, field: str) -> Callable[[policy.Correction], dict[str, object]]:
    """Give a kind that refuses by a list of names; only a declared use case needs no body."""
    more = {} if refuses == "use" else _READ
    return lambda item: {"refuses": refuses, member: join(getattr(item.effect, field)), **more}


def _input_cap(item: policy.Correction) -> dict[str, object]:
    effect: Any = item.effect
    return {"refuses": "bytes", "max_bytes": effect.max_bytes, **_READ}


_BY_KIND: dict[type, Callable[[policy.Correction], dict[str, object]]] = {
    policy.Block: _constant(_ALWAYS),
    policy.Allow: _constant({**_ALWAYS, "allow": True}),
    policy.Exempt: _listed("none", "spares", "corrections"),
    policy.RequestLimit: _limiting,
    policy.TokenLimit: _limiting,
    policy.ConcurrencyLimit: _limiting,
    policy.TurnLimit: _constant(_COUNTED),
    policy.ToolsOff: _listed("tools", "tools", "tools"),
    policy.FeatureOff: _listed("features", "off", "features"),
    policy.InputCap: _input_cap,
    policy.OutputCap: _constant({"content": "enforced", **_READ}),
    policy.LoopCap: _constant(_COUNTED),
    policy.InputFilter: _constant(_FILTERED),
    policy.OutputFilter: _constant(_FILTERED),
    policy.SystemPrompt: _constant({"content": "always", **_READ}),
    policy.Downgrade: _rerouting,
    policy.Classifier: _constant(_FILTERED),
    policy.ForbidUse: _constant(_ALWAYS),
    policy.RequireUse: _listed("use", "accepted", "use_cases"),
    policy.Suspend: _shutdown,
    policy.MarketRemoval: _shutdown,
    policy.Halt: _shutdown,
    policy.Decommission: _shutdown,
    policy.Reroute: _rerouting,
}
