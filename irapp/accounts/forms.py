"""What people may enter about accounts."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth import forms as auth

from irapp.accounts import actions
from irapp.accounts.models import Scope, User
from irapp.common.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from irapp.accounts.models import Role

    _SetPassword = auth.SetPasswordForm[User]
    _ChangePassword = auth.PasswordChangeForm
else:  # generic for type checkers only
    _SetPassword, _ChangePassword = auth.SetPasswordForm, auth.PasswordChangeForm

DAYS = [(7, "7 days"), (30, "30 days"), (90, "90 days"), (365, "a year")]


@contextmanager
def refusals_in(form: forms.Form) -> Iterator[None]:
    """Show what an action finds wrong at the field it names."""
    try:
        yield
    except InvalidError as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))


def _plain(**attrs: str) -> forms.TextInput:
    return forms.TextInput(attrs={"autocomplete": "off", **attrs})


class CreatePerson(forms.Form):
    """A new account. Its person chooses the password."""

    name = forms.CharField(
        label="Full name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    username = forms.CharField(
        label="User name",
        max_length=150,
        help_text="Letters, digits and @ . + - _; it stays.",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    email = forms.EmailField(label="E-mail", required=False)


class GrantRole(forms.Form):
    """A role that somebody does not hold yet."""

    role = forms.ChoiceField()

    def __init__(self, *args: Any, roles: Iterable[Role], **named: Any) -> None:
        super().__init__(*args, **named)
        self.fields["role"].choices = [("", "Choose a role"), *((role.code, role.name) for role in roles)]  # type: ignore[attr-defined]


class CreateToken(forms.Form):
    """A token of one's own."""

    label = forms.CharField(max_length=80, help_text="What will use it, for example “pager in Vienna”.")
    scopes = forms.MultipleChoiceField(
        label="May",
        choices=Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text="Never more than you may yourself. No token decides on anything.",
    )
    days = forms.TypedChoiceField(label="Works for", choices=DAYS, coerce=int, initial=30)


class ChoosePassword(_SetPassword):
    """The password of an invited person."""

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002, ARG002 - Django's signature
        """Set it, on the record."""
        self.user = actions.change_password(user_id=self.user.pk, password=self.cleaned_data["new_password1"])
        return self.user


class ChangePassword(ChoosePassword, _ChangePassword):
    """A new password for whoever knows the present one."""
