"""One entry for all plots."""

from typing import Any

from django.utils.safestring import SafeString

from apps.ui.plots import model
from apps.ui.plots.bars import bars, histogram, stacked
from apps.ui.plots.confusion import confusion
from apps.ui.plots.fluid import lines
from apps.ui.plots.forest import forest
from apps.ui.plots.reliability import reliability
from apps.ui.plots.scatter import scatter
from apps.ui.plots.spark import sparkline
from apps.ui.plots.upset import upset

RENDERERS: dict[type[model.Plot], Any] = {
    model.Bars: bars,
    model.Stacked: stacked,
    model.Lines: lines,
    model.Forest: forest,
    model.Confusion: confusion,
    model.Reliability: reliability,
    model.UpSet: upset,
    model.Histogram: histogram,
    model.Scatter: scatter,
    model.Spark: lambda plot: sparkline(plot.values, plot.reference),
}


def render(plot: model.Plot) -> SafeString:
    """The plot as HTML. Raises TypeError for anything that is no plot, since a page that forgot one
    must not stay silent.
    """
    renderer = RENDERERS.get(type(plot))
    if renderer is None:
        raise TypeError(
            f"{{% plot %}} draws dataclasses of apps.ui.plots.model, not {type(plot).__name__}"
        )
    return renderer(plot)
