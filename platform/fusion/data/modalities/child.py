"""A child process that decodes files from strangers, so that a hostile one can only end the child.

Protocol: one JSON object a line. In: {"path", "kind", "thumbnail": px or null, "waveform": points
or null}. Out: {"ok": {...Inspection, "thumbnail": base64}} or {"broken": "reason"}. The child has
no secrets in its environment, little memory, no room to write files, and a deadline for each file;
after a crash the parent starts another and goes on.
"""

import base64
import json
import os
import queue
import resource
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from fusion.data.modalities import BrokenFile, Inspection, inspect, module

MEMORY_BYTES = 1_500_000_000
CPU_SECONDS = 3_600
OPEN_FILES = 64
SECONDS_A_FILE = 30.0
START_SECONDS = 60.0
READY = '{"ready": true}'


class Inspector:
    """Inspects many files in one child: `with Inspector() as inspector: inspector.inspect(path,
    kind)`.
    """

    def __init__(
        self,
        thumbnail_px: int | None = None,
        waveform_points: int | None = None,
        seconds: float = SECONDS_A_FILE,
    ) -> None:
        self.want = {"thumbnail": thumbnail_px, "waveform": waveform_points}
        self.seconds = seconds
        self.child: subprocess.Popen[str] | None = None
        self.answers: queue.Queue[str | None] = queue.Queue()
        self.restarts = 0

    def __enter__(self) -> "Inspector":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def inspect(self, path: Path, kind: str) -> Inspection | BrokenFile:
        """What the file is, or why it cannot be used; never raises for a bad file."""
        child = self.child or self.start()
        request = json.dumps({"path": str(path), "kind": kind, **self.want})
        try:
            assert child.stdin is not None
            child.stdin.write(request + "\n")
            child.stdin.flush()
            line = self.answers.get(timeout=self.seconds)
        except queue.Empty:
            return self.give_up(f"took more than {self.seconds:g} seconds to decode")
        except OSError:
            line = None
        return self.give_up(f"made its decoder crash{self.how()}") if line is None else answer(line)

    def start(self) -> subprocess.Popen[str]:
        answers: queue.Queue[str | None] = queue.Queue()
        self.child = subprocess.Popen(  # noqa: S603 (our own module, no shell)
            [sys.executable, "-P", "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=environment(),
        )
        threading.Thread(target=pump, args=(self.child, answers), daemon=True).start()
        self.answers = answers
        if answers.get(timeout=START_SECONDS) != READY:
            self.end()
            raise RuntimeError(
                "the process that decodes files does not start; see its message above"
            )
        return self.child

    def how(self) -> str:
        """The signal that ended the child, in words."""
        code = self.child.wait(timeout=5) if self.child else 0
        return {
            -9: " (it was killed: too little memory?)",
            -24: " (too much computing time)",
            -25: " (it tried to write a file)",
        }.get(code, f" (code {code})")

    def give_up(self, reason: str) -> BrokenFile:
        self.end()
        self.restarts += 1
        return BrokenFile(reason)

    def end(self) -> None:
        if self.child is None:
            return
        self.child.kill()
        self.child.wait()
        for pipe in (self.child.stdin, self.child.stdout):
            if pipe is not None:
                close_quietly(pipe)
        self.child = None


def close_quietly(pipe: Any) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        # what was still buffered for the dead child is of no use to anybody
        return


def pump(child: "subprocess.Popen[str]", answers: "queue.Queue[str | None]") -> None:
    """Lines of the child into the queue; None when it has ended."""
    assert child.stdout is not None
    try:
        for line in child.stdout:
            answers.put(line.rstrip("\n"))
    except ValueError:
        # the pipe was closed by `end` while this thread was reading
        pass
    answers.put(None)


def answer(line: str) -> Inspection | BrokenFile:
    found = json.loads(line)
    if "broken" in found:
        return BrokenFile(found["broken"])
    inspection = Inspection(**found["ok"])
    if inspection.thumbnail is not None:
        inspection.thumbnail = base64.b64decode(inspection.thumbnail)
    return inspection


def environment() -> dict[str, str]:
    """Nothing but what Python needs: no database address, no secret key."""
    package_root = str(Path(__file__).resolve().parents[2])
    kept = {
        name: os.environ[name]
        for name in ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH")
        if name in os.environ
    }
    return kept | {
        "PYTHONPATH": package_root,
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def limit_this_process() -> None:
    for what, value in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (value, value))


def look_at(request: dict[str, Any]) -> dict[str, Any]:
    path, kind = Path(request["path"]), request["kind"]
    if kind == "image" and request["thumbnail"]:
        found = module("image").inspect(path, thumbnail_px=request["thumbnail"])
    elif kind == "audio" and request["waveform"]:
        found = module("audio").inspect(path, waveform_points=request["waveform"])
    else:
        found = inspect(path, kind)
    answer = asdict(found)
    if found.thumbnail is not None:
        answer["thumbnail"] = base64.b64encode(found.thumbnail).decode("ascii")
    return answer


def main() -> None:
    for kind in ("image", "audio"):
        module(kind)
    limit_this_process()
    # the answers keep the real standard output; a library that prints cannot break the protocol
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    out.write(READY + "\n")
    out.flush()
    for line in sys.stdin:
        try:
            reply: dict[str, Any] = {"ok": look_at(json.loads(line))}
        except BrokenFile as broken:
            reply = {"broken": broken.reason}
        except MemoryError:
            reply = {"broken": "needs more memory than a file may use"}
        out.write(json.dumps(reply) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
