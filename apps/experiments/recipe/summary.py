"""The card "Before you start": what a run will use, how long it may take, what differs from the run
that it comes from.
"""

from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from apps.datasets.models import Alignment
from apps.experiments import queries
from apps.experiments.recipe import alignment_facts, estimates, preflight
from apps.experiments.recipe.forms import RunForm, YamlForm
from apps.experiments.recipe.recipe_settings import SettingDifference, differences
from apps.experiments.recipe.run_start import Start
from apps.experiments.words import duration
from apps.ui import learning_tasks
from fusion.encoders import catalogue
from fusion.schema.recipe import Recipe

FEW_CLUSTERS = 12


@dataclass(frozen=True)
class Readiness:
    """A sentence that a person should read before the start; it stops nobody."""

    good: bool
    text: str

    @property
    def icon(self) -> str:
        return "check" if self.good else "triangle-alert"

    @property
    def look(self) -> str:
        return "ok" if self.good else "warn"


@dataclass
class Summary:
    """`recipe` is None while a field of the form is wrong; there is no estimate then."""

    recipe: Recipe | None
    rows: list[tuple[str, str]]
    split: str
    ready: list[Readiness]
    estimate: estimates.Estimate | None = None
    differs: list[SettingDifference] = field(default_factory=list)

    @property
    def low(self) -> str:
        return duration(self.estimate.low) if self.estimate else ""

    @property
    def high(self) -> str:
        return duration(self.estimate.high) if self.estimate else ""


def summary(start: Start, form: RunForm | YamlForm) -> Summary:
    alignment, recipe = start.alignment, recipe_of(start, form)
    card = Summary(
        recipe,
        facts(alignment, recipe),
        alignment_facts.split_words(alignment),
        readiness(alignment, recipe),
    )
    if recipe is None:
        return card
    card.estimate = estimates.estimate(alignment, recipe, queries.past(start.project))
    card.rows.append((_("Memory"), memory(card.estimate)))
    if start.parent:
        before = alignment_facts.complete(
            start.parent.alignment, Recipe.stored(start.parent.recipe)
        )
        now = alignment_facts.complete(alignment, recipe)
        card.differs = differences(before.model_dump(mode="json"), now.model_dump(mode="json"))
    return card


def recipe_of(start: Start, form: RunForm | YamlForm) -> Recipe | None:
    """The recipe of the form; a question that is not written yet changes no estimate."""
    if not form.is_bound:
        return start.recipe()
    return None if set(form.errors) - {"question"} else form.recipe


def facts(alignment: Alignment, recipe: Recipe | None) -> list[tuple[str, str]]:
    summary = alignment.summary
    n_modalities, labels = len(summary.get("modalities", {})), summary.get("labels")
    left_out = summary.get("left_out", {})
    complete = [
        pattern["count"]
        for pattern in summary.get("patterns", [])
        if len(pattern["present"]) == n_modalities
    ]
    rows = [
        (_("Samples used"), f"{alignment_facts.usable(alignment):,}"),
        *((reason_words(reason), f"{n:,}") for reason, n in left_out.items() if n),
        (_("With all inputs"), f"{complete[0] if complete else 0:,}"),
        (_("Kind of answer"), learning_tasks.title(alignment_facts.task(alignment))),
        *([(_("Labels"), f"{len(labels):,}")] if labels else []),
        (_("Folds"), f"{len(alignment_facts.folds(alignment)):,}"),
    ]
    if recipe:
        rows.append((_("Networks to train"), f"{estimates.fits(alignment, recipe):,}"))
    return rows


def memory(estimate: estimates.Estimate) -> str:
    words = {
        "low": preflight.size(estimate.memory_low),
        "high": preflight.size(estimate.memory_high),
    }
    if estimate.memory_has is None:
        return _("%(low)s to %(high)s") % words
    return _("%(low)s to %(high)s; the worker has %(has)s") % (
        words | {"has": preflight.size(estimate.memory_has)}
    )


def reason_words(reason: str) -> str:
    words = {
        "duplicate": _("Left out as duplicates"),
        "no label": _("Left out, no label"),
        "no group": _("Left out, no group"),
        "no modality": _("Left out, no input"),
    }
    return words.get(reason, reason)


def readiness(alignment: Alignment, recipe: Recipe | None) -> list[Readiness]:
    split = _("Alignment frozen, %(split)s") % {"split": alignment_facts.split_words(alignment)}
    lacking = not_installed(alignment, recipe) if recipe else []
    words = _("%(encoder)s is not installed on this server")
    rows = [Readiness(True, split)]
    rows += [Readiness(False, words % {"encoder": names}) for names in lacking]
    if not lacking:
        rows.append(Readiness(True, _("Encoders are present")))
    n_clusters = alignment.summary.get("clusters", {}).get("count", 0)
    if 0 < n_clusters < FEW_CLUSTERS:
        words = _("Only %(n)d clusters: intervals will be too narrow")
        rows.append(Readiness(False, words % {"n": n_clusters}))
    return rows


def not_installed(alignment: Alignment, recipe: Recipe) -> list[str]:
    """Titles of encoders that are not on this server, joined for each modality that uses any."""
    titles = []
    for modality in alignment_facts.inputs(alignment):
        if recipe.modalities is not None and modality.name not in recipe.modalities:
            continue
        names = estimates.encoders_of(recipe, modality.name, modality.kind)
        entries = [entry for name in names if (entry := catalogue.get(name))]
        absent = [entry.title for entry in entries if not entry.installed]
        titles += [", ".join(absent)] if absent else []
    return titles
