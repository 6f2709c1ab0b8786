"""Numbers as a report tells them: with an interval, paired, and with the clusters that it was drawn
over. Light, like fusion.schema.result.
"""

from typing import Any, Literal

from pydantic import model_validator

from fusion.schema.base import StrictModel
from fusion.schema.notes import OptionalNote

Worth = Literal["helps", "no clear difference", "hurts"]
Verdict = Literal["clearly better", "no clear difference", "clearly worse"]


class ResultPart(StrictModel):
    @model_validator(mode="before")
    @classmethod
    def macro_f1_was_the_only_score(cls, data: Any) -> Any:
        """Up to schema 2, which knew classification alone, a score was named after its metric."""
        if isinstance(data, dict) and "score" in cls.model_fields and "macro_f1" in data:
            return {"score" if name == "macro_f1" else name: value for name, value in data.items()}
        return data


class Interval(ResultPart):
    """A point estimate with its 95 % interval; `low` and `high` are None where none can be given."""

    value: float
    low: float | None = None
    high: float | None = None


class Gain(Interval):
    """Paired difference to the best single modality; *clearly* means that the interval excludes 0."""

    over: str
    verdict: Verdict


class Clusters(ResultPart):
    """Unit of the bootstrap; `note` where there are too few for an honest interval."""

    column: str | None
    n: int
    draws: int
    note: OptionalNote = None


class Pair(ResultPart):
    """The same figure with a rule and without it, and their paired difference."""

    with_it: Interval
    without: Interval
    change: Interval
