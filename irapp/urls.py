"""Where every address leads. Everything asks who you are; the exceptions are a list in a test."""

from django.urls import include, path

from irapp.accounts.views.signing import Login, Logout

urlpatterns = [
    path("sign-in/", Login.as_view(), name="login"),
    path("sign-out/", Logout.as_view(), name="logout"),
    path("", include("incidents.urls")),
    path("accounts/", include("irapp.accounts.urls")),
    path("audit/", include("irapp.audit.urls")),
    path("preparation/", include("incidents.preparation.urls")),
    path("monitoring/", include("incidents.monitoring.urls")),
    path("post-incident/", include("incidents.post_incident.urls")),
    path("corrections/", include("corrections.urls")),
]
