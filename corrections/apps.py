from django.apps import AppConfig


class CorrectionsConfig(AppConfig):
    name = "corrections"
    label = "corrections"

    def ready(self) -> None:
        """Fill the registries of the floors below, and take on deliveries."""
        from corrections import checks, gates, holds, inbox, logged, reactions, signatures  # noqa: F401 (two register as they load)
        from corrections.models import Correction, DestructionOrder, Proposal
        from corrections.panels.destroying import evidence_panel
        from corrections.panels.incident import incident_panel
        from incidents import panels
        from irapp.audit.live import topics

        gates.register()
        inbox.register()
        logged.register()
        signatures.register()
        holds.register(holds.evidence_holds)
        panels.register("corrections", "corrections/incident_panel.html", 10, incident_panel)
        panels.register("evidence", "corrections/evidence_panel.html", 40, evidence_panel)
        topics.register(Correction, DestructionOrder, Proposal)
