"""Addresses of this app."""

from django.urls import path

from incidents.monitoring.views import groups, lists, sources

app_name = "monitoring"
urlpatterns = [
    path("signals/", lists.signals, name="signals"),
    path("signals/report/", lists.report, name="report"),
    path("signals/<int:pk>/", groups.group, name="signal"),
    path("signals/<int:pk>/acknowledge/", groups.acknowledge, name="acknowledge"),
    path("signals/<int:pk>/link/", groups.link, name="link"),
    path("signals/<int:pk>/incident/", groups.open_incident, name="open_incident"),
    path("signals/<int:pk>/close/", groups.close, name="close"),
    path("signals/<int:pk>/reopen/", groups.reopen, name="reopen"),
    path("sources/", sources.sources, name="sources"),
    path("sources/add/", sources.add, name="add_source"),
    path("sources/<int:pk>/", sources.edit, name="source"),
]
