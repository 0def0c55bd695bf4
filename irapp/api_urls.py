"""The API: what the apps offer in their ``api`` modules, its schema, and a page that lists it."""

from __future__ import annotations

from importlib import import_module

from django.apps import apps
from django.urls import include, path
from django.utils.module_loading import module_has_submodule
from drf_spectacular.views import SpectacularAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.routers import SimpleRouter

from irapp.common.api.pages import operations


class Schema(SpectacularAPIView):
    """OpenAPI, for whoever may call."""

    permission_classes = (IsAuthenticated,)


def _router() -> SimpleRouter:
    """Collect ``ROUTES`` of every app that has some: (prefix, viewset, name)."""
    router = SimpleRouter()
    for config in apps.get_app_configs():
        if config.module and module_has_submodule(config.module, "api"):
            for prefix, viewset, name in getattr(import_module(f"{config.name}.api"), "ROUTES", ()):
                router.register(prefix, viewset, basename=name)
    return router


urlpatterns = [
    path("", operations, name="operations"),
    path("schema/", Schema.as_view(), name="schema"),
    path("", include(_router().urls)),
]
