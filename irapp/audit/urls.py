"""Addresses of this app."""

from django.urls import path

from irapp.audit.views import reading

app_name = "audit"
urlpatterns = [
    path("", reading.events, name="events"),
    path("<int:pk>/", reading.event, name="event"),
    path("export/<slug:kind>/", reading.take_out, name="export"),
]
