from django.apps import AppConfig


class PreparationConfig(AppConfig):
    name = "incidents.preparation"
    label = "preparation"

    def ready(self) -> None:
        """Say what preparation asks for, and put its checklist onto the incident page."""
        from incidents.preparation import conditions, panels

        conditions.register()
        panels.register()
