from django.apps import AppConfig


class PostIncidentConfig(AppConfig):
    name = "incidents.post_incident"
    label = "post_incident"

    def ready(self) -> None:
        """Fill the registries of the floors below."""
        from incidents.post_incident import gates, inbox, panels
        from incidents.post_incident.models import Review
        from irapp.audit.live import topics

        gates.register()
        inbox.register()
        panels.register()
        topics.register(Review)
