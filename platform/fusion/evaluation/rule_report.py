"""The share of labels and predictions that obey the rules. Needs numpy."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusion.core.arrays import Bools, Floats
from fusion.knowledge.rules import Rule, allowed_labels
from fusion.schema.discipline_scores import RuleScore
from fusion.schema.intervals import Interval
from fusion.tasks.bootstrap import Resampler, interval

KEPT_KEYS = 100


def report(
    rules: Sequence[Rule],
    fires: Sequence[Sequence[bool]],
    y: NDArray[np.int64],
    labels: Sequence[str],
    keys: Sequence[str],
    p: Floats | None = None,
    resampler: Resampler | None = None,
) -> list[RuleScore]:
    """Return the score of each rule on n samples.

    fires: (R, n) bool, see `fired`; y: (n,) number of the label, -1 where unknown; keys: n sample
    keys; p: (n, K) probabilities of a model, None to look at the labels alone; resampler: over the
    clusters of the n samples, for 95 % intervals. Raises ValueError if the shapes do not fit
    together.
    """
    table = np.asarray(fires, dtype=bool).reshape(len(rules), len(y))
    if len(keys) != len(y) or (p is not None and p.shape != (len(y), len(labels))):
        raise ValueError(
            f"{len(y)} labels, {len(keys)} keys and probabilities "
            f"{None if p is None else p.shape} do not fit together"
        )
    return [
        score(rule, row, np.asarray(y), labels, keys, p, resampler)
        for rule, row in zip(rules, table)
    ]


def score(
    rule: Rule,
    fires: Bools,
    y: NDArray[np.int64],
    labels: Sequence[str],
    keys: Sequence[str],
    p: Floats | None,
    resampler: Resampler | None,
) -> RuleScore:
    fits = np.array(allowed_labels(rule, labels), dtype=bool)
    labelled, obeys = y >= 0, fits[np.maximum(y, 0)]
    breaks = fires & labelled & ~obeys
    of_model = {} if p is None else scored_answers(fits, fires, keys, p, resampler)
    return RuleScore(
        rule=rule,
        sentence=rule.sentence(),
        n=len(y),
        n_covered=int(fires.sum()),
        n_labelled=int((fires & labelled).sum()),
        labels_obey=share(obeys, fires & labelled, resampler),
        labels_obey_elsewhere=mean(obeys, ~fires & labelled),
        n_labels_break=int(breaks.sum()),
        labels_break=names(keys, breaks),
        **of_model,
    )


def scored_answers(
    fits: Bools, fires: Bools, keys: Sequence[str], p: Floats, resampler: Resampler | None
) -> dict[str, Any]:
    obeys = fits[p.argmax(1)] if len(p) else np.zeros(0, dtype=bool)
    breaks = fires & ~obeys
    return {
        "answers_obey": share(obeys, fires, resampler),
        "mass": mean(p[:, fits].sum(1), fires),
        "n_answers_break": int(breaks.sum()),
        "answers_break": names(keys, breaks),
    }


def share(obeys: Bools, chosen: Bools, resampler: Resampler | None) -> Interval | None:
    """Share of the chosen samples that obey; a draw without any of them says nothing about it."""
    if not chosen.any():
        return None
    if resampler is None:
        return Interval(value=float(obeys[chosen].mean()))
    sums = resampler.sums(np.stack([obeys & chosen, chosen], 1).astype(np.float64))
    with np.errstate(invalid="ignore"):
        return interval(sums[:, 0] / sums[:, 1])


def mean(values: NDArray[Any], chosen: Bools) -> float | None:
    return float(values[chosen].mean()) if chosen.any() else None


def names(keys: Sequence[str], chosen: Bools) -> list[str]:
    return [keys[row] for row in np.flatnonzero(chosen)[:KEPT_KEYS]]
