"""The beginning of a new run: an alignment, a recipe to start from, perhaps a run to clone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from apps.datasets.models import Alignment
from apps.experiments import queries
from apps.experiments.models import Run
from apps.experiments.recipe import alignment_facts, estimates
from apps.experiments.recipe.forms import RunForm, YamlForm, initial_of
from apps.experiments.words import duration
from apps.projects.models import Project
from fusion.encoders import catalogue
from fusion.schema.recipe import Recipe, presets

PARENT = "parent"
"""The preset that is the recipe of the cloned run."""


@dataclass
class Start:
    """The choices before the form; `parent` is the run that a clone comes from."""

    project: Project
    frozen: list[Alignment]
    alignment: Alignment
    parent: Run | None
    params: Mapping[str, str]

    @property
    def preset(self) -> str:
        known = {*presets(), *([PARENT] if self.parent else [])}
        chosen = self.params.get("preset", "")
        return chosen if chosen in known else PARENT if self.parent else "standard"

    @property
    def question(self) -> str:
        return self.params.get("question", self.parent.question if self.parent else "")

    def recipe(self) -> Recipe:
        """The preset without what the chosen alignment does not have."""
        if self.preset == PARENT and self.parent:
            recipe = Recipe.stored(self.parent.recipe)
        else:
            recipe = presets()[self.preset]
        names = {modality.name for modality in alignment_facts.inputs(self.alignment)}
        used = [name for name in recipe.modalities or [] if name in names]
        encoders = {name: chosen for name, chosen in recipe.encoders.items() if name in names}
        return recipe.model_copy(update={"modalities": used or None, "encoders": encoders})

    def form(self, recipe: Recipe | None = None) -> RunForm:
        initial = initial_of(recipe or self.recipe(), self.alignment, catalogue.default)
        fields = {"question": self.question, "preset": self.preset}
        return RunForm(self.alignment, initial=initial | fields)

    def yaml_form(self, recipe: Recipe | None = None) -> YamlForm:
        text = (recipe or self.recipe()).to_yaml()
        return YamlForm(self.alignment, initial={"question": self.question, "yaml": text})

    def bound_form(self) -> RunForm | YamlForm:
        form = YamlForm if "yaml" in self.params else RunForm
        return form(self.alignment, self.params)


def start_of(project: Project, params: Mapping[str, str]) -> Start | None:
    """The choices that an address or a form names; None without a frozen alignment. Raises
    Http404.
    """
    frozen = queries.frozen_alignments(project)
    if not frozen:
        return None
    number = params.get("from", "")
    parent = queries.find(project, int(number)) if queries.is_number(number) else None
    wanted = params.get("alignment") or (str(parent.alignment.number) if parent else "")
    chosen = next((row for row in frozen if str(row.number) == wanted), frozen[0])
    return Start(project, frozen, chosen, parent, params)


def preset_cards(start: Start) -> list[dict[str, Any]]:
    words = {
        "quick": (_("Quick check"), _("One seed, few epochs. Is the data sound?")),
        "standard": (_("Standard"), _("Three seeds, all methods, full report.")),
        "search": (
            _("Thorough search"),
            _("Tries how each input is read and every way to join them; reports it all."),
        ),
    }
    past = queries.past(start.project)

    def card(value: str, title: str, text: str, recipe: Recipe) -> dict[str, Any]:
        note = about(estimates.estimate(start.alignment, recipe, past))
        return {"value": value, "title": title, "text": text, "note": note}

    cards = [card(code, title, text, presets()[code]) for code, (title, text) in words.items()]
    if start.parent:
        title = _("From run %(n)d") % {"n": start.parent.number}
        chosen = start.preset == PARENT
        recipe = start.recipe() if chosen else Recipe.stored(start.parent.recipe)
        cards.append(card(PARENT, title, start.parent.title, recipe))
    return cards


def about(estimate: estimates.Estimate) -> str:
    return _("about %(low)s to %(high)s") % {
        "low": duration(estimate.low),
        "high": duration(estimate.high),
    }
