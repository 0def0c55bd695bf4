"""The people of the demo: one for each role, two executives. Passwords stand on the sign-in page."""

from __future__ import annotations

from typing import NamedTuple

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from irapp.accounts import actions
from irapp.accounts.models import RoleCode, User


class DemoPerson(NamedTuple):
    """Somebody of the demo."""

    username: str
    name: str
    role: RoleCode

    @property
    def password(self) -> str:
        """Known to everybody."""
        return f"demo-{self.username}-2026"


PEOPLE = (
    DemoPerson("rosa", "Rosa Keil", RoleCode.RESPONDER),
    DemoPerson("connor", "Connor Vale", RoleCode.COMMANDER),
    DemoPerson("dora", "Dora Lind", RoleCode.DUTY_OFFICER),
    DemoPerson("edgar", "Edgar Stone", RoleCode.EXECUTIVE),
    DemoPerson("elena", "Elena Ruiz", RoleCode.EXECUTIVE),  # what cannot be taken back takes two
    DemoPerson("kim", "Kim Aldana", RoleCode.COMMUNICATOR),
    DemoPerson("ada", "Ada Moreau", RoleCode.AUDITOR),
    DemoPerson("adam", "Adam Brandt", RoleCode.ADMINISTRATOR),
)


def seed() -> dict[str, User]:
    """Create whoever is missing and give everybody by user name.

    :raises ImproperlyConfigured: outside the demo, where accounts with known passwords would be open doors.
    """
    if not settings.DEMO:
        raise ImproperlyConfigured("Demo people exist in the demo only: set DEMO=1.")
    return {one.username: _present(one) for one in PEOPLE}


def shown() -> list[dict[str, str]]:
    """What the sign-in page says about them."""
    return [
        {"username": one.username, "password": one.password, "role": RoleCode(one.role).label}
        for one in PEOPLE
    ]


@transaction.atomic
def _present(one: DemoPerson) -> User:
    person = User.objects.filter(username=one.username).first()
    if person is not None:
        return person
    person = actions.add_person(username=one.username, name=one.name, password=one.password, by=None)
    return actions.grant_role(user_id=person.pk, role=one.role, by=None)
