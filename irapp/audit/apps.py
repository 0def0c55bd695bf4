from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "irapp.audit"
    label = "audit"

    def ready(self) -> None:
        """Write the events of the floor below."""
        from irapp.audit.record import record
        from irapp.common import recording

        recording.use(record)
