"""What a discipline asks of a model, as data: a protocol is its list of criteria.

    [protocol] = protocols_of([{"discipline": "SP", "criteria": [
        {"metric": "macro_f1", "where": "samples.speaker = 'S3'", "without": ["image"], "at_least": 0.68, "min_n": 50}]}])  # ProtocolError
    check(protocols, kinds, ["image", "speech"])   # [] or what is wrong with them for these data, in words
    state_of(criterion, interval, n)               # met, undecided, not_met or too_few

Light: pydantic alone. What a criterion measures is computed by `fusion.evaluation.criteria`.
"""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from fusion.core.yaml_lines import YamlProblem, read_yaml
from fusion.knowledge.conditions import Condition, listed
from fusion.knowledge.explanation import explain
from fusion.knowledge.parser import parse
from fusion.knowledge.rules import check_condition, problem_of
from fusion.schema.metrics import METRICS, Metric
from fusion.schema.noise_levels import LEVELS

State = Literal["met", "undecided", "not_met", "too_few"]

BEST_SINGLE, REFERENCE_RUN = "best single modality", "reference run"
"""What `over` may name beside a modality; no modality can have a name with spaces."""


class ProtocolError(ValueError):
    """Protocols that cannot be used; `problems` says each in words."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Criterion(BaseModel):
    """A metric on a slice of the test samples, in a situation, held against a bound.

    where: a condition in the language of rules, here over the label too. without, only: modalities
    taken away from every sample, or all that are left; noise: one modality and the level that it is
    made worse by (fusion.schema.noise_levels). at_least, at_most: the bound of the metric; with `over` that of
    the paired difference to what another answers to the same samples with all its inputs: a
    modality alone, the best single modality, or the reference run. min_n: samples below which
    nothing is decided.
    """

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, frozen=True)

    name: str = Field(default="", max_length=200)
    metric: str
    where: str = Field(default="", max_length=5000)
    without: list[str] = Field(default=[], max_length=32)
    only: list[str] = Field(default=[], max_length=32)
    noise: dict[str, str] = Field(default={}, max_length=1)
    over: str = Field(default="", max_length=100)
    at_least: float | None = Field(default=None, allow_inf_nan=False)
    at_most: float | None = Field(default=None, allow_inf_nan=False)
    min_n: int = Field(default=20, ge=1, le=1_000_000_000)
    why: str = Field(default="", max_length=20_000, description="what the bound rests on")

    @field_validator("metric")
    @classmethod
    def metric_is_known(cls, name: str) -> str:
        if name not in METRICS:
            near = get_close_matches(name, METRICS, n=1)
            raise ValueError(
                f"{name} is no metric; "
                + (f"did you mean {near[0]}?" if near else f"use {listed(list(METRICS))}")
            )
        return name

    @field_validator("where")
    @classmethod
    def where_can_be_read(cls, text: str) -> str:
        if text:
            parse(text)
        return text

    @model_validator(mode="after")
    def has_one_bound_and_one_situation(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give the bound by one of at_least and at_most")
        wanted = "at_most" if self.measure.lower_is_better else "at_least"
        if getattr(self, wanted) is None:
            better = "lower" if self.measure.lower_is_better else "higher"
            raise ValueError(
                f"{better} {self.measure.title} is better: write the bound as {wanted}"
            )
        if problem := self.measure.out_of_bounds(self.bound, difference=bool(self.over)):
            raise ValueError(f"{wanted}: {problem} (given: {self.bound:g})")
        if sum(map(bool, (self.without, self.only, self.noise))) > 1:
            raise ValueError("give the situation by one of without, only and noise")
        return self

    @property
    def measure(self) -> Metric:
        return METRICS[self.metric]

    @property
    def bound(self) -> float:
        bound = self.at_most if self.at_least is None else self.at_least
        assert bound is not None
        return bound

    @cached_property
    def condition(self) -> Condition | None:
        return parse(self.where) if self.where else None

    def margin(self, value: float) -> float:
        """How far a value lies beyond the bound; below 0 it falls short of it."""
        return self.bound - value if self.at_least is None else value - self.bound

    def sentence(self) -> str:
        """ "Macro-F1 without image where samples.speaker is “S3” is at least 0.68 (on 50 samples or
        more)."
        """
        what = (
            self.measure.title
            if not self.over
            else f"difference in {self.measure.title} to {self.over}"
        )
        if self.without or self.only:
            what += f" {'without' if self.without else 'with only'} {listed(self.without or self.only, last=' and ')}"
        for modality, level in self.noise.items():
            what += f" with noise of {level} on {modality}"
        if self.condition:
            what += f" where {explain(self.condition)}"
        return f"{what[0].upper()}{what[1:]} is {'at most' if self.at_least is None else 'at least'} {self.bound:g} (on {self.min_n} samples or more)."


class Protocol(BaseModel):
    """One discipline's list of criteria."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, frozen=True)

    discipline: str = Field(min_length=1, max_length=40)
    criteria: list[Criterion] = Field(min_length=1, max_length=200)


def protocols_of(data: Any, disciplines: Iterable[str] | None = None) -> list[Protocol]:
    """The protocols of a study or a recipe. Raises ProtocolError with every problem, each with its
    place, counted from 1.

    disciplines: the codes that there are; a protocol of another one is refused.
    """
    if not isinstance(data, list):
        raise ProtocolError(["protocols: a list is needed, one protocol a discipline"])
    protocols, problems, known = [], list[str](), None if disciplines is None else set(disciplines)
    for number, item in enumerate(data, 1):
        try:
            protocols.append(Protocol.model_validate(item))
        except ValidationError as error:
            problems += [in_place(number, one) for one in error.errors()]
            continue
        code = protocols[-1].discipline
        if known is not None and code not in known:
            problems.append(
                f"protocol {number}, discipline: {code} is not one of {listed(sorted(known))}"
            )
        if code in [each.discipline for each in protocols[:-1]]:
            problems.append(
                f"protocol {number}, discipline: {code} has a protocol already; a discipline has one"
            )
    if problems:
        raise ProtocolError(problems)
    return protocols


def in_place(number: int, error: Any) -> str:
    """ "protocol 1, criterion 2, where: column 4: ..." """
    loc, where = list(error["loc"]), f"protocol {number}"
    if len(loc) > 1 and loc[0] == "criteria":
        where += f", criterion {loc[1] + 1}"
        loc = loc[2:]
    words = {"model_type": "is a list of named settings"} | dict.fromkeys(
        ("too_short", "string_too_short"), "must not be empty"
    )
    message = words.get(error["type"])
    found = problem_of({**error, "loc": loc} | ({"type": "", "msg": message} if message else {}))
    return f"{where}, {found}" if loc else f"{where}: {found}"


def check(
    protocols: Sequence[Protocol],
    kinds: Mapping[str, str],
    modalities: Mapping[str, str] | None = None,
) -> list[str]:
    """What is wrong with protocols for these data, in words. kinds: dataset.column -> kind, the
    label's column too; modalities: name -> kind, None where nobody knows which there are.
    """
    problems = list[str]()
    for protocol in protocols:
        for number, criterion in enumerate(protocol.criteria, 1):
            where = f"protocol of {protocol.discipline}, criterion {number}"
            problems += (
                [f"{where}, where: {words}" for words in check_condition(criterion.where, kinds)]
                if criterion.where
                else []
            )
            problems += (
                [f"{where}, {words}" for words in check_situation(criterion, modalities)]
                if modalities is not None
                else []
            )
    return problems


def check_situation(criterion: Criterion, modalities: Mapping[str, str]) -> list[str]:
    over = [] if criterion.over in ("", BEST_SINGLE, REFERENCE_RUN) else [criterion.over]
    named = {
        "without": criterion.without,
        "only": criterion.only,
        "noise": list(criterion.noise),
        "over": over,
    }
    others = {"over": f", {BEST_SINGLE} or {REFERENCE_RUN}"}
    problems = [
        f"{field}: there is no modality {name}; use {', '.join(modalities)}{others.get(field, '')}"
        for field, names in named.items()
        for name in names
        if name not in modalities
    ]
    for name, level in criterion.noise.items():
        levels = [one.name for one in LEVELS.get(modalities.get(name, ""), ())]
        if levels and level not in levels:
            problems.append(f"noise: {name} has no level {level}; use {listed(levels)}")
    return problems


def load(path: str | Path) -> list[Protocol]:
    """From a YAML file: a list of protocols, or anything that has one under `protocols`, as
    study.yaml. Raises ProtocolError.
    """
    try:
        data, _ = read_yaml(Path(path).read_bytes())
    except YamlProblem as problem:
        line = f", line {problem.line}" if problem.line else ""
        raise ProtocolError([f"{path}{line}: {problem.message}"]) from problem
    return protocols_of(data.get("protocols") if isinstance(data, dict) else data)


def together(own: Sequence[Protocol], others: Sequence[Protocol]) -> list[Protocol]:
    """Those of a recipe, and those of the study for every discipline of which the recipe says
    nothing.
    """
    said = {protocol.discipline for protocol in own}
    return [*own, *(protocol for protocol in others if protocol.discipline not in said)]


def state_of(criterion: Criterion, low: float | None, high: float | None, n: int) -> State:
    """*Met*: the near end of the 95 % interval is beyond the bound; *not met*: its far end falls
    short of it; without an interval nothing is decided.
    """
    if n < criterion.min_n:
        return "too_few"
    if low is None or high is None:
        return "undecided"
    ends = criterion.margin(low), criterion.margin(high)
    return "met" if min(ends) >= 0 else "not_met" if max(ends) < 0 else "undecided"
