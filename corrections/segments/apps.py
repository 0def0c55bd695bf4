from django.apps import AppConfig


class SegmentsConfig(AppConfig):
    name = "corrections.segments"
    label = "segments"

    def ready(self) -> None:
        """Fill the registries of the floors below, and take on what is owed."""
        from corrections.segments import logged, reactions  # noqa: F401 (one registers as it loads)
        from corrections.segments.models import PatternSet, Segment
        from irapp.audit.live import topics

        logged.register()
        topics.register(Segment, PatternSet)
