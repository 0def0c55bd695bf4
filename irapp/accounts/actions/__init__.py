"""Everything that can happen to people, their roles, passwords and tokens."""

from irapp.accounts.actions.passwords import Invitation, change_password, invite, unlock
from irapp.accounts.actions.people import add_person, join_accounts, set_active
from irapp.accounts.actions.roles import grant_role, revoke_role
from irapp.accounts.actions.tokens import create_token, revoke_token

__all__ = [
    "Invitation",
    "add_person",
    "change_password",
    "create_token",
    "grant_role",
    "invite",
    "join_accounts",
    "revoke_role",
    "revoke_token",
    "set_active",
    "unlock",
]
