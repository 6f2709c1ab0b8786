"""A child process that reads files of strangers, so that a hostile one can only end the child.

Protocol: one JSON object a line. In: {"path", "kind", "thumbnail": px or null, "waveform": points
or null}. Out, of a picture, recording, text or series: {"ok": {...Inspection, "thumbnail":
base64}}; of a table (kind "rows"): {"column": name, "values": [...]} for each column, then {"ok":
{...RawTable without columns}}; of each: {"broken": "reason"}. The child has no secrets in its
environment, little memory, no room to write files, and a deadline for each line; after a crash the
parent starts another and goes on.
"""

import base64
import json
import os
import queue
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from fusion.data.modalities import BrokenFile, Inspection, inspect, module
from fusion.data.tables.reader import RawTable, Remark, is_parquet, read_table

MEMORY_BYTES = 1_500_000_000
CPU_SECONDS = 3_600
OPEN_FILES = 64
SECONDS_A_FILE = 30.0
SECONDS_A_TABLE = 600.0
START_SECONDS = 60.0
READY = '{"ready": true}'
MODULE = "fusion.data.child"


class Inspector:
    """Reads many files in one child: `with Inspector() as inspector: inspector.inspect(path,
    kind)`.

    libraries: what the child loads before its limits hold, "media" or "parquet".
    """

    def __init__(
        self,
        thumbnail_px: int | None = None,
        waveform_points: int | None = None,
        seconds: float = SECONDS_A_FILE,
        libraries: str = "media",
    ) -> None:
        self.libraries = libraries
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
        """Describe the file, or say why it cannot be used; never raises for a bad file."""
        reply = next(self.replies(path, kind))
        return BrokenFile(reply["broken"]) if "broken" in reply else inspection_of(reply["ok"])

    def read_table(self, path: Path) -> RawTable:
        """The whole table; raises BrokenFile."""
        columns: dict[str, list[Any]] = {}
        for reply in self.replies(path, "rows"):
            if "broken" in reply:
                raise BrokenFile(reply["broken"])
            if "column" in reply:
                columns[reply["column"]] = shared(reply["values"])
        remarks = [Remark(*remark) for remark in reply["ok"].pop("remarks")]
        return RawTable(columns=columns, remarks=remarks, **reply["ok"])

    def replies(self, path: Path, kind: str) -> Iterator[dict[str, Any]]:
        """The replies about a file, the last of them `ok` or `broken`."""
        request = json.dumps({"path": str(path), "kind": kind, **self.want})
        try:
            child = self.child or self.start()
            assert child.stdin is not None
            child.stdin.write(request + "\n")
            child.stdin.flush()
        except OSError:
            yield self.give_up(f"made its decoder crash{self.how()}")
            return
        ended = False
        while not ended:
            try:
                line = self.answers.get(timeout=self.seconds)
            except queue.Empty:
                yield self.give_up(f"took more than {self.seconds:g} seconds to decode")
                return
            reply = (
                self.give_up(f"made its decoder crash{self.how()}")
                if line is None
                else json.loads(line)
            )
            ended = "column" not in reply
            yield reply

    def start(self) -> subprocess.Popen[str]:
        answers: queue.Queue[str | None] = queue.Queue()
        self.child = subprocess.Popen(  # noqa: S603 (our own module, no shell)
            [sys.executable, "-P", "-m", MODULE, self.libraries],
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

    def give_up(self, reason: str) -> dict[str, Any]:
        self.end()
        self.restarts += 1
        return {"broken": reason}

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


def inspection_of(facts: dict[str, Any]) -> Inspection:
    inspection = Inspection(**facts)
    if inspection.thumbnail is not None:
        inspection.thumbnail = base64.b64decode(inspection.thumbnail)
    return inspection


def shared(values: list[Any]) -> list[Any]:
    """Equal texts as one object: a column of categories takes a pointer a row."""
    known: dict[str, str] = {}
    return [known.setdefault(value, value) if isinstance(value, str) else value for value in values]


def read_in_child(path: Path) -> RawTable:
    """A table of strangers, read in a child process; raises BrokenFile."""
    if not path.is_file():
        raise BrokenFile("is not there")
    libraries = "parquet" if is_parquet(path) else "csv"
    with Inspector(seconds=SECONDS_A_TABLE, libraries=libraries) as inspector:
        return inspector.read_table(path)


def environment() -> dict[str, str]:
    """Nothing but what Python needs: no database address, no secret key."""
    package_root = str(Path(__file__).resolve().parents[2])
    inherited = {
        name: os.environ[name]
        for name in ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH")
        if name in os.environ
    }
    return inherited | {
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


def replies_to(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    path, kind = Path(request["path"]), request["kind"]
    if kind == "rows":
        yield from table_replies(path)
        return
    if kind == "image" and request["thumbnail"]:
        inspection = module("image").inspect(path, thumbnail_px=request["thumbnail"])
    elif kind == "audio" and request["waveform"]:
        inspection = module("audio").inspect(path, waveform_points=request["waveform"])
    else:
        inspection = inspect(path, kind)
    facts = asdict(inspection)
    if inspection.thumbnail is not None:
        facts["thumbnail"] = base64.b64encode(inspection.thumbnail).decode("ascii")
    yield {"ok": facts}


def table_replies(path: Path) -> Iterator[dict[str, Any]]:
    raw = read_table(path)
    for name in list(raw.columns):
        yield {"column": name, "values": raw.columns.pop(name)}
    yield {"ok": {name: value for name, value in vars(raw).items() if name != "columns"}}


def load_libraries(names: str) -> None:
    """Load them before the limits: loading needs more open files and memory than reading."""
    if names == "parquet":
        import pyarrow.parquet  # noqa: F401
    elif names == "media":
        for kind in ("image", "audio"):
            module(kind)


def main() -> None:
    load_libraries(sys.argv[1])
    limit_this_process()
    # the replies keep the real standard output; a library that prints cannot break the protocol
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    out.write(READY + "\n")
    out.flush()
    for line in sys.stdin:
        try:
            for reply in replies_to(json.loads(line)):
                out.write(json.dumps(reply) + "\n")
        except BrokenFile as broken:
            out.write(json.dumps({"broken": broken.reason}) + "\n")
        except MemoryError:
            out.write(json.dumps({"broken": "needs more memory than a file may use"}) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
