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
from apps.experiments.recipe import alignment_facts, encoder_choices, finetune_fields, preflight
from apps.experiments.words import method_name, method_sentence
from fusion.estimates.machine import has_bf16
from fusion.schema.methods import METHODS, QUICK
from fusion.schema.recipe import Recipe, RecipeError, Search

NUMBERS: dict[str, tuple[type[forms.Field], Any, Any]] = {
    "epochs": (
        forms.IntegerField,
        _("Epochs at most"),
        _("Times that the training sees every sample. Early stopping usually ends before."),
    ),
    "patience": (
        forms.IntegerField,
        _("Patience, in epochs"),
        _("Epochs without a better validation loss before it stops."),
    ),
    "batch_size": (
        forms.IntegerField,
        _("Batch size"),
        _("Samples in one step. Halve it where memory runs out."),
    ),
    "learning_rate": (
        forms.FloatField,
        _("Learning rate"),
        _("Size of the largest step of the one-cycle schedule."),
    ),
    "weight_decay": (
        forms.FloatField,
        _("Weight decay"),
        _("Pulls weights towards zero; more for few samples."),
    ),
    "label_smoothing": (
        forms.FloatField,
        _("Label smoothing"),
        _("Share of doubt put on every label; 0 for none."),
    ),
    "dropout": (forms.FloatField, _("Dropout"), _("Share of hidden units switched off in a step.")),
    "input_dropout": (
        forms.FloatField,
        _("Input dropout"),
        _("Share of input features switched off in a step."),
    ),
    "hidden_dim": (forms.IntegerField, _("Hidden units"), _("Width of each small network.")),
    "pca_dim": (
        forms.IntegerField,
        _("Dimensions kept"),
        _("Features after whitening; 0 keeps them as they are."),
    ),
    "modality_dropout": (
        forms.FloatField,
        _("Modality dropout"),
        _("Share of inputs hidden in training, so that the model copes when one is missing."),
    ),
    "inner_folds": (
        forms.IntegerField,
        _("Inner folds"),
        _("Rounds inside the training part that choose epochs and temperature."),
    ),
}
OPTIONS = ("layers", "pooling", "grid", "resolution", *finetune_fields.WEIGHED)


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
            "What does best inside the training samples answers; everything that was tried is reported."
        ),
    )
    minutes = forms.FloatField(
        label=_("Minutes of computing for the search"),
        required=False,
        help_text=_(
            "For training, the cheap methods first; empty for no end. What there was no time for is listed."
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
            "Where a sample has one input only, that input's own calibrated model answers. Late fusion does so anyway."
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
            "Blur, white noise, dropped words: what each costs. Every step reads the input once more."
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
        for name, (kind, label, text) in NUMBERS.items():
            self.fields[name] = kind(label=label, help_text=text)
        for one in self.inputs:
            self._input_fields(one)

    def _input_fields(self, one: alignment_facts.Input) -> None:
        named = [
            choice["name"] for choice in self.base_recipe().get("encoders", {}).get(one.name) or []
        ]
        chosen = (self.data.get(f"encoder_{one.name}") or "") if self.is_bound else ""
        named = named or [name for name in chosen.split(encoder_choices.JOIN) if name]
        self.fields[f"use_{one.name}"] = forms.BooleanField(label=one.name, required=False)
        self.fields[f"encoder_{one.name}"] = forms.ChoiceField(
            label=_("Encoder"), choices=encoder_choices.choices(one.kind, named)
        )
        self.fields[f"layers_{one.name}"] = forms.CharField(
            label=_("Layers"),
            required=False,
            help_text=_("Numbers with commas; empty for the encoder's own."),
        )
        self.fields[f"pooling_{one.name}"] = forms.ChoiceField(
            label=_("Pooling"),
            required=False,
            choices=encoder_choices.poolings(one.kind, named),
            help_text=_("How many vectors become one."),
        )
        self.fields[f"grid_{one.name}"] = forms.CharField(
            label=_("Grid"),
            required=False,
            help_text=_(
                "Cells a side of a picture, for each layer, or the number of stretches; empty for the encoder's own."
            ),
        )
        self.fields[f"resolution_{one.name}"] = forms.IntegerField(
            label=_("Resolution"),
            required=False,
            help_text=_("Pixels a side; empty for the encoder's own."),
        )
        if finetune_fields.can_be_tuned(one.kind, named):
            self.fields |= finetune_fields.fields(one.name)

    def base_recipe(self) -> dict[str, Any]:
        text = self.data.get("base") if self.is_bound else self.initial.get("base")
        try:
            found = json.loads(text or "{}")
        except ValueError:
            found = {}
        return found if isinstance(found, dict) else {}

    def clean_seeds(self) -> list[int]:
        return whole_numbers(self.cleaned_data["seeds"])

    def clean(self) -> dict[str, Any]:
        """Build the recipe when every field could be read, and let the engine judge it."""
        data = super().clean() or {}
        self.recipe: Recipe | None = None
        for one in self.inputs:
            for field in ("layers", "grid"):
                self._numbers(f"{field}_{one.name}")
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

    def _numbers(self, field: str) -> None:
        try:
            self.cleaned_data[field] = whole_numbers(self.cleaned_data.get(field) or "")
        except forms.ValidationError as error:
            self.add_error(field, error)

    def as_data(self) -> dict[str, Any]:
        data = self.cleaned_data
        used = [one for one in self.inputs if data[f"use_{one.name}"]]
        base = self.base_recipe()
        beside = tuple(METHODS) if data["search"] else QUICK if data["compare"] else ()
        compare = [code for code in beside if code != data["method"]]
        return {
            **base,
            "modalities": None if len(used) == len(self.inputs) else [one.name for one in used],
            "encoders": {one.name: self._encoders(one.name, base) for one in used},
            "precision": data["precision"] or None,
            "method": data["method"],
            "compare": compare,
            "search": self._search(base),
            "training": {
                **base.get("training", {}),
                **{name: data[name] for name in NUMBERS},
                "seeds": data["seeds"],
                "floor": data["floor"],
            },
            "evaluation": {
                **base.get("evaluation", {}),
                "draws": data["draws"],
                "degradation": data["degradation"],
                "noise": data["noise"],
            },
        }

    def _search(self, base: dict[str, Any]) -> dict[str, Any] | None:
        minutes = self.cleaned_data["minutes"]
        budget = None if minutes is None else 60 * minutes
        return (
            {**(base.get("search") or {}), "budget_seconds": budget}
            if self.cleaned_data["search"]
            else None
        )

    def _encoders(self, name: str, base: dict[str, Any]) -> list[dict[str, Any]]:
        """The chosen names with the options that the recipe had for them; the fields hold those of
        the first.
        """
        before = {one["name"]: one for one in base.get("encoders", {}).get(name) or []}
        found = [
            {**before.get(each, {}), "name": each}
            for each in self.cleaned_data[f"encoder_{name}"].split(encoder_choices.JOIN)
        ]
        for option in ("layers", "pooling", "grid", "resolution"):
            found[0][option] = self.cleaned_data[f"{option}_{name}"] or None
        if finetune_fields.field_of("tune", name) in self.fields:
            found[0] |= finetune_fields.chosen(name, self.cleaned_data)
        return found

    def field_of(self, problem: str) -> str | None:
        """`training.epochs: must be ...` belongs to `epochs`."""
        steps = problem.split(":", 1)[0].split(".")
        if steps[0] == "search":
            return "minutes" if steps[-1] == "budget_seconds" else "search"
        if steps[0] in ("training", "evaluation") and len(steps) > 1 and steps[1] in self.fields:
            return steps[1]
        if steps[0] == "encoders" and len(steps) > 3:
            name = (
                finetune_fields.field_of(steps[4], steps[1])
                if len(steps) > 4 and steps[3] == "tuning"
                else f"{steps[3]}_{steps[1]}"
            )
            return name if name in self.fields else f"encoder_{steps[1]}"
        return steps[0] if steps[0] in self.fields else None

    def rows(self) -> list[dict[str, Any]]:
        """One row a modality for the template."""
        return [
            {
                "input": one, "use": self[f"use_{one.name}"], "encoder": self[f"encoder_{one.name}"],
                "entries": encoder_choices.describe(str(self[f"encoder_{one.name}"].value() or "")),
                "options": [self[f"{option}_{one.name}"] for option in OPTIONS if f"{option}_{one.name}" in self.fields],
                **self._tuning_row(one.name),
            }
            for one in self.inputs
        ]  # fmt: skip

    def _tuning_row(self, name: str) -> dict[str, Any]:
        """Nothing for a modality whose encoders have no weights."""
        if finetune_fields.field_of("tune", name) not in self.fields:
            return {}
        names = [
            finetune_fields.field_of(option, name)
            for option in (*finetune_fields.NUMBERS, finetune_fields.CHECKPOINTING)
        ]
        return {
            "tune": self[finetune_fields.field_of("tune", name)], "ways": list(finetune_fields.WAYS.values()), "tuning": [self[each] for each in names],
            "tuning_errors": self.is_bound and any(each in self.errors for each in names),
        }  # fmt: skip

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
    """As a person would write it; what stands there for a recipe without a search is what a search
    would begin with.
    """
    seconds = (recipe.search or Search()).budget_seconds
    return "" if seconds is None else f"{seconds / 60:g}"


def initial_of(
    recipe: Recipe, alignment: Alignment, default: Callable[[str], tuple[str, ...]]
) -> dict[str, Any]:
    """What the fields show for a recipe."""
    data = recipe.model_dump(mode="json")
    found: dict[str, Any] = {
        "base": json.dumps(data), "precision": recipe.precision or "", "method": recipe.method, "compare": bool(recipe.compare), "search": recipe.search is not None, "minutes": minutes_of(recipe),
        "seeds": ", ".join(str(seed) for seed in recipe.training.seeds), **{name: data["training"][name] for name in NUMBERS},
        "floor": recipe.training.floor, **data["evaluation"],
    }  # fmt: skip
    for one in alignment_facts.inputs(alignment):
        chosen = data["encoders"].get(one.name) or [{"name": name} for name in default(one.kind)]
        found[f"use_{one.name}"] = recipe.modalities is None or one.name in recipe.modalities
        found[f"encoder_{one.name}"] = encoder_choices.JOIN.join(
            choice["name"] for choice in chosen
        )
        for option in ("layers", "grid"):
            found[f"{option}_{one.name}"] = ", ".join(str(n) for n in chosen[0].get(option) or [])
        for option in ("pooling", "resolution"):
            found[f"{option}_{one.name}"] = chosen[0].get(option) or ""
        found |= finetune_fields.initial(one.name, chosen[0])
    return found


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
        if found := preflight.problems(self.alignment, recipe):
            raise forms.ValidationError([text for texts in found.values() for text in texts])
        self.recipe = recipe
        return text
