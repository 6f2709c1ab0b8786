"""A model from the hub, by the real client against a server of our own that answers as the hub
does.
"""

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlparse

import pytest

from fusion.encoders import catalogue

from .families import saved

ROOT = Path(__file__).parents[2]
REVISION = "4f" * 20
README = "---\nlicense: apache-2.0\n---\n# Tiny\n"


class Hub(ThreadingHTTPServer):
    """One repository, clinic/Tiny, of the files of a folder. requests: method and path of every
    request.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.folder, self.requests = folder, []


class Answer(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        path = urlparse(self.path).path
        self.server.requests.append(f"{self.command} {path}")
        files = (
            {file.name: file.read_bytes() for file in sorted(self.server.folder.iterdir())}
            if self.server.folder.is_dir()
            else {}
        )
        answers = (
            {
                "/api/models/clinic/Tiny": {
                    "_id": "1",
                    "id": "clinic/Tiny",
                    "sha": REVISION,
                    "siblings": [{"rfilename": name} for name in files],
                },
                f"/api/models/clinic/Tiny/tree/{REVISION}": [
                    {
                        "type": "file",
                        "path": name,
                        "size": len(content),
                        "oid": hashlib.sha1(content).hexdigest(),
                    }
                    for name, content in files.items()
                ],
            }
            if files
            else {}
        )
        bodies = {place: json.dumps(content).encode() for place, content in answers.items()}
        bodies |= {
            f"/clinic/Tiny/resolve/{REVISION}/{name}": content for name, content in files.items()
        }
        self.send(bodies.get(path, b"{}"), body, 200 if path in bodies else 404)

    def send(self, content: bytes, body: bool, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header(
            "Content-Type",
            "application/json" if self.path.startswith("/api") else "application/octet-stream",
        )
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", REVISION)
        if status == 404:
            self.send_header("X-Error-Code", "RepoNotFound")
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Silent: `requests` is what a test looks at."""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Callable[..., Hub]]:
    served: list[Hub] = []

    def start(folder: Path) -> Hub:
        served.append(Hub(folder))
        threading.Thread(target=served[-1].serve_forever, daemon=True).start()
        return served[-1]

    yield start
    for hub_server in served:
        hub_server.shutdown()
        hub_server.server_close()


def add(hub: Hub, home: Path, *more: str) -> subprocess.CompletedProcess:
    """Add an encoder in a process of its own: the client reads the hub's address at its import."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.lower().endswith("_proxy") and name != "HF_HUB_OFFLINE"
    }
    place = {
        "CONSILIENCE_HOME": str(home),
        "CONSILIENCE_ENCODERS": str(home / "encoders"),
        "HF_HOME": str(home / "hf"),
        "HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}",
        "HF_HUB_DISABLE_XET": "1",
        "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}",
    }
    command = [sys.executable, "-m", "consilience.command", "encoder", "add", "clinic/Tiny", *more]
    return subprocess.run(
        command, env={**clean, **place}, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_model_of_the_hub_is_downloaded_tested_and_listed(
    hub: Callable[..., Hub], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = saved(tmp_path / "model", "bert")
    (folder / "README.md").write_text(README)
    (folder / "modeling_evil.py").write_text("raise SystemExit('code of the model ran')")
    (folder / "pytorch_model.bin").write_bytes(b"a pickle")
    server = hub(folder)
    done = add(server, tmp_path / "home")
    assert done.returncode == 0, done.stderr
    monkeypatch.setenv("CONSILIENCE_ENCODERS", str(tmp_path / "home" / "encoders"))
    entry = catalogue.get("tiny")
    assert entry is not None
    assert (entry.source, entry.version, entry.licence, entry.dim) == (
        "huggingface.co/clinic/Tiny",
        REVISION,
        "apache-2.0",
        16,
    )
    got = [line.rsplit("/", 1)[-1] for line in server.requests if line.startswith("GET /clinic")]
    assert got.index("config.json") < got.index("model.safetensors")
    assert not {"modeling_evil.py", "pytorch_model.bin"} & set(got)
    assert sorted(path.name for path in (tmp_path / "home" / "encoders").iterdir()) == ["tiny"]


def test_a_model_that_cannot_be_read_is_refused_before_its_weights_come(
    hub: Callable[..., Hub], tmp_path: Path
) -> None:
    folder = saved(tmp_path / "model", "bert")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "t5"}))
    server = hub(folder)
    done = add(server, tmp_path / "home")
    assert done.returncode == 1
    assert "t5" in done.stderr
    assert not [
        line for line in server.requests if "safetensors" in line and line.startswith("GET /clinic")
    ]
    assert not list((tmp_path / "home" / "encoders").iterdir())


def test_a_model_that_the_hub_does_not_have_is_told_in_words(
    hub: Callable[..., Hub], tmp_path: Path
) -> None:
    done = add(hub(tmp_path / "none"), tmp_path / "home")
    assert done.returncode == 1
    assert "clinic/Tiny cannot be downloaded: " in done.stderr
    assert "Traceback" not in done.stderr
