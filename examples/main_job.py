"""The whole main job by program, with nothing but the standard library: a study folder in, a
trained and judged model out.

    python examples/main_job.py --url http://127.0.0.1:8000 --token csl_... FOLDER

Makes a project (or takes --project), uploads the folder, confirms what the check found, freezes the
alignment that the study describes, starts a run with the default recipe (or --recipe), waits, and
prints the headline result.
"""

import argparse
import json
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

Answer = dict[str, Any]


class Refused(Exception):
    """The server said no; the words are its own."""


class Client:
    def __init__(self, url: str, token: str) -> None:
        self.base, self.token = f"{url.rstrip('/')}/api/v1", token

    def call(
        self, method: str, path: str, data: Answer | None = None, file: Path | None = None
    ) -> Answer:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        body: Any = None
        if file:
            headers |= {
                "Content-Type": "application/octet-stream",
                "Content-Length": str(file.stat().st_size),
            }
            headers["Content-Disposition"] = f'attachment; filename="{file.name}"'
            body = file.open("rb")
        elif data is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(data).encode()
        request = urllib.request.Request(self.base + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=600) as response:
                return json.loads(response.read() or b"{}")
        except urllib.error.HTTPError as error:
            raise Refused(
                f"{method} {path}: {error.code} {error.read().decode(errors='replace')[:2000]}"
            ) from error


def packed(folder: Path, place: Path) -> Path:
    archive = place / f"{folder.name}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                file.write(path, path.relative_to(folder))
    return archive


def bar(title: str, job: Answer | None) -> None:
    done, total = (job or {}).get("done", 0), (job or {}).get("total", 0)
    share = done / total if total else 0.0
    stage = (job or {}).get("stage", "")
    print(
        f"\r{title:<10} [{'#' * round(24 * share):<24}] {stage:<10} {done}/{total or '?'}   ",
        end="",
        file=sys.stderr,
        flush=True,
    )


def wait(client: Client, path: str, title: str, job: str, over: set[str]) -> Answer:
    """Ask until the thing itself says that it is over; its own state decides, not its job's."""
    while True:
        answer = client.call("GET", path)
        bar(title, answer.get(job))
        state = answer.get("state") or (answer.get(job) or {}).get("state")
        if state in over:
            print(file=sys.stderr)
            if state in {"failed", "stopped", "cancelled"}:
                raise Refused(f"{title} {state}: {(answer.get(job) or {}).get('error', '')}")
            return answer
        time.sleep(0.5)


def project_of(client: Client, wanted: str | None, folder: Path) -> Answer:
    if wanted:
        return client.call("GET", f"/projects/{wanted}/")
    name = folder.name.replace("-", " ").capitalize()
    return client.call(
        "POST",
        "/projects/",
        {"name": name, "goal": f"Bring the study {folder.name} to a judged model."},
    )


def upload(client: Client, home: str, folder: Path) -> Answer:
    made = client.call("POST", f"{home}/uploads/", {"source": "study"})
    path = f"{home}/uploads/{made['id']}/"
    with tempfile.TemporaryDirectory() as place:
        archive = packed(folder, Path(place))
        client.call("PUT", f"{path}files/?name={urllib.parse.quote(archive.name)}", file=archive)
    client.call("POST", f"{path}check/", {})
    wait(client, path, "check", "check_job", {"ready", "failed", "cancelled"})
    client.call("POST", f"{path}import/", {})
    return wait(client, path, "import", "import_job", {"done", "failed", "cancelled"})


def frozen_alignment(client: Client, home: str) -> Answer:
    """The newest alignment: the import has drafted it from the study's own description."""
    found = client.call("GET", f"{home}/alignments/")["results"]
    if not found:
        raise Refused("The study describes no alignment; make one in the browser.")
    path = f"{home}/alignments/{found[0]['number']}/"
    if found[0]["state"] == "draft":
        client.call("POST", f"{path}freeze/", {})
    return wait(client, path, "freeze", "job", {"frozen", "failed"})


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--project", help="slug of a project; without it one is made")
    parser.add_argument("--recipe", type=Path, help="a recipe as JSON; without it the default one")
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    client = Client(given.url, given.token)
    try:
        project = project_of(client, given.project, given.folder.resolve())
        home = f"/projects/{project['slug']}"
        upload(client, home, given.folder.resolve())
        alignment = frozen_alignment(client, home)
        recipe = json.loads(given.recipe.read_text()) if given.recipe else {}
        run = client.call(
            "POST",
            f"{home}/runs/",
            {
                "alignment": alignment["number"],
                "recipe": recipe,
                "question": "What does joining bring?",
            },
        )
        run = wait(
            client, f"{home}/runs/{run['number']}/", "run", "job", {"finished", "failed", "stopped"}
        )
    except Refused as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    headline = run["headline"]
    for name, score in headline.items():
        if isinstance(score, dict):
            between = (
                "no interval"
                if score["low"] is None
                else f"{score['low']:.3f} to {score['high']:.3f}"
            )
            print(
                f"{headline['metric'] if name == 'score' else name:<22} {score['value']:.3f}  "
                f"({between})"
            )
    print(run["page"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
