"""Samples that two disciplines should talk about, as the run's page shows them: what each input is
and says, the label, the reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.datasets.browsing.cards import Media, media_of, shown, spark_of
from apps.datasets.browsing.duck import CannotRead, Row
from apps.datasets.browsing.frames import MEDIA, Frame, frame_of_alignment
from apps.datasets.browsing.samples import rows_of
from apps.discussions.models import Thread
from apps.experiments.models import Run
from apps.experiments.words import note_in_words
from apps.projects.models import Discipline
from fusion.schema.result import Disagreement, Kind

PAGE = 6
FIELD = "talk"


@dataclass
class Part:
    """One input of a sample with what it says by itself; `answer` is empty where the sample lacks
    it.
    """

    name: str
    kind: str
    discipline: Discipline | None = None
    answer: str = ""
    confidence: float | None = None
    spread: str = ""
    media: Media | None = None
    text: str = ""
    spark: Any = ""
    numbers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def there(self) -> bool:
        return bool(self.media or self.text or self.spark or self.numbers)


@dataclass
class Line:
    key: str
    href: str
    truth: str
    answer: str
    reason: str
    parts: list[Part]
    comments: int = 0


@dataclass
class Talk:
    kind: Kind
    options: list[dict[str, Any]]
    page: Page
    lines: list[Line]
    total: int
    known: bool
    """False for a run that was judged before samples were ranked this way."""


def talk(run: Run, params: Mapping[str, str]) -> Talk:
    result = run.evaluation
    found = result.disagreements if result else []
    kinds: dict[Kind, list[Disagreement]] = {
        kind: [one for one in found if one.kind == kind] for kind in ("label", "modalities")
    }
    wanted: Kind = (
        "modalities" if params.get(FIELD) == "modalities" or not kinds["label"] else "label"
    )
    wanted = "label" if params.get(FIELD) == "label" else wanted
    page = Paginator(kinds[wanted], PAGE).get_page(params.get("page"))
    words = {"label": _("Against the label (%(n)d)"), "modalities": _("Against each other (%(n)d)")}
    options = [
        {
            "label": words[kind] % {"n": len(some)},
            "href": f"?{FIELD}={kind}#talk",
            "current": kind == wanted,
        }
        for kind, some in kinds.items()
    ]
    return Talk(
        wanted,
        options,
        page,
        lines(run, list(page)),
        len(found),
        "disagreements" in (run.result or {}),
    )


def lines(run: Run, some: list[Disagreement]) -> list[Line]:
    keys = [one.key for one in some]
    shown_of, comments = inputs_of(run, keys), comments_on(run, keys)
    return [
        Line(one.key, reverse("workspace:sample", args=[run.project.slug, one.key]), one.truth, one.answer, note_in_words(one.reason), parts(run, one, shown_of), comments.get(one.key, 0))
        for one in some
    ]  # fmt: skip


def parts(run: Run, one: Disagreement, shown_of: dict[tuple[str, str], Part]) -> list[Part]:
    found = []
    for each in run.modalities:
        part = shown_of.get((one.key, each["name"])) or Part(each["name"], each["kind"])
        if told := one.said.get(each["name"]):
            part.answer, part.confidence = told.answer, told.confidence
            part.spread = "" if told.spread is None else f"± {told.spread:.2g}"
        found.append(part)
    return found


def comments_on(run: Run, keys: list[str]) -> dict[str, int]:
    said = Count("comments", filter=Q(comments__deleted_at=None))
    rows = (
        Thread.objects.filter(
            project=run.project, anchor_type=Thread.Anchor.SAMPLE, anchor_id__in=keys
        )
        .values("anchor_id")
        .annotate(n=said)
    )
    return {row["anchor_id"]: row["n"] for row in rows.order_by()}


def inputs_of(run: Run, keys: list[str]) -> dict[tuple[str, str], Part]:
    """(key, modality) -> its picture, recording, text, series or numbers; nothing where the data
    cannot be read.
    """
    versions = (
        list(run.alignment.versions.select_related("dataset__discipline", "table").order_by("pk"))
        if keys
        else []
    )
    if not versions:
        return {}
    frame = frame_of_alignment(run.alignment, versions)
    try:
        rows = rows_of(frame, keys)
    except CannotRead:
        return {}
    media = media_of(
        rows.values(),
        [column for column in frame.columns if column.kind in MEDIA],
        run.project,
        {column.ref: column.ref for column in frame.columns},
    )
    disciplines = {version.dataset.slug: version.dataset.discipline for version in versions}
    return {(key, part.name): part for key, row in rows.items() for part in inputs(frame, row, media, disciplines)}  # fmt: skip


def inputs(
    frame: Frame, row: Row, media: dict[str, Media], disciplines: dict[str, Discipline]
) -> list[Part]:
    found = []
    for one in frame.modalities:
        first = one.columns[0]
        value, part = row[first.ref], Part(one.name, one.kind, disciplines.get(first.dataset))
        if one.kind in MEDIA:
            part.media = media.get(value or "")
        elif one.kind == "text":
            part.text = value or ""
        elif one.kind == "series":
            part.spark = spark_of(value)
        else:
            part.numbers = [
                (column.name, shown(row[column.ref], column.unit))
                for column in one.columns[:3]
                if row[column.ref] is not None
            ]
        found.append(part)
    return found
