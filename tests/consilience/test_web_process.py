"""The web process serves every kind of page without the libraries of learning: they cost seconds
and hundreds of megabytes.
"""

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys, django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("createcachetable", verbosity=0)
from django.test import Client
from apps.accounts.models import User
from apps.projects.services import create_project
import consilience.asgi
user = User.objects.create_user("a@example.org", "x", name="Ada")
project = create_project(user, "Digits", "Read digits.", [{"code": "VI", "name": "Vision"}])
client = Client(headers={"host": "127.0.0.1"})
client.force_login(user)
home = f"/p/{project.slug}/"
pages = ["/", home, home + "members/", home + "data/", home + "data/new/", home + "samples/", home + "alignments/", home + "alignments/new/",
         home + "runs/", home + "runs/new/", home + "runs/compare/", home + "reviews/", home + "models/", home + "activity/", "/inbox/", "/search/?q=a", "/help/", "/encoders/", "/ui/gallery/",
         "/api/v1/projects/", "/api/v1/schema/"]
answers = {page: client.get(page).status_code for page in pages}
heavy = sorted({"torch", "transformers", "sklearn", "scipy", "pyarrow", "pandas", "numpy"} & {name.split(".")[0] for name in sys.modules})
print({page: code for page, code in answers.items() if code != 200}, heavy)
"""


def test_no_page_loads_a_library_of_learning(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "CONSILIENCE_HOME": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "consilience.settings_test",
        "DATABASE_URL": "",
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        env=environment,
        cwd=Path(__file__).parents[2],
        timeout=120,
    )
    assert done.stdout.strip().splitlines()[-1:] == ["{} []"], done.stdout + done.stderr
