"""`make demo` calls this: the demo's people, project and data."""

from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from consilience.demo.seed import NotADemo, seed


class Command(BaseCommand):
    help = "Fill an empty home folder with the demo project. Safe to repeat."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--samples", type=int, default=1_080, help="how many samples the demo study has"
        )

    def handle(self, *_arguments: Any, **options: Any) -> None:
        try:
            seed(lambda text: self.stdout.write(f"  {text}"), options["samples"])
        except NotADemo as refusal:
            raise CommandError(str(refusal)) from refusal
