"""Fill an empty installation with the demo: people first, then each app's own, in the order of a response."""

from __future__ import annotations

from importlib import import_module

from django.apps import apps
from django.core.management.base import BaseCommand
from django.utils.module_loading import module_has_submodule

from irapp.accounts import demo

# Names, not imports: these stand on higher floors.
ORDER = (
    "incidents.preparation",
    "incidents",
    "incidents.monitoring",
    "corrections.segments",
    "corrections",
    "incidents.execution",
    "incidents.post_incident",
)


class Command(BaseCommand):
    """``manage.py seed_demo``; run again, it adds only what is missing."""

    help = "Create the people and records of the demo."

    def handle(self, **_options: object) -> None:
        """Seed every installed app that has a demo."""
        people = demo.seed()
        installed = {config.name: config.module for config in apps.get_app_configs()}
        for name in ORDER:
            if name in installed and module_has_submodule(installed[name], "demo"):
                import_module(f"{name}.demo").seed(people)
        self.stdout.write(f"The demo is seeded; {len(people)} people can sign in.")
