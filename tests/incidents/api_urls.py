"""The incidents' part of the API, at its address."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from incidents.api import Incidents

router = SimpleRouter()
router.register("incidents", Incidents, basename="incidents")
urlpatterns = [path("", include("incidents.urls")), path("api/v1/", include(router.urls))]
