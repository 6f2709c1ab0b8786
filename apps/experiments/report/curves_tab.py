"""The tab of curves: small multiples of one fold's fits, a loss for each model, and the validation
scores of all of them.
"""

from dataclasses import dataclass

from apps.experiments.models import Run
from apps.experiments.report import curves
from apps.ui.plots import model as ui
from fusion.schema.recipe import Recipe


@dataclass(frozen=True)
class CurvesTab:
    """`losses`: model, its plot; `places`: the folds that can be chosen; `fits`: how many there
    are.
    """

    places: list[str]
    chosen: str
    scores: ui.Lines | None
    losses: list[tuple[str, ui.Lines]]
    fits: int


def curves_tab(run: Run, wanted: str) -> CurvesTab:
    """The curves of the fold that the address wants; else of the newest that is validated."""
    fits = curves.fits(run)
    places = list(dict.fromkeys(fit.key.place for fit in fits))
    inner = [fit.key.place for fit in fits if fit.key.inner]
    chosen = wanted if wanted in places else (inner or places or [""])[-1]
    shown = [fit for fit in fits if fit.key.place == chosen]
    seed = shown[0].seed if shown else 0
    points = curves.points(run, [fit.key for fit in shown], seed)
    epochs = Recipe.stored(run.recipe).training.epochs
    losses = []
    for fit in shown:
        name = f"loss-{fit.key.model}".replace(":", "-")
        of_fit, until = points[fit.key], 0 if fit.key.tunes else epochs
        plot = curves.loss(of_fit, until, False, name) if fit.seed == seed else None
        if plot:
            losses.append((curves.model_label(fit.key.model), plot))
    metric, by_model = curves.scored([(fit.key.model, points[fit.key]) for fit in shown])
    scores = curves.scores(by_model, metric, run.kinds, epochs, False)
    return CurvesTab(places, chosen, scores, losses, len(fits))
