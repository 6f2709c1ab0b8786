"""One line of the table that is printed, and how a figure is held against its bar."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """`met` is None where there is no bar, or where the figure could not be taken."""

    what: str
    measured: str
    bar: str = ""
    met: bool | None = None


@dataclass(frozen=True)
class Place:
    """Where the measures of one call put what they make. `small`: a cut of the demo study stands in
    for the real one.
    """

    folder: Path
    small: bool


def under(what: str, value: float, bar: float, unit: str) -> Row:
    return Row(what, figure(value, unit), f"under {bar:g} {unit}", value < bar)


def at_least(what: str, value: float, bar: float, note: str = "") -> Row:
    return Row(what, f"{value:.3f}{note}", f"at least {bar:.3f}", value >= bar)


def fact(what: str, value: float, unit: str) -> Row:
    return Row(what, figure(value, unit))


def figure(value: float, unit: str) -> str:
    digits = 0 if unit in ("MB", "queries") or value >= 1000 else 1
    return f"{value:,.{digits}f} {unit}"


def as_table(rows: list[Row]) -> str:
    lines = [
        ("what", "measured", "bar", ""),
        *((row.what, row.measured, row.bar, verdict(row)) for row in rows),
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines
    )


def verdict(row: Row) -> str:
    return "" if row.met is None else "met" if row.met else "NOT MET"
