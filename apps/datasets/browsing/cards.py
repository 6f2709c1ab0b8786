"""Cards, lines of the table and values of one sample's page, made from rows of a Parquet file."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.datasets.browsing.duck import Row
from apps.datasets.browsing.filters import flag_label
from apps.datasets.browsing.frames import MEDIA, Frame, FrameColumn
from apps.datasets.models import Blob
from apps.projects.models import Project
from apps.ui.plots.spark import sparkline

SMALL_PX = 64
ROUNDED = 3
POINTS = 200
Dot = tuple[str, str, bool]
"""Kind and name of an input, and whether it is missing."""


@dataclass(frozen=True)
class Media:
    """A picture or recording of a sample."""

    src: str
    thumb: str
    small: bool = False
    peaks: tuple[float, ...] = ()
    silent: bool = False
    seconds: float | None = None
    width: int = 0
    height: int = 0
    rate: int = 0
    flags: tuple[str, ...] = ()
    sha256: str = ""


@dataclass(frozen=True)
class Layout:
    """The columns that a card of this frame shows; None where the frame has none."""

    image: FrameColumn | None
    audio: FrameColumn | None
    text: FrameColumn | None
    series: FrameColumn | None
    note: FrameColumn | None
    corner: FrameColumn | None
    facts: tuple[FrameColumn, ...]
    label: FrameColumn | None
    numbers: tuple[FrameColumn, ...]


@dataclass
class SampleCard:
    key: str
    href: str
    layout: Layout
    dots: list[Dot]
    image: Media | None = None
    note: str = ""
    corner: str = ""
    audio: Media | None = None
    text: str | None = None
    facts: str = ""
    label: str = ""
    agreement: str = ""
    agreement_tone: str = ""
    numbers: list[tuple[str, str]] = field(default_factory=list)
    spark: SafeString | str = ""
    flags: list[str] = field(default_factory=list)
    no_image: str = ""
    no_audio: str = ""

    @property
    def has_image(self) -> bool:
        return self.layout.image is not None

    @property
    def has_audio(self) -> bool:
        return self.layout.audio is not None

    @property
    def has_text(self) -> bool:
        return self.layout.text is not None


def layout_of(frame: Frame) -> Layout:
    """First column of each medium; beside the picture its own category and group; in the facts the
    recording's group.
    """
    image, audio, text, series = (
        next(iter(frame.of_kind(kind)), None) for kind in ("image", "audio", "text", "series")
    )
    own = [column for column in frame.columns if image and column.dataset == image.dataset]
    note = next((column for column in reversed(own) if column.kind == "category"), None)
    corner = next((column for column in own if column.kind == "group"), None)
    others = [
        column
        for column in frame.of_kind("group")
        if column is not corner and (not corner or column.name != corner.name)
    ]
    near = [column for column in others if audio and column.dataset == audio.dataset] or others
    media = {image, audio, text, series} - {None}
    numbers = (
        ()
        if len(media) > 2
        else tuple(column for column in frame.of_kind("number") if column.name != "label")[:3]
    )
    return Layout(image, audio, text, series, note, corner, tuple(near[:1]), frame.label, numbers)


def media_of(
    rows: Iterable[Row], columns: Iterable[FrameColumn], project: Project, names: dict[str, str]
) -> dict[str, Media]:
    """Digest -> Media, in one query for the whole page."""
    wanted = {
        row[names[column.ref]] for row in rows for column in columns if column.kind in MEDIA
    } - {None}
    blobs = Blob.objects.filter(sha256__in=wanted, uses__project=project).only(
        "sha256", "facts", "kind"
    )
    return {blob.sha256: _media(blob, project) for blob in blobs}


def _media(blob: Blob, project: Project) -> Media:
    facts = blob.facts
    src = reverse("datasets:media", args=[project.slug, blob.sha256])
    width, height = int(facts.get("width") or 0), int(facts.get("height") or 0)
    small = 0 < max(width, height) < SMALL_PX
    flags = tuple(facts.get("flags") or ())
    peaks = tuple(peak / 100 for peak in facts.get("waveform") or ())
    thumb = src if small else f"{src}?size=thumb"
    return Media(
        src,
        thumb,
        small,
        peaks,
        "silent" in flags,
        facts.get("seconds"),
        width,
        height,
        int(facts.get("rate") or 0),
        flags,
        blob.sha256,
    )


def sample_address(project: Project, key: str, query: str = "") -> str:
    return reverse("workspace:sample", args=[project.slug, key]) + (f"?{query}" if query else "")


def cards(
    frame: Frame, rows: list[Row], names: dict[str, str], project: Project, query: str
) -> list[SampleCard]:
    """`names`: ref -> the row's key that holds the column. `query` stays with the link, for
    previous and next.
    """
    layout = layout_of(frame)
    media = media_of(
        rows, [column for column in (layout.image, layout.audio) if column], project, names
    )
    by_key = _flags_by_key(frame)
    return [
        _card(
            frame,
            layout,
            row,
            names,
            media,
            by_key,
            sample_address(project, str(row["key"]), query),
        )
        for row in rows
    ]


def _flags_by_key(frame: Frame) -> dict[str, list[str]]:
    flags: dict[str, list[str]] = {}
    for flag, keys in frame.flags.items():
        for key in keys:
            flags.setdefault(key, []).append(flag)
    return flags


def _card(
    frame: Frame,
    layout: Layout,
    row: Row,
    names: dict[str, str],
    media: dict[str, Media],
    flags: dict[str, list[str]],
    href: str,
) -> SampleCard:
    def value(column: FrameColumn | None) -> Any:
        return row[names[column.ref]] if column else None

    key = str(row["key"])
    audio = media.get(value(layout.audio) or "")
    agreement, tone = agreement_words(frame, row, names)
    corner = value(layout.corner)
    return SampleCard(
        key=key,
        href=href,
        layout=layout,
        dots=dots_of_sample(frame, value),
        image=media.get(value(layout.image) or ""),
        note=shown(value(layout.note)),
        corner=f"{layout.corner.name} {corner}" if layout.corner and corner is not None else "",
        audio=audio,
        text=value(layout.text),
        facts=_facts([value(column) for column in layout.facts], audio),
        label=shown(value(layout.label)),
        agreement=agreement,
        agreement_tone=tone,
        numbers=[(column.name, shown(value(column), column.unit)) for column in layout.numbers],
        spark=spark_of(value(layout.series)),
        flags=[flag_label(flag) for flag in flags.get(key, []) if flag != "silent"],
        no_image=gap_words(frame, key, layout.image, _("no image")),
        no_audio=gap_words(frame, key, layout.audio, _("no recording")),
    )


def dots_of_sample(frame: Frame, value: Callable[[FrameColumn], Any]) -> list[Dot]:
    """Return a dot for each input, hollow where all its columns are empty."""
    return [
        (modality.kind, modality.name, all(value(column) is None for column in modality.columns))
        for modality in frame.modalities
    ]


def gap_words(frame: Frame, key: str, column: FrameColumn | None, words: str) -> str:
    """A file that was set aside is told apart from one that was never there."""
    if column and (key, column.ref) in frame.broken:
        return _("broken file")
    return words


def _facts(values: list[Any], audio: Media | None) -> str:
    parts = [str(value) for value in values if value is not None]
    if audio and audio.seconds:
        parts.append(_("%(seconds)s s") % {"seconds": f"{audio.seconds:.2f}"})
    return " · ".join(parts)


def spark_of(values: Any) -> SafeString | str:
    numbers = [number for number in values or [] if number is not None]
    step = max(1, len(numbers) // POINTS)
    return sparkline(numbers[::step]) if len(numbers) > 1 else ""


def agreement_words(frame: Frame, row: Row, names: dict[str, str]) -> tuple[str, str]:
    """ "2 of 3": how many annotators say what most say; and whether that is all of them."""
    for slug in frame.votes:
        votes, most = row[names[f"{slug}.votes"]], row[names[f"{slug}.most"]]
        if votes:
            return _("%(most)s of %(all)s") % {
                "most": most,
                "all": votes,
            }, "success" if most == votes else "danger" if 2 * most <= votes else "warning"
    return "", ""


def shown(value: Any, unit: str = "") -> str:
    """A value as a cell of a table shows it."""
    if value is None:
        return ""
    if isinstance(value, float):
        text = f"{value:.{ROUNDED}f}".rstrip("0").rstrip(".") if abs(value) < 1e6 else f"{value:g}"
        return f"{text} {unit}".strip()
    if isinstance(value, list):
        return ", ".join(shown(item) for item in value[:8]) + (" …" if len(value) > 8 else "")
    if hasattr(value, "isoformat"):
        return value.isoformat(sep=" ", timespec="minutes")
    return f"{value} {unit}".strip()


@dataclass(frozen=True)
class TableCell:
    column: FrameColumn
    text: str
    media: Media | None = None
    spark: SafeString | str = ""


@dataclass(frozen=True)
class TableRow:
    key: str
    href: str
    cells: list[TableCell]


def lines(
    rows: list[Row], columns: list[FrameColumn], names: dict[str, str], project: Project, query: str
) -> list[TableRow]:
    """The same rows for the table view."""
    media = media_of(rows, columns, project, names)
    return [
        TableRow(
            str(row["key"]),
            sample_address(project, str(row["key"]), query),
            [cell(column, row[names[column.ref]], media) for column in columns],
        )
        for row in rows
    ]


def cell(column: FrameColumn, value: Any, media: dict[str, Media]) -> TableCell:
    if column.kind in MEDIA:
        return TableCell(column, "", media.get(value or ""))
    if column.kind == "series":
        return TableCell(column, "", spark=spark_of(value))
    return TableCell(column, shown(value))
