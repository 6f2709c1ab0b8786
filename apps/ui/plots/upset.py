"""UpSet plot: a row each combination of inputs, with the samples that have exactly these."""

from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.ui import figures
from apps.ui.components.modalities import MODALITIES, kind_of
from apps.ui.html import component
from apps.ui.plots.data import Table, sentence, toggle
from apps.ui.plots.model import Combination, UpSet


def upset(plot: UpSet) -> SafeString:
    total = sum(row.count for row in plot.rows) or 1
    largest = max((row.count for row in plot.rows), default=0) or 1
    table = Table(
        [_("Has"), _("Samples"), _("Match")],
        [(combination_name(plot, row), row.count, row.match) for row in plot.rows],
    )
    made = _("%(n)s samples in %(rows)s combinations of inputs.") % {
        "n": f"{total:,}",
        "rows": len(plot.rows),
    }
    return component(
        "plots/upset",
        sentence=sentence(plot, made),
        kinds=plot.kinds,
        matching=any(row.match is not None for row in plot.rows),
        rows=[_row(plot, row, total, largest) for row in plot.rows],
        data=toggle(plot, table),
    )


def _row(plot: UpSet, row: Combination, total: int, largest: int) -> dict[str, Any]:
    match = row.match if row.match is not None else row.count
    return {
        "name": combination_name(plot, row),
        "href": row.href,
        "chosen": row.chosen,
        "present": row.present,
        "count": row.count,
        "match": match,
        "bar_all": f"{100 * row.count / largest:.2f}",
        "bar": f"{100 * match / largest:.2f}",
        "share": figures.percent(row.count / total, 1),
    }


def combination_name(plot: UpSet, row: Combination) -> Any:
    """Return All, None, "Only text", "No image, no text"."""
    if row.label:
        return row.label
    present = [kind for kind in plot.kinds if kind in row.present]
    absent = [kind for kind in plot.kinds if kind not in row.present]
    if not absent:
        return _("All")
    if not present:
        return _("None")
    if len(present) == 1 and len(absent) > 1:
        return _("Only %(modality)s") % {"modality": _in_text(plot, present[0])}
    return _(", ").join(
        _("No %(modality)s") % {"modality": _in_text(plot, kind)} for kind in absent
    )


def _in_text(plot: UpSet, kind: str) -> str:
    return str(plot.names.get(kind) or MODALITIES[kind_of(kind)].label).lower()
