"""Addresses of this app."""

from django.urls import path

from incidents.post_incident.views import findings, reviews

app_name = "post_incident"
urlpatterns = [
    path("incidents/<int:pk>/", reviews.review, name="review"),
    path("incidents/<int:pk>/begin/", reviews.begin, name="begin"),
    path("incidents/<int:pk>/edit/", reviews.edit, name="edit"),
    path("incidents/<int:pk>/submit/", reviews.submit, name="submit"),
    path("incidents/<int:pk>/sign/", reviews.sign, name="sign"),
    path("incidents/<int:pk>/return/", reviews.give_back, name="return"),
    path("incidents/<int:pk>/report.<str:form>", reviews.export, name="export"),
    path("incidents/<int:pk>/findings/add/", findings.add, name="add_finding"),
    path("findings/<int:pk>/", findings.settle, name="settle"),
    path("findings/<int:pk>/remove/", findings.remove, name="remove_finding"),
    path("incidents/<int:pk>/follow-ups/add/", findings.add_follow_up, name="add_follow_up"),
    path("follow-ups/<int:pk>/finish/", findings.finish_follow_up, name="finish_follow_up"),
]
