"""Promises of the suite itself."""

import pytest
from django.db import transaction

from irapp.accounts.models import Role, RoleCode
from irapp.audit.models import Event
from irapp.audit.record import record
from tests.irapp.audit.test_append_only import Thing


@pytest.mark.parametrize("turn", [1, 2])
@pytest.mark.django_db(transaction=True)
def test_every_test_that_commits_starts_from_the_rows_of_the_migrations(turn):
    assert set(Role.objects.values_list("code", flat=True)) == set(RoleCode.values)
    assert not Event.objects.exists()
    with transaction.atomic():
        record("thing.made", Thing(), by=None)
