from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    name = "incidents"
    label = "incidents"

    def ready(self) -> None:
        """Fill the registries with what the core itself asks for."""
        from incidents import conditions, logged, waiting
        from incidents.models import Incident
        from irapp.audit.live import topics

        conditions.register()
        waiting.register()
        logged.register()
        topics.register(Incident)
