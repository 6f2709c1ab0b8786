"""Plots as plain data: pages build these, `{% plot %}` draws them.

Every plot has `sentence` (what it says, read out instead of the picture; one is made where it is
empty), `name` (file name of its CSV) and `csv_url` (a longer table on the server; without it the
shown numbers are the download). Values may be None or NaN: they are left out of the picture and
shown as a dash in the data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Style = Literal["accent", "muted", "subtle", "pale", "control", "danger"]
Criterion = Literal["met", "undecided", "not_met", "too_few"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Plot:
    sentence: Any = ""
    name: str = "data"
    csv_url: str = ""
    toggle: bool = True


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar. `kind` names a modality (hue and icon) or is empty for the accent."""

    label: Any
    value: float | None
    low: float | None = None
    high: float | None = None
    kind: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bars(Plot):
    """Bars from zero with the whisker of a 95 % interval; negative values go left of zero."""

    rows: Sequence[Bar]
    maximum: float | None = None
    digits: int = 3
    signed: bool = False
    show_interval: bool = False
    metric: Any = ""


@dataclass(frozen=True, slots=True)
class StackRow:
    label: Any
    shares: Mapping[str, float | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stacked(Plot):
    """100 % bars; the number stands in a part from 18 % on. Keys of `shares` are modality kinds;
    `names` renames them.
    """

    rows: Sequence[StackRow]
    names: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One curve: hue and dash of its modality, or a style for runs, which have no hue. `low` and
    `high` draw a band.
    """

    label: Any
    xs: Sequence[float]
    ys: Sequence[float | None]
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()
    kind: str = ""
    style: Style = "accent"
    dash: str = ""
    end_label: bool = True
    end_dot: bool = False
    dots: bool = False


@dataclass(frozen=True, slots=True)
class Level:
    """A horizontal line: the best single modality, a target, Staging."""

    value: float
    label: Any
    dotted: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Lines(Plot):
    """Curves on one pair of axes; direct labels at their ends, no legend."""

    lines: Sequence[Line]
    y_range: tuple[float, float] | None = None
    x_range: tuple[float, float] | None = None
    x_ticks: Sequence[float] | None = None
    x_percent: bool = False
    x_label: Any = ""
    y_label: Any = ""
    digits: int = 3
    tick_digits: int = 2
    levels: Sequence[Level] = ()
    best_x: float | None = None
    best_label: Any = ""
    shade_from: float | None = None
    shade_label: Any = ""
    height: int = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class ForestRow:
    label: Any
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    state: Criterion | Literal[""] = "met"
    group: Any = ""
    reference: float | None = None
    target: float | None = None
    href: str = ""
    note: Any = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Forest(Plot):
    """Point and 95 % interval a row on one labelled scale, dashed target through all rows, grey
    tick of a reference.
    """

    rows: Sequence[ForestRow]
    low: float
    high: float
    metric: Any
    target: float | None = None
    target_label: Any = ""
    reference_label: Any = ""
    first_column: Any = ""
    show_state: bool = True
    digits: int = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Confusion(Plot):
    """Rows = truth, columns = answer, in % of the row. `urls[(i, j)]` makes a cell a link, `marked`
    outlines it.
    """

    labels: Sequence[Any]
    counts: Sequence[Sequence[int]]
    short: Sequence[Any] = ()
    urls: Mapping[tuple[int, int], str] = field(default_factory=dict)
    marked: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True, slots=True)
class Bin:
    """Samples whose probability falls in one bin: mean confidence, share right, its interval, how
    many.
    """

    confidence: float | None
    accuracy: float | None
    low: float | None
    high: float | None
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Reliability(Plot):
    """Does 80 % mean 80 %? Dots with intervals, the diagonal, counts under it; `before` = without
    temperature.
    """

    bins: Sequence[Bin]
    before: Sequence[tuple[float, float]] = ()
    height: int = 190


@dataclass(frozen=True, slots=True)
class Combination:
    """Samples that have exactly these inputs; `match` = how many also pass the filters."""

    present: frozenset[str]
    count: int
    match: int | None = None
    label: Any = ""
    href: str = ""
    chosen: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class UpSet(Plot):
    """One row each combination of inputs, with the samples that have exactly these."""

    kinds: Sequence[str]
    rows: Sequence[Combination]
    names: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Histogram(Plot):
    """Counts between edges; bars inside `chosen` are full."""

    counts: Sequence[int]
    edges: Sequence[float]
    chosen: tuple[float, float] | None = None
    digits: int = 2
    height: int = 34


@dataclass(frozen=True, kw_only=True, slots=True)
class Spark(Plot):
    values: Sequence[float]
    reference: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Dots:
    """Points of one look. `names` and `hrefs`, where given, one a point: what it is called, where
    it leads.
    """

    label: Any
    xs: Sequence[float]
    ys: Sequence[float]
    style: Style = "accent"
    square: bool = False
    small: bool = False
    names: Sequence[str] = ()
    hrefs: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Tag:
    """A name at a place; tags that would lie on an earlier one are left out."""

    label: Any
    x: float
    y: float
    strong: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Scatter(Plot):
    """Points on a square of -1 to 1 without axes: only what is near what is told. Later dots lie on
    earlier ones.
    """

    dots: Sequence[Dots]
    tags: Sequence[Tag] = ()
