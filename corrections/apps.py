from django.apps import AppConfig


class CorrectionsConfig(AppConfig):
    name = "corrections"
    label = "corrections"

    def ready(self) -> None:
        """Fill the registries of the floors below, and take on deliveries."""
        from corrections import checks, gates, inbox, reactions  # noqa: F401 (two register as they load)
        from corrections.models import Correction, Proposal
        from irapp.audit.live import topics

        gates.register()
        inbox.register()
        topics.register(Correction, Proposal)
