"""Addresses of webhooks."""

from django.urls import path

from corrections.webhooks.views import pages, steps

app_name = "webhooks"
urlpatterns = [
    path("", pages.index, name="list"),
    path("add/", pages.add, name="add"),
    path("<int:pk>/", pages.show, name="detail"),
    path("<int:pk>/ping/", pages.ping, name="ping"),
    path("<int:pk>/rotate/", pages.rotate, name="rotate"),
    *(path(f"<int:pk>/{name}/", steps.confirm, {"step": name}, name=name) for name in steps.STEPS),
]
