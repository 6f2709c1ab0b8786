"""The inputs of single samples as pages show them: picture, recording, text, series or numbers."""

from dataclasses import dataclass, field
from typing import Any

from apps.datasets.browsing.cards import Media, media_of, shown, spark_of
from apps.datasets.browsing.duck import CannotRead, Row
from apps.datasets.browsing.frames import MEDIA, Frame, frame_of_alignment
from apps.datasets.browsing.sample_list import rows_of
from apps.experiments.models import Run
from apps.projects.models import Discipline

NUMBERS_SHOWN = 3


@dataclass
class SampleInput:
    """One input of a sample, with what the model of that modality alone predicts from it;
    `prediction` is empty for an input that the sample lacks.
    """

    name: str
    kind: str
    discipline: Discipline | None = None
    prediction: str = ""
    confidence: float | None = None
    spread: str = ""
    media: Media | None = None
    text: str = ""
    spark: Any = ""
    numbers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def present(self) -> bool:
        return bool(self.media or self.text or self.spark or self.numbers)


def inputs_of(run: Run, keys: list[str]) -> dict[tuple[str, str], SampleInput]:
    """(key, modality) -> its input; empty for data that cannot be read."""
    versions = run.alignment.versions.select_related("dataset__discipline", "table").order_by("pk")
    if not keys or not versions:
        return {}
    frame = frame_of_alignment(run.alignment, list(versions))
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
    return {
        (key, shown_input.name): shown_input
        for key, row in rows.items()
        for shown_input in inputs_of_row(frame, row, media, disciplines)
    }


def inputs_of_row(
    frame: Frame, row: Row, media: dict[str, Media], disciplines: dict[str, Discipline]
) -> list[SampleInput]:
    inputs = []
    for modality in frame.modalities:
        first = modality.columns[0]
        value = row[first.ref]
        shown_input = SampleInput(modality.name, modality.kind, disciplines.get(first.dataset))
        if modality.kind in MEDIA:
            shown_input.media = media.get(value or "")
        elif modality.kind == "text":
            shown_input.text = value or ""
        elif modality.kind == "series":
            shown_input.spark = spark_of(value)
        else:
            shown_input.numbers = [
                (column.name, shown(row[column.ref], column.unit))
                for column in modality.columns[:NUMBERS_SHOWN]
                if row[column.ref] is not None
            ]
        inputs.append(shown_input)
    return inputs
