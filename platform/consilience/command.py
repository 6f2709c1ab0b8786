"""The command `consilience`: `up` runs it on this machine, everything else is a management command."""

import os
import sys


def main() -> int:
    if sys.argv[1:2] == ["up"]:
        from .up import main as up

        return up(sys.argv[2:])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilience.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
    return 0


if __name__ == "__main__":
    sys.exit(main())
