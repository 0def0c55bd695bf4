"""Where every address leads. Everything asks who you are; the exceptions are a list in a test."""

from django.urls import include, path

urlpatterns = [
    path("", include("incidents.urls")),
    path("accounts/", include("irapp.accounts.urls")),
    path("audit/", include("irapp.audit.urls")),
    path("preparation/", include("incidents.preparation.urls")),
    path("monitoring/", include("incidents.monitoring.urls")),
    path("post-incident/", include("incidents.post_incident.urls")),
    path("corrections/", include("corrections.urls")),
]
