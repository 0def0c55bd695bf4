from django.apps import AppConfig


class PreparationConfig(AppConfig):
    name = "incidents.preparation"
    label = "preparation"
