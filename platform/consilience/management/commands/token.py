"""`consilience token EMAIL`: make an API token and show it once."""

from typing import Any

from django.core.management import BaseCommand, CommandParser

from apps.accounts.models import ApiToken
from apps.accounts.services import TOKEN_DAYS, create_token

from ._people import person


class Command(BaseCommand):
    help = "Make an API token for a person and print it. It cannot be shown again."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="command line", help="what the person will see it as")
        parser.add_argument("--scope", choices=ApiToken.Scope.values, default=ApiToken.Scope.WRITE)
        parser.add_argument(
            "--days", type=int, default=TOKEN_DAYS, help=f"until it ends (default {TOKEN_DAYS})"
        )

    def handle(self, *_arguments: Any, **options: Any) -> None:
        _row, text = create_token(
            person(options["email"]), options["name"], scope=options["scope"], days=options["days"]
        )
        self.stdout.write(text)
