from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "irapp.accounts"
    label = "accounts"

    def ready(self) -> None:
        """Listen to people coming and going."""
        from irapp.accounts import reactions

        reactions.connect()
