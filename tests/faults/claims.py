"""Many processes claim the same jobs. python claims.py make N | claim: prints the ids that this
process got.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]
os.environ["DJANGO_SETTINGS_MODULE"] = "consilience.settings"


def make(count: int) -> None:
    from apps.accounts.models import User
    from apps.jobs.models import Job
    from apps.projects.services import create_project

    owner = User.objects.create_user("owner@example.org", name="Owner")
    project = create_project(owner, "Claims", "See who gets what.")
    Job.objects.bulk_create(Job(project=project, kind="nothing") for _ in range(count))


def claim() -> None:
    from apps.jobs.leases import claim, owner_name
    from apps.jobs.models import Job

    for job_id in Job.objects.order_by("pk").values_list("pk", flat=True):
        if claim(str(job_id), owner_name()):
            print(job_id, flush=True)


if __name__ == "__main__":
    import django

    django.setup()
    make(int(sys.argv[2])) if sys.argv[1] == "make" else claim()
