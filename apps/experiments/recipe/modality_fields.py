"""The fields of one modality in the new-run form: whether it takes part, its encoder, how its
vectors are made.
"""

from collections.abc import Callable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.experiments.recipe import alignment_facts, encoder_choices, finetune_fields

LISTS = ("layers", "grid")
"""Options that are whole numbers with commas."""
OPTIONS = ("layers", "pooling", "grid", "resolution")


def fields(name: str, kind: str, encoders: list[str]) -> dict[str, forms.Field]:
    """The fields by name; `encoders` are those that the recipe names."""
    fields: dict[str, forms.Field] = {
        f"use_{name}": forms.BooleanField(label=name, required=False),
        f"encoder_{name}": forms.ChoiceField(
            label=_("Encoder"), choices=encoder_choices.choices(kind, encoders)
        ),
        f"layers_{name}": forms.CharField(
            label=_("Layers"),
            required=False,
            help_text=_("Numbers with commas; empty for the encoder's own."),
        ),
        f"pooling_{name}": forms.ChoiceField(
            label=_("Pooling"),
            required=False,
            choices=encoder_choices.poolings(kind, encoders),
            help_text=_("How many vectors become one."),
        ),
        f"grid_{name}": forms.CharField(
            label=_("Grid"),
            required=False,
            help_text=_(
                "Cells a side of a picture, for each layer, or the number of stretches; empty for "
                "the encoder's own."
            ),
        ),
        f"resolution_{name}": forms.IntegerField(
            label=_("Resolution"),
            required=False,
            help_text=_("Pixels a side; empty for the encoder's own."),
        ),
    }
    if finetune_fields.can_be_tuned(kind, encoders):
        fields |= finetune_fields.fields(name)
    return fields


def initial(
    modality: alignment_facts.AlignedInput,
    encoders: list[dict[str, Any]],
    default: Callable[[str], tuple[str, ...]],
) -> dict[str, Any]:
    """Values of the fields for the encoders of a recipe; `default`: kind -> its usual encoders."""
    name = modality.name
    encoders = encoders or [{"name": code} for code in default(modality.kind)]
    first = encoders[0]
    codes = encoder_choices.JOIN.join(encoder["name"] for encoder in encoders)
    values: dict[str, Any] = {f"encoder_{name}": codes}
    for option in OPTIONS:
        value = first.get(option)
        if option in LISTS:
            value = ", ".join(str(number) for number in value or [])
        values[f"{option}_{name}"] = value or ""
    return values | finetune_fields.initial(name, first)


def chosen(name: str, data: dict[str, Any], before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The chosen encoders for the recipe, with the options that it had for them; the fields hold
    those of the first.
    """
    options = {encoder["name"]: encoder for encoder in before}
    codes = data[f"encoder_{name}"].split(encoder_choices.JOIN)
    encoders = [{**options.get(code, {}), "name": code} for code in codes]
    encoders[0] |= {option: data[f"{option}_{name}"] or None for option in OPTIONS}
    if finetune_fields.field_of("tune", name) in data:
        encoders[0] |= finetune_fields.chosen(name, data)
    return encoders


def row(form: forms.Form, modality: alignment_facts.AlignedInput) -> dict[str, Any]:
    """The bound fields as the template shows them."""
    name = modality.name
    encoder = form[f"encoder_{name}"]
    options = [f"{option}_{name}" for option in OPTIONS]
    return {
        "input": modality,
        "use": form[f"use_{name}"],
        "encoder": encoder,
        "entries": encoder_choices.describe(str(encoder.value() or "")),
        "options": [form[field] for field in options],
        **tuning_row(form, name),
    }


def tuning_row(form: forms.Form, name: str) -> dict[str, Any]:
    """The bound fields of its training; nothing for a modality whose encoders have no weights."""
    tune = finetune_fields.field_of("tune", name)
    if tune not in form.fields:
        return {}
    options = (*finetune_fields.NUMBERS, finetune_fields.CHECKPOINTING)
    fields = [finetune_fields.field_of(option, name) for option in options]
    return {
        "tune": form[tune],
        "ways": list(finetune_fields.WAYS.values()),
        "tuning": [form[field] for field in fields],
        "tuning_errors": form.is_bound and any(field in form.errors for field in fields),
    }


def field_of(path: list[str], known: dict[str, forms.Field]) -> str:
    """The field of a problem of the recipe: `encoders.image.0.tuning.rank` as a list."""
    _encoders, name, *place = path
    if len(place) > 2 and place[1] == "tuning":
        field = finetune_fields.field_of(place[2], name)
    elif len(place) > 1:
        field = f"{place[1]}_{name}"
    else:
        return f"encoder_{name}"
    return field if field in known else f"encoder_{name}"
