"""The settings of a recipe one by one, as pages show and compare them."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.experiments.recipe import encoder_choices, finetune_fields
from apps.experiments.words import list_in_words
from fusion.schema.recipe import EncoderChoice, Recipe

TEXTS = ("title", "description")
"""What is written for people and decides nothing."""


@dataclass(frozen=True)
class Setting:
    name: str
    value: str
    default: str
    differs: bool


@dataclass(frozen=True)
class SettingDifference:
    name: str
    old: str
    new: str


def settings_of(recipe: dict[str, Any]) -> list[Setting]:
    """Every setting of the recipe, those that differ from the standard recipe first."""
    values, standard = flat(recipe), flat(Recipe.default().model_dump(mode="json"))
    rows = [
        Setting(name, shown(value), shown(standard.get(name)), value != standard.get(name))
        for name, value in values.items()
        if name not in (*TEXTS, "schema_version")
    ]
    return sorted(rows, key=lambda row: not row.differs)


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[SettingDifference]:
    """Settings in which two recipes differ."""
    before, after = flat(old), flat(new)
    return [
        SettingDifference(name, shown(before.get(name)), shown(after.get(name)))
        for name in dict.fromkeys([*before, *after])
        if name not in TEXTS and before.get(name) != after.get(name)
    ]


def flat(data: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Settings by path, as `training.epochs`; lists stay whole."""
    settings: dict[str, Any] = {}
    for name, value in data.items():
        if isinstance(value, dict) and value:
            settings |= flat(value, f"{prefix}{name}.")
        else:
            settings[f"{prefix}{name}"] = value
    return settings


def shown(value: Any) -> str:
    if value is None or value in ([], {}):
        return _("default")
    if isinstance(value, bool):
        return _("on") if value else _("off")
    if isinstance(value, list):
        return ", ".join(_options(item) if isinstance(item, dict) else str(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(
            f"{name} {shown(item)}" for name, item in value.items() if item is not None
        )
    return f"{value:g}" if isinstance(value, float) else str(value)


def _options(encoder: dict[str, Any]) -> str:
    options = [
        f"{name} {shown(value)}"
        for name, value in encoder.items()
        if name != "name" and value not in (None, "frozen", False)
    ]
    name = str(encoder.get("name", ""))
    return f"{name} ({'; '.join(options)})" if options else name


def encoder_in_words(choice: dict[str, Any]) -> str:
    """`EfficientNet-Lite0, layers 7 and 10, pooled: mean`."""
    parts = [encoder_choices.called(choice["name"])]
    if layers := choice.get("layers"):
        words = ngettext("layer %(layers)s", "layers %(layers)s", len(layers))
        parts.append(words % {"layers": list_in_words([str(layer) for layer in layers])})
    if pooling := choice.get("pooling"):
        parts.append(_("pooled: %(pooling)s") % {"pooling": pooling})
    if grid := choice.get("grid"):
        sides = list_in_words([str(side) for side in grid])
        parts.append(_("grid %(sides)s") % {"sides": sides})
    if resolution := choice.get("resolution"):
        parts.append(_("%(n)s pixels") % {"n": resolution})
    stored = EncoderChoice.model_validate(choice, context={"stored": True})
    if trained := finetune_fields.in_words(stored):
        parts.append(trained)
    return _(", ").join(parts)
