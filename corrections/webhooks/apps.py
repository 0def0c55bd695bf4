from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "corrections.webhooks"
    label = "webhooks"

    def ready(self) -> None:
        """Take on deliveries, listen for new policies, and give events their words."""
        from corrections.publishing import compile as compiling
        from corrections.webhooks import delivery, logged

        compiling.on_published(delivery.owe_to_all)
        logged.register()
