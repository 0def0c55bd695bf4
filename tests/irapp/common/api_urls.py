"""A small API with the real settings: people are listed and made."""

from http import HTTPStatus

from django.urls import include, path
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.viewsets import GenericViewSet

from irapp.accounts.models import Scope, User
from irapp.common.api.idempotency import Idempotent
from irapp.common.api.serializers import StrictSerializer
from irapp.common.errors import ConflictError, InvalidError
from tests.irapp.factories import make_user

handler404 = "irapp.common.views.not_found"
handler500 = "irapp.common.views.broken"


class OfPerson(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ("id", "username")


class Given(StrictSerializer):
    username = serializers.CharField(max_length=20)
    tags = serializers.ListField(child=serializers.CharField(), required=False)


class People(Idempotent, ListModelMixin, GenericViewSet):
    queryset = User.objects.all()
    serializer_class = OfPerson
    scopes = {"list": Scope.INCIDENTS_READ, "create": Scope.INCIDENTS_WRITE}

    def create(self, request):
        said = Given(data=request.data)
        said.is_valid(raise_exception=True)
        name = said.validated_data["username"]
        person = make_user(username=name)
        if name == "taken":
            raise ConflictError("This name is taken.", code="taken")
        if name == "wrong":
            raise InvalidError("Not this name.", field="username", details={"try": "another"})
        if name == "bug":
            raise ZeroDivisionError
        data = OfPerson(person).data
        return Response(data, status=HTTPStatus.CREATED, headers={"Location": f"/people/{person.pk}/"})


router = SimpleRouter()
router.register("people", People)
urlpatterns = [path("api/v1/", include(router.urls)), path("", include("irapp.urls"))]
