"""Addresses of this app."""

from django.urls import path

from corrections.views import alarms, confirming, deciding, destroying, drafting, listing

app_name = "corrections"
urlpatterns = [
    path("", listing.index, name="list"),
    path("new/", drafting.create, name="create"),
    path("alarms/", alarms.index, name="alarms"),
    path("alarms/banner/", alarms.banner, name="banner"),
    path("alarms/<int:pk>/", alarms.show, name="alarm"),
    path("alarms/<int:pk>/acknowledge/", alarms.acknowledge, name="acknowledge"),
    path("gateways/", listing.gateways, name="gateways"),
    path("gateways/<int:pk>/retire/", confirming.confirm, {"step": "retire"}, name="retire"),
    path("gateways/<int:pk>/return/", confirming.confirm, {"step": "take_up"}, name="take_up"),
    path("destruction/", destroying.index, name="destructions"),
    path("destruction/new/", destroying.order, name="order"),
    path("destruction/<int:pk>/", destroying.show, name="destruction"),
    path("destruction/<int:pk>/sign/", destroying.sign, name="sign"),
    path(
        "destruction/<int:pk>/withdraw/",
        confirming.confirm,
        {"step": "withdraw_order"},
        name="withdraw_order",
    ),
    path("holds/new/", destroying.place, name="place_hold"),
    path("holds/<int:pk>/", destroying.hold, name="hold"),
    path("holds/<int:pk>/release/", confirming.confirm, {"step": "release"}, name="release"),
    path("proposals/<int:pk>/", deciding.proposal, name="proposal"),
    path("proposals/<int:pk>/review/", deciding.review, name="review"),
    path("proposals/<int:pk>/vote/", deciding.vote, name="vote"),
    path("proposals/<int:pk>/withdraw/", confirming.confirm, {"step": "withdraw"}, name="withdraw"),
    path("<int:pk>/", listing.show, name="detail"),
    path("<int:pk>/edit/", drafting.edit, name="edit"),
    path("<int:pk>/version/", drafting.version, name="version"),
    path("<int:pk>/step/", drafting.step, name="step"),
    path("<int:pk>/propose/", confirming.confirm, {"step": "propose"}, name="propose"),
    path("<int:pk>/lift/", confirming.confirm, {"step": "lift"}, name="lift"),
    path("<int:pk>/permanent/", confirming.confirm, {"step": "permanent"}, name="permanent"),
    path("<int:pk>/retry/", confirming.confirm, {"step": "retry"}, name="retry"),
    path("<int:pk>/discard/", confirming.confirm, {"step": "discard"}, name="discard"),
]
