"""Addresses of this app; sign-in and sign-out stand at the top, without a namespace."""

from django.urls import path

from irapp.accounts.views import own, people

app_name = "accounts"
urlpatterns = [
    path("", own.profile, name="profile"),
    path("password/", own.ChangePassword.as_view(), name="password"),
    path("tokens/", own.create_token, name="create_token"),
    path("tokens/revoke/", own.revoke_token, name="revoke_token"),
    path("welcome/<str:uidb64>/<str:token>/", own.Welcome.as_view(), name="welcome"),
    path("people/", people.index, name="people"),
    path("people/new/", people.create, name="create"),
    path("people/<int:pk>/", people.person, name="person"),
    path("people/<int:pk>/invite/", people.invite, name="invite"),
    path("people/<int:pk>/grant/", people.grant, name="grant"),
    path("people/<int:pk>/revoke/", people.revoke, name="revoke"),
    path("people/<int:pk>/deactivate/", people.deactivate, name="deactivate"),
    path("people/<int:pk>/reactivate/", people.reactivate, name="reactivate"),
    path("people/<int:pk>/unlock/", people.unlock, name="unlock"),
]
