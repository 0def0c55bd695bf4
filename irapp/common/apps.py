from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "irapp.common"
    label = "common"

    def ready(self) -> None:
        """Set up logs, system checks, and what the schema of the API knows."""
        from irapp.common import checks, logs  # noqa: F401 (checks register themselves)
        from irapp.common.api import schema  # noqa: F401 (so do its extensions)

        logs.configure()
