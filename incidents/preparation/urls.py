"""Addresses of this app."""

from django.urls import path

from incidents.preparation.views import binding, registers

app_name = "preparation"
urlpatterns = [
    path("", registers.index, name="index"),
    path("incidents/<int:pk>/<slug:code>/", binding.complete, name="complete"),
    path("<slug:kind>/", registers.entries, name="entries"),
    path("<slug:kind>/new/", registers.create, name="create"),
    path("<slug:kind>/<int:pk>/", registers.entry, name="entry"),
    path("<slug:kind>/<int:pk>/edit/", registers.edit, name="edit"),
    path("<slug:kind>/<int:pk>/retire/", registers.retire, name="retire"),
]
