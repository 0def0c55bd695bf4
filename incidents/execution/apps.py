from django.apps import AppConfig


class ExecutionConfig(AppConfig):
    name = "incidents.execution"
    label = "execution"
