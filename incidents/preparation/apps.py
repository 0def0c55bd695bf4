from django.apps import AppConfig


class PreparationConfig(AppConfig):
    name = "incidents.preparation"
    label = "preparation"

    def ready(self) -> None:
        """Say what preparation asks for, and put its checklist onto the incident page."""
        from incidents import known
        from incidents.preparation import conditions, panels
        from incidents.preparation.selectors.choices import model_names

        conditions.register()
        panels.register()
        known.register(model_names)
