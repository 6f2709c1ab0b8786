"""Rules of a discipline: when a condition holds, then the label is, is not, or is one of.

rule = Rule.parse({"discipline": "SP", "when": "recordings.seconds > 0.75",
                   "label_in": ["zero", "seven"], "weight": 0.5})
check_rule(rule, {"recordings.seconds": "number"}, labels)  # problems, in words
allowed_labels(rule, labels)                                # [True, False, ...], one a label
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from fusion.core.column_values import MEDIA_KINDS, to_text
from fusion.knowledge.column_names import resolve
from fusion.knowledge.conditions import (
    Compare,
    Condition,
    ConditionError,
    Find,
    Presence,
    Test,
    listed,
    literals,
    tests,
)
from fusion.knowledge.evaluator import as_time
from fusion.knowledge.explanation import explain
from fusion.knowledge.parser import parse

DEFAULT_WEIGHT = 1.0
MAX_WEIGHT = 20.0
ONLY_PRESENCE = (*MEDIA_KINDS, "series")


class RuleError(ValueError):
    """Rules cannot be used; `problems` says why, in words."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def label_text(value: Any) -> Any:
    """Read a label, which may be written as a number."""
    if isinstance(value, bool):
        raise ValueError(f"{value} is no label; put the label in quotes")
    return to_text(value) if isinstance(value, int | float) else value


Label = Annotated[
    str, BeforeValidator(label_text), StringConstraints(min_length=1, max_length=1000)
]
Labels = Annotated[list[Label], Field(min_length=1, max_length=10_000)]


class Rule(BaseModel):
    """A rule as study.yaml holds it: exactly one of label, label_in, label_not_in; `hard`, or a
    weight (1 by default).
    """

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, frozen=True)

    name: str = Field(default="", max_length=200)
    discipline: str = Field(default="", max_length=40)
    when: str
    label: Label | None = None
    label_in: Labels | None = None
    label_not_in: Labels | None = None
    weight: float | None = Field(default=None, gt=0, le=MAX_WEIGHT, allow_inf_nan=False)
    hard: bool = False
    why: str = Field(default="", max_length=20_000, description="where the knowledge comes from")

    @field_validator("when")
    @classmethod
    def when_can_be_read(cls, text: str) -> str:
        parse(text)
        return text

    @model_validator(mode="after")
    def has_one_consequence(self) -> "Rule":
        forms = ("label", "label_in", "label_not_in")
        present = [form for form in forms if getattr(self, form) is not None]
        if len(present) != 1:
            fault = f"both {listed(present, last=' and ')}" if present else "none of them"
            raise ValueError(
                "say what follows by one of label, label_in and label_not_in; "
                f"this rule has {fault}"
            )
        if self.hard and self.weight is not None:
            raise ValueError("a hard rule has no weight; keep hard or weight")
        return self

    @classmethod
    def parse(cls, data: Any) -> "Rule":
        """Make a rule of plain data. Raises RuleError."""
        return rules_of([data])[0]

    @cached_property
    def condition(self) -> Condition:
        return parse(self.when)

    @property
    def strength(self) -> float:
        """Return the weight, infinite for a hard rule."""
        return math.inf if self.hard else DEFAULT_WEIGHT if self.weight is None else self.weight

    @property
    def named_labels(self) -> list[str]:
        return [self.label] if self.label is not None else self.label_in or self.label_not_in or []

    @property
    def title(self) -> str:
        return self.name or self.when

    def sentence(self) -> str:
        """Return "When clues.n is greater than 7, the label is zero or seven (weight 0.5)."."""
        verb = "is not" if self.label_not_in else "is"
        strength = "always" if self.hard else f"weight {self.strength:g}"
        condition, labels = explain(self.condition), listed(self.named_labels)
        return f"When {condition}, the label {verb} {labels} ({strength})."


def rules_of(data: Sequence[Any], disciplines: Iterable[str] | None = None) -> list[Rule]:
    """Return the rules of a study. Raises RuleError with every problem of every rule; a rule is
    named by its number where there are several.

    disciplines: the codes that there are; a rule of another one is refused.
    """
    rules, problems = [], list[str]()
    codes = None if disciplines is None else set(disciplines)
    for number, item in enumerate(data, 1):
        where = f"rule {number}, " if len(data) > 1 else ""
        try:
            rules.append(Rule.model_validate(item))
        except ValidationError as error:
            problems += [where + problem_of(details) for details in error.errors()]
            continue
        code = rules[-1].discipline
        if codes is not None and code not in codes:
            problems.append(
                f"{where}discipline: {code or 'none'} is not one of {listed(sorted(codes))}"
            )
    if problems:
        raise RuleError(problems)
    return rules


def problem_of(error: Any) -> str:
    """Word an error of pydantic."""
    words = {
        "missing": "is needed",
        "extra_forbidden": "is not known here; correct its name or remove it",
        "model_type": "a rule is a list of named settings",
    }
    message = words.get(error["type"], error["msg"].removeprefix("Value error, "))
    where = ".".join(str(part) for part in error["loc"])
    return f"{where}: {message}" if where else message


def allowed_labels(rule: Rule, labels: Sequence[str]) -> list[bool]:
    """Return for each label whether it obeys the rule where the condition holds, (K,)."""
    named = set(rule.named_labels)
    return [(label in named) != (rule.label_not_in is not None) for label in labels]


def check_rule(
    rule: Rule,
    columns: Mapping[str, str] | Iterable[str],
    labels: Sequence[str],
    label_column: str | None = None,
) -> list[str]:
    """Return the problems of the rule on these data, in words; none if it can be used.

    columns: dataset.column -> kind, or only the names; labels: the allowed ones; label_column: the
    column that holds the label.
    """
    kinds = dict(columns) if isinstance(columns, Mapping) else dict.fromkeys(columns, "")
    return [*check_condition(rule.when, kinds, label_column), *check_labels(rule, labels)]


def check_condition(
    text: str, kinds: Mapping[str, str], label_column: str | None = None
) -> list[str]:
    """Return the problems of a condition alone, as a slice has it."""
    names = [*kinds, *([label_column] if label_column else [])]
    try:
        condition = parse(text)
    except ConditionError as error:
        return [str(error)]
    problems = []
    for test in tests(condition):
        try:
            [full] = tests(resolve(test, names, text))
        except ConditionError as error:
            problems.append(str(error))
            continue
        column = full.column
        problem = (
            "holds the label itself, which nobody knows at prediction"
            if column.name == label_column
            else misuse(full, kinds.get(column.name, ""))
        )
        if problem:
            problems.append(str(ConditionError(f"{column.name} {problem}", text, column.start)))
    return problems


def misuse(test: Test, kind: str) -> str | None:
    """Return why this test never holds on a column of this kind; None where it may."""
    if isinstance(test, Presence) or not kind:
        return None
    if kind in ONLY_PRESENCE:
        return f"is of kind {kind}; a rule can only ask whether it is missing or present"
    values = literals(test)
    are_texts = isinstance(values[0], str)
    if kind == "number" and isinstance(test, Find):
        return "holds numbers; it cannot be searched as text"
    if kind == "number" and are_texts:
        return "holds numbers; write the number without quotes"
    if kind in ("text", "tags", "time") and not are_texts:
        return f"is of kind {kind}; put the value in quotes"
    if kind == "tags" and isinstance(test, Compare) and test.op not in ("=", "!="):
        return "holds tags, which have no order; ask with =, contains or in"
    if kind == "time" and not isinstance(test, Find) and None in map(as_time, values):
        return 'holds points in time; write "2025-03-31" or "2025-03-31 14:30"'
    return None


def check_labels(rule: Rule, labels: Sequence[str]) -> list[str]:
    problems = []
    more = ", ..." if len(labels) > 12 else ""
    unknown = [name for name in rule.named_labels if name not in labels]
    for name in unknown:
        near = get_close_matches(name, labels, n=1)
        hint = (
            f"did you mean {near[0]}?" if near else f"the labels are {', '.join(labels[:12])}{more}"
        )
        problems.append(f"{name} is not among the allowed labels; {hint}")
    possible = sum(allowed_labels(rule, labels))
    if not problems and possible == 0:
        problems.append("the rule forbids every label; leave at least one")
    if not problems and possible == len(labels):
        problems.append("the rule allows every label, so it says nothing")
    return problems
