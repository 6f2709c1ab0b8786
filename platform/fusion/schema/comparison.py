"""The form of a comparison of runs (fusion.evaluation.compare). Light, like fusion.schema.result."""

from fusion.schema.intervals import Clusters, Interval, ResultPart, Verdict


class Difference(Interval):
    """To the reference, paired. p: two-sided, from the share of draws on the far side of 0, after
    Holm's correction.
    """

    p: float
    verdict: Verdict


class Compared(ResultPart):
    """One run of a comparison. differences: none for the reference itself."""

    name: str
    metrics: dict[str, Interval]
    differences: dict[str, Difference] = {}


class Comparison(ResultPart):
    """Runs side by side (fusion.evaluation.compare). corrected: over how many differences of one
    metric Holm's correction went.
    """

    reference: str
    n: int
    clusters: Clusters
    corrected: int
    runs: list[Compared]
