"""People for tests."""

from itertools import count

from irapp.accounts.models import ApiToken, RoleGrant, User

PASSWORD = "correct-horse-battery-staple"
_numbers = count(1)


def make_user(*roles, name="", username="", person=None, password=""):
    """Give a person who holds the roles. Without ``password`` nobody can sign in as them by form."""
    username = username or f"person-{next(_numbers)}"
    user = User(username=username, name=name or username.capitalize())
    if person is not None:
        user.person = person
    user.set_password(password or None)
    user.save()
    RoleGrant.objects.bulk_create(RoleGrant(user=user, role_id=role) for role in roles)
    return user


def make_token(user, *scopes, label="test"):
    """Give the secret of a new token, as it stands after ``Authorization: Bearer``."""
    _, secret = ApiToken.objects.create(user=user, label=label, scopes=list(scopes))
    return secret
