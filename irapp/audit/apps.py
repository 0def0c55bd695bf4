from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "irapp.audit"
    label = "audit"
