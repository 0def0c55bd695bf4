"""Where every address leads. Everything asks who you are; the exceptions are a list in a test."""

from django.urls import include, path

from irapp.accounts.views.signing import Login, Logout
from irapp.audit.views.health import healthz
from irapp.common.views import design_system

handler403 = "irapp.common.views.not_permitted"
handler404 = "irapp.common.views.not_found"
handler500 = "irapp.common.views.broken"

urlpatterns = [
    path("sign-in/", Login.as_view(), name="login"),
    path("sign-out/", Logout.as_view(), name="logout"),
    path("healthz", healthz, name="healthz"),
    path("design-system/", design_system, name="design-system"),
    path("", include("incidents.urls")),
    path("accounts/", include("irapp.accounts.urls")),
    path("audit/", include("irapp.audit.urls")),
    path("preparation/", include("incidents.preparation.urls")),
    path("monitoring/", include("incidents.monitoring.urls")),
    path("execution/", include("incidents.execution.urls")),
    path("post-incident/", include("incidents.post_incident.urls")),
    path("corrections/", include("corrections.urls")),
    path("segments/", include("corrections.segments.urls")),
    path("webhooks/", include("corrections.webhooks.urls")),
    path("api/v1/", include("irapp.api_urls")),
]
