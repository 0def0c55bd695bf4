"""What every action on an account begins with."""

from __future__ import annotations

from irapp.accounts.models import Role, RoleCode, User
from irapp.accounts.policies import check_not_last_administrator
from irapp.accounts.selectors import holding
from irapp.common.errors import InvalidError


def locked(user_id: int) -> User:
    """Lock an account for the rest of the transaction."""
    person = User.objects.select_for_update(no_key=True).filter(pk=user_id).first()
    if person is None:
        raise InvalidError("There is no such person.", code="unknown_person", field="person")
    return person


def one_at_a_time() -> None:
    """Wait for whoever is taking a role or an account away; comes before :func:`locked`.

    Two administrators who remove each other at once would otherwise both pass, and none be left.
    """
    Role.objects.select_for_update().get(code=RoleCode.ADMINISTRATOR)


def keep_an_administrator(person: User) -> None:
    """Refuse to take the last administrator away."""
    others = holding(RoleCode.ADMINISTRATOR).exclude(pk=person.pk).count()
    check_not_last_administrator(person, others)
