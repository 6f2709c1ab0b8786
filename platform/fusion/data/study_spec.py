"""The form of study.yaml, as data. Concepts, rules and protocols are kept as they are written;
their own modules read them.

A concept: {name, discipline, definition} and, where it lies under another one, {broader}; it may be
one of the labels.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from fusion.core.column_values import Kind
from fusion.knowledge.concepts import defined_concepts
from fusion.knowledge.rules import rules_of
from fusion.schema.protocol import protocols_of
from fusion.schema.task_names import TaskName

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,99}$")]
Text = Annotated[str, StringConstraints(max_length=20_000)]
Reference = Annotated[str, StringConstraints(pattern=r"^[^.\s]+\.\S.*$")]
MODALITY_NAME = r"^[a-z][a-z0-9_]{0,39}$"
KIND_OF_COLUMN = {
    "image": "image",
    "audio": "audio",
    "text": "text",
    "series": "series",
    "number": "table",
    "category": "table",
}
"""Kind of a column -> kind of the modality that it can be an input of."""
KEPT_AS_VALUES = ("number", "category", "label", "group", "tags", "time", "text")
"""Kinds of columns that subgroups, slices and rules may ask for."""


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    @field_validator("*", mode="before")
    @classmethod
    def no_nul(cls, value: Any) -> Any:
        if isinstance(value, str) and "\0" in value:
            raise ValueError("holds a NUL character, which no text may have")
        return value


class ColumnSpec(Part):
    """decimal: the mark in its numbers, where it is not told rightly from their form;
    join_capitals: values that differ by capitals alone are one.
    """

    kind: Kind
    decimal: Literal[".", ","] | None = None
    join_capitals: bool = False
    unit: str | None = None
    description: Text | None = None
    concept: str | None = None


class Dataset(Part):
    name: Slug
    table: str
    title: str | None = None
    licence: str | None = None
    description: Text | None = None
    columns: dict[str, ColumnSpec] = {}


class Discipline(Part):
    code: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,4}$")]
    name: str
    description: Text | None = None
    datasets: list[Dataset] = []


class Split(Part):
    """policy and what it needs: by-group takes test and seed; grouped-k-fold takes folds and seed;
    fixed takes column.
    """

    policy: Literal["leave-one-group-out", "by-group", "grouped-k-fold", "fixed"] = (
        "leave-one-group-out"
    )
    test: float = Field(default=0.2, gt=0, lt=1)
    validation: float = Field(default=0.1, ge=0, lt=1)
    folds: int = Field(default=5, ge=2, le=50)
    seed: int = 7
    column: Reference | None = None

    @model_validator(mode="after")
    def fixed_needs_a_column(self) -> "Split":
        if self.policy == "fixed" and not self.column:
            raise ValueError(
                "policy fixed needs column: dataset.column with the values train and test"
            )
        return self

    def short(self) -> dict[str, Any]:
        """Only what the policy uses."""
        used = {
            "by-group": {"test", "validation", "seed"},
            "grouped-k-fold": {"folds", "seed"},
            "fixed": {"column"},
        }
        return self.model_dump(include={"policy"} | used.get(self.policy, set()))


class AlignmentSpec(Part):
    """task: by default what is usual for the label's column (fusion.schema.task_names.ALLOWED);
    order: of the labels of an ordinal task, lowest first; extras: the columns for subgroups, slices
    and rules, by default all that can be.
    """

    label: Reference
    task: TaskName | None = None
    order: list[str] = []
    groups: list[Reference] = []
    cluster: Reference | None = None
    extras: list[Reference] | None = None
    modalities: dict[
        Annotated[str, StringConstraints(pattern=MODALITY_NAME)], Reference | list[Reference]
    ]
    split: Split = Split()

    @field_validator("modalities", mode="before")
    @classmethod
    def names_of_a_list(cls, value: Any) -> Any:
        """A plain list of columns: each modality bears the name of its data set."""
        return {str(v).split(".")[0]: v for v in value} if isinstance(value, list) else value

    @model_validator(mode="after")
    def label_is_no_modality(self) -> "AlignmentSpec":
        if not self.modalities:
            raise ValueError("name at least one modality")
        for name, columns in self.modalities.items():
            if self.label in columns or self.label == columns:
                raise ValueError(f"modality {name} is made from the label {self.label} itself")
        return self

    def columns(self) -> list[str]:
        """Every dataset.column that the alignment names, once."""
        parts = [c for v in self.modalities.values() for c in ([v] if isinstance(v, str) else v)]
        fixed = [self.split.column] if self.split.column else []
        return list(
            dict.fromkeys(
                [
                    self.label,
                    *self.groups,
                    *([self.cluster] if self.cluster else []),
                    *parts,
                    *fixed,
                ]
            )
        )


class Annotations(Part):
    """A table of who said what: its columns `annotator` and `label` beside the sample key."""

    discipline: str
    table: str
    annotator: str
    label: str


class StudySpec(Part):
    name: Slug
    title: str = ""
    goal: Text = ""
    key: str
    disciplines: list[Discipline] = Field(min_length=1)
    alignment: AlignmentSpec | None = None
    annotations: list[Annotations] = []
    concepts: list[dict[str, Any]] = []
    rules: list[dict[str, Any]] = []
    protocols: list[dict[str, Any]] = []

    @model_validator(mode="after")
    def names_are_unique(self) -> "StudySpec":
        codes = [d.code for d in self.disciplines]
        names = [s.name for d in self.disciplines for s in d.datasets]
        for what, names_in_use in (("discipline", codes), ("data set", names)):
            twice = sorted({name for name in names_in_use if names_in_use.count(name) > 1})
            if twice:
                raise ValueError(
                    f"there are two of {what} {twice[0]}; names are used once in a study"
                )
        unknown = sorted({a.discipline for a in self.annotations} - set(codes))
        if unknown:
            raise ValueError(
                f"annotations name discipline {unknown[0]}, which is not listed under disciplines"
            )
        rules_of(self.rules, codes)
        protocols_of(self.protocols, codes)
        return self

    @property
    def knowledge(self) -> dict[str, Any]:
        """The study's knowledge for an alignment, {} where it states none. A concept names the one
        above it under `broader`.
        """
        broader = {
            str(concept["name"]): str(concept["broader"])
            for concept in self.concepts
            if "name" in concept and concept.get("broader")
        }
        knowledge = {
            "rules": self.rules,
            "broader": broader,
            "concepts": defined_concepts(self.concepts),
        }
        return {name: value for name, value in knowledge.items() if value}


def extra_columns(
    kinds: Mapping[str, str], label: str, groups: Sequence[str], cluster: str | None
) -> list[str]:
    """Columns that a subgroup, slice or rule may ask for: all but media, series, ids, the label and
    the groups. kinds: dataset.column -> its kind.
    """
    values = [column for column, kind in kinds.items() if kind in KEPT_AS_VALUES]
    return [
        column
        for column in dict.fromkeys([*([cluster] if cluster else []), *values])
        if column != label and column not in groups
    ]
