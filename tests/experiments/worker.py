"""A real worker of the queue `cpu` on the database of the tests: python worker.py DATABASE"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilience.settings_test")
os.environ["CELERY_SKIP_CHECKS"] = "1"


def main() -> None:
    os.setsid()
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = sys.argv[1]
    import django

    django.setup()
    from consilience.up import worker

    worker("cpu")


if __name__ == "__main__":
    main()
