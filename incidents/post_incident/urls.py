"""Addresses of this app."""

from django.urls import URLPattern

app_name = "post_incident"
urlpatterns: list[URLPattern] = []
