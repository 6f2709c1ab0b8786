"""The form that makes a recipe. A recipe's own rules are checked by fusion.schema.recipe; here its
problems find their fields.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.datasets.models import Alignment
from apps.experiments.recipe import (
    alignment_facts,
    encoder_choices,
    modality_fields,
    preflight,
)
from apps.experiments.recipe.training_fields import NUMBERS
from apps.experiments.words import method_name, method_sentence
from fusion.estimates.machine import has_bf16
from fusion.schema.methods import METHODS, QUICK
from fusion.schema.recipe import Recipe, RecipeError, Search


class RenameForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=120,
        required=False,
        help_text=_("Empty: called after its method and inputs."),
    )
    question = forms.CharField(label=_("Question that it answers"), max_length=200, required=False)


class RunForm(forms.Form):
    """Fields for one alignment. `base` holds the recipe that the form started from: what no field
    shows stays as it was.
    """

    question = forms.CharField(
        label=_("Question this run answers"),
        max_length=200,
        help_text=_("One sentence that a colleague of another field understands."),
    )
    base = forms.CharField(widget=forms.HiddenInput, required=False)
    preset = forms.CharField(widget=forms.HiddenInput, required=False)
    method = forms.ChoiceField(
        label=_("How they are joined"),
        choices=lambda: [(code, method_name(code)) for code in METHODS],
    )
    compare = forms.BooleanField(
        label=_("Train the other methods beside it"),
        required=False,
        help_text=_("For comparison; every run always reports each modality alone."),
    )
    search = forms.BooleanField(
        label=_("Search: try every method, and how each input is read"),
        required=False,
        help_text=_(
            "What does best inside the training samples answers; everything that was tried is "
            "reported."
        ),
    )
    minutes = forms.FloatField(
        label=_("Minutes of computing for the search"),
        required=False,
        help_text=_(
            "For training, the cheap methods first; empty for no end. What there was no time for "
            "is listed."
        ),
    )
    seeds = forms.CharField(
        label=_("Seeds"),
        help_text=_("Whole numbers with commas. More seeds, steadier figures, longer training."),
    )
    draws = forms.IntegerField(
        label=_("Bootstrap draws"), help_text=_("For the 95 % intervals; 1,000 is usual.")
    )
    floor = forms.BooleanField(
        label=_("Never worse than a single input"),
        required=False,
        help_text=_(
            "Where a sample has one input only, that input's own calibrated model answers. Late "
            "fusion does so anyway."
        ),
    )
    degradation = forms.BooleanField(
        label=_("Take inputs away step by step"),
        required=False,
        help_text=_("The curves of what happens when an input is missing."),
    )
    noise = forms.BooleanField(
        label=_("Make inputs worse step by step"),
        required=False,
        help_text=_(
            "Blur, white noise, dropped words: what each costs. Every step reads the input once "
            "more."
        ),
    )

    precision = forms.ChoiceField(
        label=_("Precision of frozen encoders"),
        required=False,
        choices=[
            ("", _("The usual of this machine")),
            ("fp32", _("float32, exact")),
            ("bf16", _("bfloat16, about twice as fast")),
        ],
    )

    def __init__(self, alignment: Alignment, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["precision"].help_text = (
            _("This machine computes bfloat16 quickly; figures stay within their intervals.")
            if has_bf16()
            else _("This machine has no bfloat16 of its own: it would be slow.")
        )
        self.alignment = alignment
        self.inputs = alignment_facts.inputs(alignment)
        self.recipe: Recipe | None = None
        for name, (field, label, text) in NUMBERS.items():
            self.fields[name] = field(label=label, help_text=text)
        for modality in self.inputs:
            encoders = self._encoders_of(modality.name)
            self.fields |= modality_fields.fields(modality.name, modality.kind, encoders)

    def _encoders_of(self, name: str) -> list[str]:
        """Codes of the encoders that the recipe or, without it, the field names."""
        encoders = self.base_recipe().get("encoders", {}).get(name) or []
        value = (self.data.get(f"encoder_{name}") or "") if self.is_bound else ""
        return [encoder["name"] for encoder in encoders] or [
            code for code in value.split(encoder_choices.JOIN) if code
        ]

    def base_recipe(self) -> dict[str, Any]:
        text = self.data.get("base") if self.is_bound else self.initial.get("base")
        try:
            recipe = json.loads(text or "{}")
        except ValueError:
            return {}
        return recipe if isinstance(recipe, dict) else {}

    def clean_seeds(self) -> list[int]:
        return whole_numbers(self.cleaned_data["seeds"])

    def clean(self) -> dict[str, Any]:
        """Build the recipe when every field could be read, and let the engine judge it."""
        data = super().clean() or {}
        self.recipe = None
        for modality in self.inputs:
            for option in modality_fields.LISTS:
                self._clean_numbers(f"{option}_{modality.name}")
        if set(self.errors) - {"question"}:
            return data
        try:
            self.recipe = Recipe.parse(self.as_data())
        except RecipeError as error:
            for problem in error.problems:
                self.add_error(self.field_of(problem), problem)
        else:
            for field, texts in preflight.problems(self.alignment, self.recipe).items():
                self.add_error(field if field in self.fields else None, texts)
        return data

    def _clean_numbers(self, field: str) -> None:
        try:
            self.cleaned_data[field] = whole_numbers(self.cleaned_data.get(field) or "")
        except forms.ValidationError as error:
            self.add_error(field, error)

    def as_data(self) -> dict[str, Any]:
        data, base = self.cleaned_data, self.base_recipe()
        used = [modality.name for modality in self.inputs if data[f"use_{modality.name}"]]
        others = tuple(METHODS) if data["search"] else QUICK if data["compare"] else ()
        before = base.get("encoders", {})
        return {
            **base,
            "modalities": None if len(used) == len(self.inputs) else used,
            "encoders": {
                name: modality_fields.chosen(name, data, before.get(name) or []) for name in used
            },
            "precision": data["precision"] or None,
            "method": data["method"],
            "compare": [code for code in others if code != data["method"]],
            "search": self._search(base),
            "training": {
                **base.get("training", {}),
                **{name: data[name] for name in (*NUMBERS, "seeds", "floor")},
            },
            "evaluation": {
                **base.get("evaluation", {}),
                **{name: data[name] for name in ("draws", "degradation", "noise")},
            },
        }

    def _search(self, base: dict[str, Any]) -> dict[str, Any] | None:
        if not self.cleaned_data["search"]:
            return None
        minutes = self.cleaned_data["minutes"]
        budget = None if minutes is None else 60 * minutes
        return {**(base.get("search") or {}), "budget_seconds": budget}

    def field_of(self, problem: str) -> str | None:
        """The field of a problem: `training.epochs: must be ...` belongs to `epochs`."""
        path = problem.split(":", 1)[0].split(".")
        if path[0] == "search":
            return "minutes" if path[-1] == "budget_seconds" else "search"
        if path[0] in ("training", "evaluation") and len(path) > 1 and path[1] in self.fields:
            return path[1]
        if path[0] == "encoders" and len(path) > 3:
            return modality_fields.field_of(path, self.fields)
        return path[0] if path[0] in self.fields else None

    def rows(self) -> list[dict[str, Any]]:
        """The rows of the template, one for each modality."""
        return [modality_fields.row(self, modality) for modality in self.inputs]

    def advanced(self) -> list[Any]:
        return [self[name] for name in (*NUMBERS, "draws", "precision")]

    def advanced_errors(self) -> bool:
        return self.is_bound and any(
            name in self.errors for name in (*NUMBERS, "draws", "seeds", "precision")
        )

    def method_cards(self) -> list[dict[str, Any]]:
        return [
            {
                "value": code,
                "title": method_name(code),
                "text": method_sentence(code),
                "picture": code,
            }
            for code in METHODS
        ]


def whole_numbers(text: str) -> list[int]:
    """`0, 1, 2` or `0 1 2`."""
    parts = [part for part in re.split(r"[\s,;]+", text.strip()) if part]
    if any(not re.fullmatch(r"-?\d{1,10}", part) for part in parts):
        raise forms.ValidationError(
            _("Write whole numbers with commas between them, for instance 0, 1, 2.")
        )
    return [int(part) for part in parts]


def minutes_of(recipe: Recipe) -> str:
    """Minutes as a person writes them; without a search, those that a search would begin with."""
    seconds = (recipe.search or Search()).budget_seconds
    return "" if seconds is None else f"{seconds / 60:g}"


def initial_of(
    recipe: Recipe, alignment: Alignment, default: Callable[[str], tuple[str, ...]]
) -> dict[str, Any]:
    """Values of the fields for a recipe."""
    data = recipe.model_dump(mode="json")
    values: dict[str, Any] = {
        "base": json.dumps(data),
        "precision": recipe.precision or "",
        "method": recipe.method,
        "compare": bool(recipe.compare),
        "search": recipe.search is not None,
        "minutes": minutes_of(recipe),
        "seeds": ", ".join(str(seed) for seed in recipe.training.seeds),
        "floor": recipe.training.floor,
        **{name: data["training"][name] for name in NUMBERS},
        **data["evaluation"],
    }
    for modality in alignment_facts.inputs(alignment):
        name = modality.name
        values[f"use_{name}"] = recipe.modalities is None or name in recipe.modalities
        values |= modality_fields.initial(modality, data["encoders"].get(name) or [], default)
    return values


class YamlForm(forms.Form):
    """The same state as text."""

    question = RunForm.base_fields["question"]
    yaml = forms.CharField(
        label=_("Recipe"),
        widget=forms.Textarea(attrs={"rows": 30, "spellcheck": "false", "class": "mono"}),
        strip=False,
    )

    def __init__(self, alignment: Alignment, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.alignment = alignment
        self.recipe: Recipe | None = None

    def clean_yaml(self) -> str:
        text = self.cleaned_data["yaml"]
        try:
            recipe = Recipe.from_text(text)
        except RecipeError as error:
            raise forms.ValidationError(error.problems) from error
        if problems := preflight.problems(self.alignment, recipe):
            raise forms.ValidationError([text for texts in problems.values() for text in texts])
        self.recipe = recipe
        return text
