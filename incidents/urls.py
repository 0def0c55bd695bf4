"""Addresses of this app."""

from django.urls import path

from incidents.views import incident, lists, moving, parts, work

app_name = "incidents"
urlpatterns = [
    path("", lists.queue, name="queue"),
    path("inbox/", lists.inbox_page, name="inbox"),
    path("inbox/count/", lists.inbox_count, name="inbox_count"),
    path("incidents/", lists.incidents, name="list"),
    path("incidents/new/", incident.create, name="create"),
    path("incidents/<int:pk>/", incident.detail, name="detail"),
    path("incidents/<int:pk>/edit/", incident.edit, name="edit"),
    path("incidents/<int:pk>/restrict/", incident.restrict, name="restrict"),
    path("incidents/<int:pk>/move/<slug:name>/", moving.move, name="move"),
    path("incidents/<int:pk>/stage/", incident.stage, name="stage"),
    path("incidents/<int:pk>/panels/<slug:name>/", incident.panel, name="panel"),
    path("incidents/<int:pk>/people/", parts.people, name="people"),
    path("incidents/<int:pk>/people/assign/", work.assign, name="assign"),
    path("incidents/<int:pk>/tasks/", parts.tasks, name="tasks"),
    path("incidents/<int:pk>/tasks/add/", work.add_task, name="add_task"),
    path("incidents/<int:pk>/timeline/", parts.timeline, name="timeline"),
    path("incidents/<int:pk>/notes/add/", work.add_note, name="add_note"),
    path("incidents/notes/<int:pk>/", work.note, name="note"),
    path("incidents/notes/<int:pk>/edit/", work.edit_note, name="edit_note"),
    path("incidents/tasks/<int:pk>/finish/", work.finish_task, name="finish_task"),
    path("incidents/tasks/<int:pk>/take/", work.take_task, name="take_task"),
    path("incidents/tasks/<int:pk>/take-up-again/", work.unfinish_task, name="unfinish_task"),
    path("incidents/parts/<int:pk>/relieve/", work.relieve, name="relieve"),
]
