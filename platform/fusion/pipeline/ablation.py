"""The same run once more without each of its rules, and without its definitions: what they are
worth is what is lost without them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fusion.core.arrays import Bools, Floats, Ints
from fusion.core.progress import Progress, Silent
from fusion.evaluation.rule_scores import rule_scores
from fusion.knowledge import Knowledge, Rule
from fusion.pipeline.knowledge_use import applied, predictions_with_rules, taught
from fusion.schema.discipline_scores import RuleScore
from fusion.schema.recipe import Recipe
from fusion.tasks.bootstrap import Resampler
from fusion.tasks.predictions import MethodPredictions
from fusion.training.crossfit import CrossFit
from fusion.training.fit_store import Store
from fusion.training.folds import NestedFold, TrainingData
from fusion.training.oof_predictions import OutOfFold, assemble, predict_fold


@dataclass
class Beside(Progress):
    """The whole run's progress while the `number`th of `of` rules is left out; curves are those of
    the run alone.
    """

    progress: Progress
    number: int
    of: int

    def step(self, done: int, total: int, unit: str = "") -> None:
        self.progress.step(
            (self.number - 1) * total + done, self.of * total, f"{unit} without a rule"
        )

    def check(self) -> None:
        self.progress.check()


@dataclass(frozen=True)
class Ruled:
    """A run with rules. fires: (n, R) over the rows of the data; store: a place for the fits of
    another recipe.
    """

    data: TrainingData
    recipe: Recipe
    fires: Bools
    folds: Sequence[NestedFold]
    labels: list[str]
    store: Callable[[Recipe], Store]
    progress: Progress

    def applied(self, predictions: MethodPredictions, rows: Ints) -> MethodPredictions:
        """Return the predictions of a method with all rules as experts in the product."""
        rules = self.recipe.knowledge.rules
        return predictions_with_rules(predictions, rules, self.labels, self.fires[rows])

    def scores(self, oof: OutOfFold, without: Sequence[Floats | None]) -> list[RuleScore]:
        """oof: predictions as the run gives them."""
        rules, whole = self.recipe.knowledge.rules, oof.methods[self.recipe.method].whole
        resampler = Resampler(oof.scored.cluster, self.recipe.evaluation.draws)
        return rule_scores(rules, self.fires[oof.rows], oof.scored, whole, without, resampler)

    def without_each(self, oof: OutOfFold) -> list[Floats | None]:
        """(S, n, K) of the run's method without each rule; None where the recipe asks for no
        comparison. oof: predictions before the rules.

        Rules that take part in training cost one more training each, with the same folds, seeds
        and random numbers.
        """
        own = self.recipe.knowledge
        if not own.compare or own.use == "off":
            return [None] * len(own.rules)
        return [self.without(number, oof) for number in range(len(own.rules))]

    def without(self, number: int, oof: OutOfFold) -> Floats:
        own, raw = self.recipe.knowledge, oof.methods[self.recipe.method]
        rest = [rule for place, rule in enumerate(own.rules) if place != number]
        fires = np.delete(self.fires, number, axis=1)
        if own.in_training and self.fires[:, number].any():
            raw = self.trained_with(rest, fires, number)
        return (
            applied(raw.whole, rest, self.labels, fires[oof.rows])
            if own.at_prediction
            else raw.whole
        )

    def trained_with(self, rules: list[Rule], fires: Bools, number: int) -> MethodPredictions:
        own = self.recipe.knowledge.model_copy(update={"rules": rules})
        data = replace(
            self.data,
            taught=taught(
                self.recipe.model_copy(update={"knowledge": own}),
                self.data.learning_task.name,
                self.labels,
                fires,
            ),
        )
        beside = Beside(self.progress, number + 1, len(self.recipe.knowledge.rules))
        return self.trained(data, own, beside)

    def without_concepts(self, oof: OutOfFold) -> Floats | None:
        """(S, n, K) of the run's method trained once more without the definitions of labels; None
        where nothing is to be compared.
        """
        own = self.recipe.knowledge
        if self.data.likeness is None or not own.compare:
            return None
        bare = self.trained(
            replace(self.data, likeness=None),
            own.model_copy(update={"concepts": []}),
            Silent(self.progress.check),
        ).whole
        return (
            applied(bare, own.rules, self.labels, self.fires[oof.rows])
            if own.at_prediction
            else bare
        )

    def trained(self, data: TrainingData, own: Knowledge, progress: Progress) -> MethodPredictions:
        """The run's method with other knowledge, in the same folds with the same seeds."""
        ensemble = self.recipe.method == "ensemble"
        compare = ["ensemble", *self.recipe.members] if ensemble else []
        recipe = self.recipe.model_copy(update={"knowledge": own, "compare": compare})
        crossfit = CrossFit(data, recipe, self.folds, self.store(recipe), progress)
        predictions = [
            predict_fold(crossfit, fold, regressions=False) for fold in self.folds if len(fold.test)
        ]
        unnamed = [""] * len(data.y)
        return assemble(crossfit, predictions, unnamed, unnamed).methods[recipe.method]
