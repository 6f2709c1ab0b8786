"""What became of what the disciplines know and ask: rules, definitions of labels, criteria. Light,
like fusion.schema.result.
"""

from typing import Self

from pydantic import model_validator

from fusion.knowledge.concepts import Concept
from fusion.knowledge.rules import Rule
from fusion.schema.intervals import Interval, Pair, ResultPart, Worth
from fusion.schema.notes import OptionalNote
from fusion.schema.protocol import REFERENCE_RUN, Criterion, State


class RuleEffect(ResultPart):
    """What a rule does to the whole model, against the same model without it (where the rule is
    used in training: trained without it).

    score: of all samples; accuracy: where the rule speaks, None where it never does. helps:
    accuracy where it speaks is clearly higher and the score not clearly lower; hurts: one of the
    two is clearly lower. note: what to think of the interval.
    """

    score: Pair
    accuracy: Pair | None
    verdict: Worth
    note: OptionalNote = None


class RuleScore(ResultPart):
    """One rule on some samples. Shares are of 1, None where nothing can be counted; keys are cut to
    the first hundred, counts are not.

    labels_obey: of the labelled samples on which the rule fires; labels_obey_elsewhere: of those on
    which it does not: a rule that is no better than that tells nothing; answers_obey: of the
    model's likeliest labels; mass: mean probability that the model gives the allowed labels;
    answers_obey_without: of the model without the rule. effect: None where nobody compared.
    """

    rule: Rule
    sentence: str
    n: int
    n_covered: int
    n_labelled: int
    labels_obey: Interval | None
    labels_obey_elsewhere: float | None
    answers_obey: Interval | None = None
    answers_obey_without: Interval | None = None
    mass: float | None = None
    n_labels_break: int
    labels_break: list[str]
    n_answers_break: int = 0
    answers_break: list[str] = []
    effect: RuleEffect | None = None


class ConceptsScore(ResultPart):
    """Definitions of labels: the run's method with them and trained without them, in the headline
    metric, paired on the same samples.

    encoder: what read them; few: labels with at most 10 samples; auroc_of_few: the mean of their
    AUROC, None where there are none: what is seldom answered can still be told apart.
    """

    encoder: str
    concepts: list[Concept]
    score: Pair
    few: list[str] = []
    auroc_of_few: Pair | None = None
    verdict: Worth
    note: OptionalNote = None


class CriterionScore(ResultPart):
    """One criterion of a protocol. value: the metric on the slice, or the paired difference to
    `over` (a modality alone, or the name of the reference run), None where the slice is empty.

    margin: how far the value lies beyond the bound, below 0 short of it. state: None where the
    criterion cannot be judged, and `unknown` says why. note: what to think of the interval.
    """

    criterion: Criterion
    sentence: str
    n: int = 0
    value: Interval | None = None
    over: str = ""
    margin: float | None = None
    state: State | None = None
    note: OptionalNote = None
    unknown: OptionalNote = None

    @model_validator(mode="after")
    def name_the_modality(self) -> Self:
        """Results up to schema 3 name a modality with the word `alone` behind it."""
        if self.criterion.over != REFERENCE_RUN:
            self.over = self.over.removesuffix(" alone")
        return self


class ProtocolScore(ResultPart):
    discipline: str
    criteria: list[CriterionScore]

    @property
    def n_met(self) -> int:
        return sum(one.state == "met" for one in self.criteria)
