"""Concepts: the meaning of a label in a discipline, in words. Several disciplines may define one
label; their definitions stay apart.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from fusion.knowledge.rules import Label


class Concept(BaseModel):
    """A definition by one discipline. label: the one it defines, by default that of its name."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    name: Label
    label: str = Field(default="", max_length=500)
    discipline: str = Field(default="", max_length=4)
    definition: str = Field(min_length=1, max_length=20_000)

    @property
    def defined_label(self) -> str:
        return self.label or self.name


def defined_concepts(concepts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a study's concepts that have a definition, as a recipe writes them."""
    return [
        {name: str(concept[name]) for name in Concept.model_fields if concept.get(name)}
        for concept in concepts
        if concept.get("name") and concept.get("definition")
    ]
