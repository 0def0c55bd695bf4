from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "incidents.monitoring"
    label = "monitoring"

    def ready(self) -> None:
        """Fill the registries of the floors below."""
        from incidents.monitoring import panels, waiting
        from incidents.monitoring.models import SignalGroup
        from irapp.audit.live import topics

        panels.register()
        waiting.register()
        topics.register(SignalGroup)
