"""Every picture and recording decoded once, in child processes; what was found is kept beside the
upload, so nothing is decoded twice.
"""

import json
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any

from apps.datasets.blobs import THUMB_PX, VIEW_PX, digest_of
from fusion.core.progress import Progress
from fusion.data.child import Inspector
from fusion.data.modalities import BrokenFile, Inspection
from fusion.data.tables.findings import Findings

from .draft import Draft

WAVEFORM_POINTS = 60
CHILDREN = 2
TOLD_FLAGS = ("silent", "clipped", "blank", "location", "animated")


@dataclass
class Found:
    """One file as it was inspected; `reason` says why it cannot be used. copies: the small pictures
    made of it.
    """

    path: str
    kind: str
    sha256: str
    size: int
    media_type: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)
    copies: list[str] = field(default_factory=list)
    reason: str = ""

    def blob_facts(self) -> dict[str, Any]:
        return {**self.facts, "flags": self.flags, "copies": self.copies}


class Looker:
    """Two children of one thread: one describes and draws 1,024 px, the other draws 256 px from
    that drawing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.large = Inspector(thumbnail_px=VIEW_PX, waveform_points=WAVEFORM_POINTS)
        self.small = Inspector(thumbnail_px=THUMB_PX)

    def look(self, path: Path, kind: str) -> Found:
        size = path.stat().st_size
        inspected = Found(str(path), kind, digest_of(path), size)
        result = self.large.inspect(path, kind)
        if isinstance(result, BrokenFile):
            inspected.reason = result.reason
            return inspected
        inspected.media_type, inspected.facts, inspected.flags = (
            result.media_type,
            result.facts,
            result.flags,
        )
        if result.waveform is not None:
            inspected.facts["waveform"] = result.waveform
        if result.thumbnail is not None:
            inspected.copies = self.keep(inspected.sha256, result)
        return inspected

    def keep(self, sha256: str, result: Inspection) -> list[str]:
        """A picture of at most 256 px needs one copy only."""
        assert result.thumbnail is not None
        if max(result.facts["width"], result.facts["height"]) <= THUMB_PX:
            derived(self.folder, sha256, "thumb").write_bytes(result.thumbnail)
            return ["thumb"]
        view = derived(self.folder, sha256, "view")
        view.write_bytes(result.thumbnail)
        small = self.small.inspect(view, "image")
        if isinstance(small, BrokenFile) or small.thumbnail is None:
            return ["view"]
        derived(self.folder, sha256, "thumb").write_bytes(small.thumbnail)
        return ["thumb", "view"]

    def end(self) -> None:
        self.large.end()
        self.small.end()


def derived(folder: Path, sha256: str, size: str) -> Path:
    return folder / f"{sha256}.{size}.webp"


class Inspections:
    """Results by (path, kind), in memory and in `inspections.jsonl` of the folder: a second attempt
    goes on where the first ended.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "derived"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file = (folder / "inspections.jsonl").open("a+", encoding="utf-8")
        self.known: dict[tuple[str, str], Found] = {}
        self.file.seek(0)
        for line in self.file:
            if line.endswith("\n"):
                self.remember(Found(**json.loads(line)))

    def __enter__(self) -> "Inspections":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.file.close()

    def remember(self, inspected: Found) -> None:
        self.known[inspected.path, inspected.kind] = inspected

    def of(self, path: Path, kind: str) -> Found:
        return self.known[str(path), kind]

    def inspect(self, wanted: Iterable[tuple[Path, str]], progress: Progress) -> None:
        """Look at every file that is not known yet, by several children at once."""
        left = [pair for pair in dict.fromkeys(wanted) if (str(pair[0]), pair[1]) not in self.known]
        free: SimpleQueue[Looker] = SimpleQueue()
        lookers = [Looker(self.folder) for _ in range(min(CHILDREN, len(left)))]
        for looker in lookers:
            free.put(looker)
        try:
            with ThreadPoolExecutor(max(1, len(lookers))) as pool:
                self.gather(pool, free, left, progress)
        finally:
            for looker in lookers:
                looker.end()
        self.file.flush()

    def gather(
        self,
        pool: ThreadPoolExecutor,
        free: "SimpleQueue[Looker]",
        left: list[tuple[Path, str]],
        progress: Progress,
    ) -> None:
        waiting: set[Future[Found]] = set()
        done, rest = 0, iter(left)
        try:
            while done < len(left):
                while len(waiting) < 4 * CHILDREN and (pair := next(rest, None)):
                    waiting.add(pool.submit(look_with, free, *pair))
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in finished:
                    self.keep(future.result())
                done += len(finished)
                progress.step(done, len(left), "files")
                progress.check()
        finally:
            for future in waiting:
                future.cancel()

    def keep(self, inspected: Found) -> None:
        self.remember(inspected)
        self.file.write(json.dumps(asdict(inspected)) + "\n")


def look_with(free: "SimpleQueue[Looker]", path: Path, kind: str) -> Found:
    looker = free.get()
    try:
        return looker.look(path, kind)
    finally:
        free.put(looker)


def look_at(
    drafts: list[Draft], inspections: Inspections, findings: Findings, progress: Progress
) -> None:
    """Inspect all media of all drafts; afterwards their cells hold digests, and None where the file
    is broken.
    """
    wanted = [
        (path, column.kind)
        for draft in drafts
        for column in draft.media().values()
        for path in column.values
        if path is not None
    ]
    inspections.inspect(wanted, progress)
    for draft in drafts:
        for name in draft.media():
            settle(draft, name, inspections, findings)


def settle(draft: Draft, name: str, inspections: Inspections, findings: Findings) -> None:
    column, names = draft.columns[name], draft.names[name]
    for row, path in enumerate(column.values):
        if path is None:
            continue
        inspected = inspections.of(path, column.kind)
        place = (draft.file, draft.lines[row], draft.keys[row], name)
        if inspected.reason:
            column.values[row] = None
            draft.broken[name] += 1
            findings.add(
                "broken_file",
                *place,
                name=names[row],
                text=inspected.reason,
                sha256=inspected.sha256,
            )
            continue
        column.values[row] = inspected.sha256
        for flag in inspected.flags:
            if flag in TOLD_FLAGS:
                findings.add(flag, *place, name=names[row])
