"""Read side of the Samples page and of one sample: which frame is shown, and everything that all
disciplines say of one sample.
"""

from dataclasses import dataclass, field
from typing import Any

from django.http import Http404, QueryDict
from django.utils.translation import gettext as _

from apps.datasets.agreement import annotations_of
from apps.datasets.browsing.cards import (
    Media,
    dots_of_sample,
    media_of,
    sample_address,
    shown,
    spark_of,
)
from apps.datasets.browsing.duck import Row
from apps.datasets.browsing.filters import address, flag_label
from apps.datasets.browsing.frames import (
    MEDIA,
    Frame,
    FrameColumn,
    frame_of_alignment,
    frame_of_versions,
)
from apps.datasets.browsing.joins import INPUTS
from apps.datasets.browsing.sample_list import neighbours, row_of
from apps.datasets.models import Alignment, DataSet, Version
from apps.datasets.queries import newest_versions
from apps.experiments.artifacts.predictions import of_sample
from apps.experiments.models import Run
from apps.jobs.models import Job
from apps.projects.models import Discipline, Project

SHOWN_RUNS = 3


@dataclass
class SampleSource:
    """The data behind a page of samples: the newest versions of all data sets, or one frozen
    alignment.
    """

    versions: list[Version]
    alignment: Alignment | None
    alignments: list[Alignment]

    @property
    def frame(self) -> Frame:
        return (
            frame_of_alignment(self.alignment, self.versions)
            if self.alignment
            else frame_of_versions(self.versions)
        )

    @property
    def disciplines(self) -> list[Discipline]:
        return list(
            {
                version.dataset.discipline.pk: version.dataset.discipline
                for version in self.versions
            }.values()
        )

    @property
    def annotated(self) -> list[Version]:
        """The annotation data sets among the versions."""
        return [
            version for version in self.versions if version.dataset.kind == DataSet.Kind.ANNOTATION
        ]

    @property
    def updated(self) -> Any:
        return max((version.created_at for version in self.versions), default=None)

    def count(self, code: str) -> int:
        return sum(
            group["count"]
            for version in self.versions
            for group in version.report.get("groups", [])
            if group["code"] == code
        )


def source_of(project: Project, query: QueryDict) -> SampleSource:
    frozen = list(
        Alignment.objects.filter(project=project, state=Alignment.State.FROZEN).only(
            "number", "name", "spec", "project"
        )
    )
    wanted = query.get("alignment", "")
    if not wanted:
        return SampleSource(newest_versions(project), None, frozen)
    alignment = next(
        (frozen_alignment for frozen_alignment in frozen if str(frozen_alignment.number) == wanted),
        None,
    )
    if alignment is None:
        raise Http404(_("This project has no such frozen alignment."))
    versions = alignment.versions.select_related("dataset__discipline", "table").order_by("pk")
    return SampleSource(
        sorted(
            versions,
            key=lambda frozen_alignment: frozen_alignment.dataset.kind == DataSet.Kind.ANNOTATION,
        ),
        alignment,
        frozen,
    )


@dataclass
class Pane:
    """One input of a sample, by one discipline."""

    title: str
    kind: str
    discipline: Discipline
    dataset: DataSet
    column: FrameColumn
    media: Media | None = None
    text: str = ""
    spark: Any = ""
    gap: str = ""
    facts: list[tuple[str, str]] = field(default_factory=list)
    numbers: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Sample:
    key: str
    panes: list[Pane]
    label: str
    label_from: str
    labels: list[tuple[str, str]]
    groups: list[tuple[str, str, str]]
    """Name, value, the address of the samples of the same group."""
    annotations: list[dict[str, Any]]
    agreement: tuple[int, int]
    flags: list[str]
    twin: str
    twin_href: str
    before: str | None
    after: str | None
    place: int
    n: int
    dots: list[tuple[str, str, bool]]


def sample_of(project: Project, source: SampleSource, key: str, query: QueryDict) -> Sample:
    """Raises 404 for a key that no data set has, CannotRead where a file cannot be read."""
    row = row_of(source.frame, key) if source.versions else None
    if row is None:
        raise Http404(_("No data set of this project has this sample."))
    frame = source.frame
    names = {column.ref: column.ref for column in frame.columns}
    media = media_of([row], frame.of_kind(*MEDIA), project, names)
    before, after, place, n = neighbours(frame, query, key)
    stays = query.urlencode()
    annotations = annotations_of(source.annotated, key)
    twin = _twin(source, key)
    return Sample(
        key=key,
        panes=panes(source, frame, row, media, key),
        label=shown(row.get(frame.label.ref)) if frame.label else "",
        label_from=frame.label.dataset_name if frame.label else "",
        labels=_other_labels(frame, row),
        groups=groups_of(frame, row),
        annotations=annotations,
        agreement=_agreement(annotations),
        flags=_flags(frame, key),
        twin=twin,
        twin_href=sample_address(project, twin) if twin else "",
        before=sample_address(project, before, stays) if before else None,
        after=sample_address(project, after, stays) if after else None,
        place=place,
        n=n,
        dots=dots_of_sample(frame, lambda column: row[column.ref]),
    )


def _twin(source: SampleSource, key: str) -> str:
    """Return the key of the sample that this one repeats; empty where it repeats none."""
    for version in source.versions:
        duplicates = version.statistics.get("duplicates") or {}
        if key in duplicates:
            return duplicates[key]
    return ""


def _other_labels(frame: Frame, row: Row) -> list[tuple[str, str]]:
    """Labels beside the frame's own that are no annotators' majority."""
    return [
        (column.name, shown(row[column.ref]))
        for column in frame.of_kind("label")
        if column is not frame.label
        and column.dataset not in frame.votes
        and row[column.ref] is not None
    ]


def _flags(frame: Frame, key: str) -> list[str]:
    return [
        flag_label(flag)
        for flag, keys in frame.flags.items()
        if flag != "duplicate" and key in keys
    ]


def predictions_about(project: Project, key: str) -> list[dict[str, Any]]:
    """Return the newest finished runs' out-of-fold predictions for the sample."""
    runs = Run.objects.filter(project=project, job__state=Job.State.FINISHED).select_related(
        "project", "job"
    )[:SHOWN_RUNS]
    predictions = [(run, of_sample(run, key)) for run in runs]
    return [{"run": run, **prediction} for run, prediction in predictions if prediction]


def groups_of(frame: Frame, row: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Each group once, though several data sets may name it."""
    groups: dict[tuple[str, str], tuple[str, str, str]] = {}
    for column in sorted(frame.of_kind("group"), key=lambda column: -column.rows):
        value = row[column.ref]
        if value is not None:
            groups.setdefault(
                (column.name, shown(value)),
                (column.name, shown(value), address(QueryDict(), None, **{column.ref: value})),
            )
    return list(groups.values())


def _agreement(annotations: list[dict[str, Any]]) -> tuple[int, int]:
    """Return the number of annotations with the most frequent label, and of all."""
    labels = [annotation["label"] for annotation in annotations if annotation["label"] is not None]
    return max((labels.count(label) for label in labels), default=0), len(labels)


def panes(
    source: SampleSource, frame: Frame, row: Row, media: dict[str, Media], key: str
) -> list[Pane]:
    """Each picture, recording, text and series in a pane of its own; the other values of its data
    set stand beside the first of them.
    """
    shown_panes: list[Pane] = []
    for version in source.versions:
        if version.dataset.kind != DataSet.Kind.ANNOTATION:
            shown_panes += _panes_of_version(version, frame, row, media, key)
    order = {"image": 0, "audio": 1, "text": 2, "series": 3, "table": 4}
    return sorted(shown_panes, key=lambda pane: order[pane.kind])


def _panes_of_version(
    version: Version, frame: Frame, row: Row, media: dict[str, Media], key: str
) -> list[Pane]:
    dataset = version.dataset
    own = [column for column in frame.columns if column.dataset == dataset.slug]
    inputs = [column for column in own if column.kind in INPUTS]
    values = [
        (column.name, shown(row[column.ref], column.unit))
        for column in own
        if column not in inputs and row[column.ref] is not None
    ]
    if not inputs and values:
        return [Pane(dataset.name, "table", dataset.discipline, dataset, own[0], numbers=values)]
    return [
        _pane(version, frame, column, row[column.ref], media, key, [] if place else values)
        for place, column in enumerate(inputs)
    ]


GAPS = {
    "image": lambda: _("no image"),
    "audio": lambda: _("no recording"),
    "text": lambda: _("no text"),
    "series": lambda: _("no series"),
}


def _pane(
    version: Version,
    frame: Frame,
    column: FrameColumn,
    value: Any,
    media: dict[str, Media],
    key: str,
    values: list[tuple[str, str]],
) -> Pane:
    pane = Pane(
        version.dataset.name,
        column.kind,
        version.dataset.discipline,
        version.dataset,
        column,
        facts=values,
    )
    if value is None:
        reason = frame.broken.get((key, column.ref))
        pane.gap = (
            _("broken file: %(reason)s") % {"reason": reason}
            if reason is not None
            else GAPS[column.kind]()
        )
    elif column.kind in MEDIA:
        pane.media = media.get(value)
        pane.facts = [*values, *_media_facts(pane.media)]
    elif column.kind == "text":
        pane.text = value
    else:
        pane.spark = spark_of(value)
        pane.facts = [*values, (_("Points"), str(len(value)))]
    return pane


def _media_facts(media: Media | None) -> list[tuple[str, str]]:
    if media is None:
        return []
    facts = []
    if media.width:
        facts.append(
            (
                _("Size"),
                _("%(width)s × %(height)s pixels") % {"width": media.width, "height": media.height},
            )
        )
    if media.seconds:
        facts.append((_("Length"), _("%(seconds)s s") % {"seconds": f"{media.seconds:.2f}"}))
    if media.rate:
        facts.append((_("Rate"), _("%(rate)s Hz") % {"rate": media.rate}))
    return facts
