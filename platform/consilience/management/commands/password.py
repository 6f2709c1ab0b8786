"""`consilience password EMAIL`: set a password, or make the account when nobody has this address
yet.
"""

import getpass
import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import transaction

from apps.accounts.models import User
from apps.accounts.services import create_user, set_password

from ._people import person


class Command(BaseCommand):
    help = (
        "Set the password of a person; all their sessions end. With --create NAME the account is "
        "made."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--create", metavar="NAME", help="make an account for this person")
        parser.add_argument(
            "--administrator",
            action="store_true",
            help="with --create: may administer this installation",
        )

    def handle(self, *_arguments: Any, **options: Any) -> None:
        if not options["create"]:
            person(options["email"])
        password = ask()
        try:
            with transaction.atomic():
                self.store(options, password)
        except ValidationError as error:
            raise CommandError("\n".join(error.messages)) from error
        self.stdout.write(f"{options['email']} can sign in with the new password.")

    def store(self, options: dict[str, Any], password: str) -> None:
        if not options["create"]:
            set_password(person(options["email"]), password)
        elif User.objects.filter(email=options["email"].lower()).exists():
            raise CommandError(f"{options['email']} has an account already; leave --create out.")
        else:
            create_user(
                options["email"], options["create"], password, is_staff=options["administrator"]
            )


def ask() -> str:
    """Read the password: from the keyboard, twice; from a pipe, the first line."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("New password: ")
    if getpass.getpass("Once more: ") != password:
        raise CommandError("The two are not the same. Nothing was changed.")
    return password
