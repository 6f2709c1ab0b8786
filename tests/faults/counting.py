"""Work for the tests: counts to `total`, a step in a tenth of a second, and goes on from its
checkpoint at the next attempt.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apps.jobs.work import Work


def run(work: "Work") -> None:
    folder, total = Path(work.job.payload["folder"]), work.job.payload["total"]
    checkpoint = folder / "checkpoint"
    done = int(checkpoint.read_text()) if checkpoint.exists() else 0
    work.stage("count")
    for number in range(done + 1, total + 1):
        work.check()
        time.sleep(0.1)
        with (folder / "counted").open("a") as file:
            file.write(f"{work.job.attempt} {number}\n")
        checkpoint.write_text(str(number))
        work.step(number, total)
        work.log(f"attempt {work.job.attempt} counted {number}")
