from django.apps import AppConfig


class PostIncidentConfig(AppConfig):
    name = "incidents.post_incident"
    label = "post_incident"
