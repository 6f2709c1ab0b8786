"""The command `consilience`: processes of this machine, and everything that Django's manage.py
does.
"""

import argparse
import os
import sys
from collections.abc import Callable


def serve(arguments: list[str]) -> int:
    """Only the web process, for a process manager or a container."""
    from .up import StartRefused, listen, load, web

    parser = argparse.ArgumentParser(
        prog="consilience serve", description="Run the web process alone."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args(arguments)
    os.environ["CONSILIENCE_BIND"] = options.host
    try:
        listener = listen(options.host, options.port)
    except StartRefused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    load()
    web(listener)
    return 0


def worker(arguments: list[str]) -> int:
    """Only a worker, of the queue that is named: default (imports), cpu or gpu."""
    import django

    from .up import worker as run

    parser = argparse.ArgumentParser(prog="consilience worker", description="Run one worker.")
    parser.add_argument("queue", choices=("default", "cpu", "gpu"))
    options = parser.parse_args(arguments)
    os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
    django.setup()
    run(options.queue)
    return 0


def scheduler(_arguments: list[str]) -> int:
    """Only the scheduler. Two of them do no harm."""
    import django

    from .up import scheduler as run

    django.setup()
    run()
    return 0


def up(arguments: list[str]) -> int:
    """All of it, supervised."""
    from .up import main

    return main(arguments)


def encoder(arguments: list[str]) -> int:
    """Encoders of this installation: add, list, check, remove."""
    from .encoder import main

    return main(arguments)


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "up": up,
    "serve": serve,
    "worker": worker,
    "scheduler": scheduler,
    "encoder": encoder,
}


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilience.settings")
    if command := COMMANDS.get(" ".join(sys.argv[1:2])):
        return command(sys.argv[2:])
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
    return 0


if __name__ == "__main__":
    sys.exit(main())
