"""What the database and the static files need before anything may start; one Python for all of it."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

from deploy.embedded.process import ROOT
from deploy.embedded.secret import write_private
from deploy.embedded.settings import PEOPLE, is_on

STAMP = ".made-from"


def main() -> None:
    """Migrate, seed the demo, collect the static files."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "irapp.settings")
    django.setup()
    call_command("migrate", interactive=False, verbosity=1)
    if is_on(os.environ, "DEMO"):
        call_command("seed_demo")
        _note_people()
    _collect(Path(settings.STATIC_ROOT))


def _note_people() -> None:
    """Write down who can sign in, for the terminal."""
    from irapp.accounts import demo  # noqa: PLC0415 - needs the apps

    write_private(Path(os.environ["IRAPP_STATE_DIR"]) / PEOPLE, json.dumps(demo.shown()))


def _collect(target: Path) -> None:
    """Collect the static files, if they changed since the last time."""
    made_from = _fingerprint()
    stamp = target / STAMP
    if stamp.exists() and stamp.read_text() == made_from:
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(made_from)


def _fingerprint() -> str:
    """Give what the static files depend on: our own, and the packages that bring some."""
    files = sorted(path for folder in settings.STATICFILES_DIRS for path in Path(folder).rglob("*"))
    parts = [f"{path} {path.stat().st_mtime_ns} {path.stat().st_size}" for path in files]
    parts.append((ROOT / "requirements.txt").read_text())
    return sha256("\n".join(parts).encode()).hexdigest()


if __name__ == "__main__":
    main()
