from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "irapp.accounts"
    label = "accounts"
