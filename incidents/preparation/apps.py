from django.apps import AppConfig


class PreparationConfig(AppConfig):
    name = "incidents.preparation"
    label = "preparation"

    def ready(self) -> None:
        """Say what preparation asks for before monitoring begins."""
        from incidents.preparation import conditions

        conditions.register()
