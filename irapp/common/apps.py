from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "irapp.common"
    label = "common"
