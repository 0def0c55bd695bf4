"""Small helpers for Envoy's typed JSON."""

from __future__ import annotations

_FILTERS = "type.googleapis.com/envoy.extensions.filters."


def any_of(kind: str, **fields: object) -> dict[str, object]:
    """Give a typed message of the filters' package, for example ``http.lua.v3.Lua``."""
    return {"@type": _FILTERS + kind, **fields}


def extension(name: str, kind: str, **fields: object) -> dict[str, object]:
    """Give a named HTTP filter with its typed configuration."""
    return {"name": f"envoy.filters.http.{name}", "typed_config": any_of(kind, **fields)}
