"""The section of a recipe on knowledge: rules, concepts and order, and where they take part."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_serializer, field_validator

from fusion.knowledge.concepts import Concept
from fusion.knowledge.hierarchy import check_hierarchy
from fusion.knowledge.rules import Label, Rule, rules_of

Use = Literal["off", "training", "prediction", "both"]


class Knowledge(BaseModel):
    """The knowledge of a recipe. The rules of the study (study.yaml) are added to these; `use`
    decides what becomes of all of them.

    use: off; in the loss of training; at prediction, as an expert in the product; or both. compare:
    train once more without each rule, and report whether it helps. broader: label or concept -> the
    concept above it; a mistake inside a concept then costs less in training than one outside.
    order: all labels in their order; a mistake then costs more the further away it is. concepts:
    what disciplines mean by labels, in words that `encoder` reads (the usual one for text where it
    is not named); they shape the linear part of the single-modality models
    (fusion.features.prototypes).
    """

    model_config = ConfigDict(extra="forbid")

    use: Use = "both"
    rules: list[Rule] = Field(default=[], max_length=200)
    compare: bool = True
    broader: dict[Label, Label] = Field(default={}, max_length=10_000)
    order: list[Label] = Field(default=[], max_length=10_000)
    concepts: list[Concept] = Field(default=[], max_length=10_000)
    encoder: str | None = Field(default=None, min_length=1, max_length=200)

    @field_validator("use", mode="before")
    @classmethod
    def off_is_a_word(cls, value: Any) -> Any:
        """YAML reads a bare off as false."""
        return "off" if value is False else value

    @field_validator("rules", mode="before")
    @classmethod
    def rules_can_be_read(cls, value: Any) -> Any:
        """RuleError names each rule by its number and the place in its condition."""
        return rules_of(value) if isinstance(value, list) else value

    @field_validator("broader")
    @classmethod
    def no_circle(cls, broader: dict[str, str]) -> dict[str, str]:
        check_hierarchy(broader)
        return broader

    @field_validator("order")
    @classmethod
    def labels_differ(cls, order: list[str]) -> list[str]:
        if len(set(order)) < len(order):
            raise ValueError("names the same label twice")
        return order

    @field_serializer("rules")
    def without_defaults(self, rules: list[Rule]) -> list[dict[str, Any]]:
        return [rule.model_dump(exclude_defaults=True) for rule in rules]

    @property
    def has_content(self) -> bool:
        return bool(self.rules or self.broader or self.order or self.concepts)

    @property
    def in_training(self) -> bool:
        return self.use in ("training", "both")

    @property
    def at_prediction(self) -> bool:
        return self.use in ("prediction", "both")
