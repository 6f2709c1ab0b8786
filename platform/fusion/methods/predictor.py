"""The predictions of every method from the outputs of its networks: late fusion, the fallback to a
single modality, the ensemble. The same for out-of-fold samples, for a bundle that is judged, and
for a bundle that predicts.
"""

from collections.abc import Callable, Sequence
from functools import cache, cached_property

from fusion.core.arrays import Floats
from fusion.methods.ensemble import Pool, pooled_predictions
from fusion.methods.fallback import with_fallback
from fusion.methods.late import late_predictions, single_predictions
from fusion.tasks.predictions import Coalition, MethodPredictions, Samples

Joint = Callable[[str], MethodPredictions]


class Predictor:
    """Predictions of n samples, each method computed when it is asked for.

    outputs: makes (S, n, M, D) of the single models before their temperatures; temperatures: (n,
    M); joint: method -> its predictions as its networks make them; wanted: the coalitions of
    modalities to predict from, the whole one among them; fallback: whether a joint method leaves
    samples with one modality to that modality's model; pools: how the ensemble joins its members,
    each with the number of samples that it answers, in their order.
    """

    def __init__(
        self,
        samples: Samples,
        outputs: Callable[[], Floats],
        temperatures: Floats,
        joint: Joint,
        wanted: Sequence[Coalition],
        fallback: bool = False,
        pools: Sequence[tuple[Pool, int]] = (),
    ) -> None:
        self.samples, self.make_outputs, self.temperatures = samples, outputs, temperatures
        self.joint, self.wanted = joint, wanted
        self.fallback, self.pools = fallback, pools
        self.method = cache(self.predict)

    @cached_property
    def outputs(self) -> Floats:
        return self.make_outputs()

    @cached_property
    def singles(self) -> dict[str, tuple[Floats, Floats]]:
        """Modality -> its predictions calibrated and not, (S, n, D) each."""
        return {
            name: single_predictions(self.outputs, self.temperatures, self.samples, column)
            for column, name in enumerate(self.samples.modalities)
        }

    def predict(self, method: str) -> MethodPredictions:
        if method == "late":
            return late_predictions(self.outputs, self.temperatures, self.samples, self.wanted)
        if method == "ensemble":
            members = {name: self.method(name) for name in self.pools[0][0].weights}
            return pooled_predictions(self.pools, self.method("late"), members, self.samples)
        predictions = self.joint(method)
        if not self.fallback:
            return predictions
        return with_fallback(predictions, list(self.singles.values()), self.samples)
