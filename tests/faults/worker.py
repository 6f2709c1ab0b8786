"""A real worker on the database of the tests, started as a process of its own: python worker.py
DATABASE
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "platform"), str(ROOT), str(Path(__file__).parent)]
os.environ["DJANGO_SETTINGS_MODULE"] = "consilience.settings_test"
os.environ["CELERY_SKIP_CHECKS"] = "1"


def main() -> None:
    os.setsid()
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = sys.argv[1]
    import django

    django.setup()
    from apps.jobs.handlers import Handler, register

    register("counting", Handler("counting:run"))
    from consilience.up import worker

    worker("default")


if __name__ == "__main__":
    main()
