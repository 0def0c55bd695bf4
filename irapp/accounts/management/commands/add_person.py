"""``manage.py add_person``: the first administrator of an installation, who then adds the others."""

from __future__ import annotations

from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from irapp.accounts import actions
from irapp.accounts.models import RoleCode
from irapp.common.errors import DomainError


class Command(BaseCommand):
    help = "Add somebody with roles. The password is asked for, or read from standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        """Say who."""
        parser.add_argument("username")
        parser.add_argument("--name", default="")
        parser.add_argument("--role", action="append", choices=RoleCode.values, default=[])

    def handle(self, *_args: object, **options: Any) -> None:
        """Add them, all or nothing."""
        name, password = options["name"] or options["username"], getpass()
        try:
            with transaction.atomic():
                person = actions.add_person(
                    username=options["username"], name=name, password=password, by=None
                )
                for role in options["role"]:
                    actions.grant_role(user_id=person.pk, role=role, by=None)
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{person} can sign in.")
