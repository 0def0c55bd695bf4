"""``manage.py continue_policy``: after a restored backup, go on above what the hubs still hold."""

from __future__ import annotations

from getpass import getpass
from typing import Any

from django.contrib.auth import authenticate
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.http import HttpRequest  # noqa: TID251 - only to stand for this terminal

from corrections import actions
from irapp.accounts.models import User
from irapp.common.errors import DomainError


class Command(BaseCommand):
    help = (
        "Publish what is wanted here above a policy that hubs hold and this database has lost. "
        "Corrections that only the lost policy knew are lifted by this: impose them again first."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Say who decides, and why."""
        parser.add_argument("--by", required=True, help="your user name; the password is asked for")
        parser.add_argument("--reason", required=True)

    def handle(self, *_args: object, **options: Any) -> None:
        """Go on, as a person who may."""
        here = HttpRequest()  # wrong passwords count towards the lockout here as well
        here.META["REMOTE_ADDR"] = "127.0.0.1"
        person = authenticate(here, username=options["by"], password=getpass())
        if not isinstance(person, User):
            raise CommandError("The user name or the password is wrong.")
        try:
            version = actions.continue_policy(reason=options["reason"], by=person)
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Published {version}; the hubs get it now.")
