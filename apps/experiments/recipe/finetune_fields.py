"""Fields of the new-run form that say how an encoder is trained, and the same in
words.
"""

from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.experiments.recipe import encoder_choices
from fusion.encoders.capability_checks import unpoolable, untunable
from fusion.schema.recipe import EncoderChoice, Recipe, Tuning

WAYS: dict[str, tuple[Promise, Promise]] = {
    "frozen": (
        gettext_lazy("As it is"),
        gettext_lazy(
            "Nothing in it changes; its vectors are computed once and kept. Fastest, and best for "
            "few samples."
        ),
    ),
    "lora": (
        gettext_lazy("A few extra weights beside it (LoRA)"),
        gettext_lazy(
            "Small matrices beside its last blocks learn your subject while all that it knows "
            "stays as it was."
        ),
    ),
    "last": (
        gettext_lazy("Its last blocks"),
        gettext_lazy(
            "The last steps of its reading are trained on your samples; the first ones stay."
        ),
    ),
    "full": (
        gettext_lazy("All of it"),
        gettext_lazy(
            "Every weight that its vectors depend on is trained. Slowest, needs most memory and "
            "many samples."
        ),
    ),
}
SHORT = {
    "lora": "LoRA",
    "last": gettext_lazy("last blocks trained"),
    "full": gettext_lazy("all of it trained"),
}

NUMBERS: dict[str, tuple[type[forms.Field], Promise, Promise]] = {
    "rank": (
        forms.IntegerField,
        gettext_lazy("Rank"),
        gettext_lazy("Width of the extra matrices of LoRA."),
    ),
    "blocks": (
        forms.IntegerField,
        gettext_lazy("Blocks"),
        gettext_lazy("How many of the last ones, for LoRA and the last blocks."),
    ),
    "epochs": (
        forms.IntegerField,
        gettext_lazy("Epochs"),
        gettext_lazy("Times that the encoder sees every training sample."),
    ),
    "batch_size": (
        forms.IntegerField,
        gettext_lazy("Batch size"),
        gettext_lazy("Samples in one step."),
    ),
    "learning_rate": (
        forms.FloatField,
        gettext_lazy("Learning rate"),
        gettext_lazy("Empty for the usual one."),
    ),
    "accumulate": (
        forms.IntegerField,
        gettext_lazy("Parts of a batch"),
        gettext_lazy("Computed one after the other: more parts, less memory, the same result."),
    ),
}
CHECKPOINTING = "checkpointing"


def field_of(option: str, modality: str) -> str:
    return f"tune_{modality}" if option == "tune" else f"tuning_{option}_{modality}"


def fields(modality: str) -> dict[str, forms.Field]:
    """The fields of one modality, by name."""
    fields: dict[str, forms.Field] = {
        field_of("tune", modality): forms.ChoiceField(
            label=gettext_lazy("How it is trained"),
            choices=[(code, title) for code, (title, _text) in WAYS.items()],
        )
    }
    for name, (kind, label, text) in NUMBERS.items():
        fields[field_of(name, modality)] = kind(label=label, help_text=text, required=False)
    fields[field_of(CHECKPOINTING, modality)] = forms.BooleanField(
        label=gettext_lazy("Compute twice rather than keep"),
        help_text=gettext_lazy("Saves memory and takes half as long again; the same result."),
        required=False,
    )
    return fields


def initial(modality: str, choice: dict[str, Any]) -> dict[str, Any]:
    options = Tuning().model_dump() | (choice.get("tuning") or {})
    return {
        field_of("tune", modality): choice.get("tune", "frozen"),
        **{field_of(name, modality): value for name, value in options.items()},
    }


def chosen(modality: str, data: dict[str, Any]) -> dict[str, Any]:
    """Options of the recipe from the fields; an empty field is the usual value."""
    values = {name: data.get(field_of(name, modality)) for name in (*NUMBERS, CHECKPOINTING)}
    options = {name: value for name, value in values.items() if value is not None}
    usual = Tuning().model_dump()
    tuning = options if any(value != usual[name] for name, value in options.items()) else None
    return {"tune": data.get(field_of("tune", modality)) or "frozen", "tuning": tuning}


def can_be_tuned(kind: str, named: list[str]) -> bool:
    return any(entry.tunable for entry in encoder_choices.offered(kind, named))


def problems(recipe: Recipe) -> dict[str, list[str]]:
    """Problems with what encoders cannot do, by form field."""
    problems: dict[str, list[str]] = {}
    words = _(
        "%(encoder)s has no weights that could be trained. Leave it as it is, or choose "
        "another encoder."
    )
    for modality, _place, entry in untunable(recipe):
        text = words % {"encoder": encoder_choices.name(entry)}
        problems.setdefault(field_of("tune", modality), []).append(text)
    words = _("%(encoder)s can be pooled by %(known)s, not by %(asked)s.")
    for modality, _place, pooling, entry in unpoolable(recipe):
        names = {"encoder": encoder_choices.name(entry), "known": ", ".join(entry.poolings)}
        text = words % (names | {"asked": pooling})
        problems.setdefault(f"pooling_{modality}", []).append(text)
    return problems


def in_words(choice: EncoderChoice) -> str:
    """`LoRA on 2 blocks, 3 epochs`; empty for an encoder that stays as it is."""
    if choice.tune == "frozen":
        return ""
    epochs = _("%(n)s epochs") % {"n": choice.tuning_options.epochs}
    return _(", ").join([str(SHORT[choice.tune]), epochs])
