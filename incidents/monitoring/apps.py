from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "incidents.monitoring"
    label = "monitoring"
