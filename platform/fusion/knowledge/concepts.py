"""What a discipline means by a label, in words. Several disciplines may define one label; their
definitions stay apart.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from fusion.knowledge.rules import Label


class Concept(BaseModel):
    """label: the one that it defines, by default the one of its own name."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    name: Label
    label: str = Field(default="", max_length=500)
    discipline: str = Field(default="", max_length=4)
    definition: str = Field(min_length=1, max_length=20_000)

    @property
    def of(self) -> str:
        return self.label or self.name


def defined(written: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Of concepts as a study writes them, those with a definition, as a recipe writes them."""
    return [
        {name: str(one[name]) for name in Concept.model_fields if one.get(name)}
        for one in written
        if one.get("name") and one.get("definition")
    ]
