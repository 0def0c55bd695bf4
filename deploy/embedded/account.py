"""Who PostgreSQL runs as: it refuses to run as root, so root lends it an account without rights."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy.embedded.errors import StartError

if TYPE_CHECKING:
    from pathlib import Path

CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """An existing unprivileged account of this machine."""

    name: str
    uid: int
    gid: int

    def can_run(self, binary: Path) -> bool:
        """Try it: a clone below ``/root`` cannot be reached by anybody else."""
        try:
            subprocess.run(  # noqa: S603 - a command of our own
                [binary, "--version"],
                check=True,
                capture_output=True,
                cwd="/",
                user=self.uid,
                group=self.gid,
                extra_groups=[],
            )
        except (PermissionError, subprocess.CalledProcessError):
            return False
        return True

    def own(self, folder: Path) -> None:
        """Hand a folder, not what is inside it, to the account, closed to everybody else."""
        os.chown(folder, self.uid, self.gid)
        folder.chmod(0o700)


def unprivileged() -> Account | None:
    """Give the account that PostgreSQL runs as; None when we are not root, and need none.

    :raises StartError: no such account on this machine.
    """
    if os.geteuid() != 0:
        return None
    wanted = os.environ.get("IRAPP_POSTGRES_USER", "")
    for name in [wanted] if wanted else CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name, entry.pw_uid, entry.pw_gid)
    missing = wanted or " or ".join(CANDIDATES)
    raise StartError(
        f"PostgreSQL refuses to run as root and there is no account {missing}: "
        "set IRAPP_POSTGRES_USER to an existing unprivileged account"
    )
