import pytest
from django.db import DatabaseError, connection, transaction

from irapp.audit.models import Event
from irapp.audit.record import record
from tests.irapp.factories import make_user


class Thing:
    pk = 7
    incident_id = None

    class _meta:  # noqa: N801
        label_lower = "tests.thing"
        model_name = "thing"


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_event SET verb = 'x'", "DELETE FROM audit_event", "TRUNCATE audit_event"]
)
def test_postgresql_itself_refuses_to_change_an_event(db, statement):
    record("thing.made", Thing(), by=make_user())

    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)

    assert Event.objects.get().verb == "thing.made"


@pytest.mark.django_db(transaction=True)
def test_an_event_outside_a_transaction_is_refused():
    with pytest.raises(RuntimeError, match="commit with the change"):
        record("thing.made", Thing(), by=None)

    assert not Event.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_event_goes_with_the_change_that_was_rolled_back():
    def change():
        with transaction.atomic():
            make_user(username="gone")
            record("thing.made", Thing(), by=None)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change()

    assert not Event.objects.exists()
