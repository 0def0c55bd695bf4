from django.apps import AppConfig


class CorrectionsConfig(AppConfig):
    name = "corrections"
    label = "corrections"

    def ready(self) -> None:
        """Fill the registries of the floors below, and take on deliveries."""
        from corrections import checks, gates, inbox, logged, reactions  # noqa: F401 (two register as they load)
        from corrections.models import Correction, Proposal
        from corrections.panels.incident import incident_panel
        from incidents import panels
        from irapp.audit.live import topics

        gates.register()
        inbox.register()
        logged.register()
        panels.register("corrections", "corrections/incident_panel.html", 10, incident_panel)
        topics.register(Correction, Proposal)
