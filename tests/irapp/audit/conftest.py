import pytest


@pytest.fixture
def auditor(client):
    from irapp.accounts.models import RoleCode
    from tests.irapp.factories import make_user

    person = make_user(RoleCode.AUDITOR, name="Ada Moreau")
    client.force_login(person)
    return person
