"""Starting a run: a form and a text that are two views of one recipe."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from apps.datasets.models import Alignment
from apps.experiments import queries, services
from apps.experiments.models import Run
from apps.experiments.recipe import alignment_facts, estimates, preflight
from apps.experiments.recipe.forms import RunForm, YamlForm, initial_of
from apps.experiments.report import sections
from apps.experiments.words import duration
from apps.projects.models import Project
from apps.projects.pages import project_page
from apps.ui import learning_tasks
from fusion.encoders import catalogue
from fusion.schema.recipe import Recipe, presets

FEW_CLUSTERS = 12


@dataclass
class Start:
    """Where a new run begins: an alignment and, for a clone, the run that it comes from."""

    project: Project
    frozen: list[Alignment]
    alignment: Alignment | None
    parent: Run | None
    params: Any

    @classmethod
    def of(cls, request: HttpRequest, project: Project) -> "Start":
        params = request.POST if request.method == "POST" else request.GET
        frozen = list(alignment_facts.frozen(project))
        number = params.get("from", "")
        parent = (
            queries.find(project, int(number)) if number.isdecimal() and len(number) < 9 else None
        )
        wanted = params.get("alignment") or (str(parent.alignment.number) if parent else "")
        chosen = next(
            (one for one in frozen if str(one.number) == wanted), frozen[0] if frozen else None
        )
        return cls(project, frozen, chosen, parent, params)

    @property
    def preset(self) -> str:
        known = {*presets(), *(["parent"] if self.parent else [])}
        given = self.params.get("preset", "")
        return given if given in known else "parent" if self.parent else "standard"

    def recipe(self) -> Recipe:
        if self.preset == "parent" and self.parent:
            return Recipe.stored(self.parent.recipe)
        return presets()[self.preset]

    def question(self) -> str:
        return self.params.get("question", self.parent.question if self.parent else "")

    def fitting(self) -> Recipe:
        """The recipe without what the chosen alignment does not have."""
        recipe, names = (
            self.recipe(),
            {one.name for one in alignment_facts.inputs(self.alignment)}
            if self.alignment
            else set(),
        )
        kept = (
            [name for name in recipe.modalities if name in names]
            if recipe.modalities is not None
            else None
        )
        return recipe.model_copy(
            update={
                "modalities": kept or None,
                "encoders": {n: e for n, e in recipe.encoders.items() if n in names},
            }
        )


@project_page("contribute")
def new_run(request: HttpRequest, project: Project) -> HttpResponseBase:
    start = Start.of(request, project)
    if start.alignment is None:
        return render(
            request,
            "experiments/new.html",
            {"project": project, "start": start, "drafts": drafts(project)},
        )
    do = (
        (request.GET.get("do") or request.POST.get("do", "start"))
        if request.method == "POST"
        else "show"
    )
    if do in ("show", "fill"):
        return show(request, start, fresh_form(start))
    form = bound(request, start)
    valid = form.is_valid()
    if do == "form" and valid:
        return show(request, start, fresh_form(start, form.recipe))
    if do == "yaml" and valid:
        return show(request, start, yaml_form(start, form.recipe))
    if do == "start" and valid:
        return begin(request, start, form)
    return show(request, start, form, 200 if valid or do == "preview" else 422)


def drafts(project: Project) -> int:
    return Alignment.objects.filter(project=project).exclude(state=Alignment.State.FROZEN).count()


def fresh_form(start: Start, recipe: Recipe | None = None) -> RunForm:
    assert start.alignment is not None
    initial = initial_of(recipe or start.fitting(), start.alignment, catalogue.default)
    return RunForm(
        start.alignment, initial=initial | {"question": start.question(), "preset": start.preset}
    )


def yaml_form(start: Start, recipe: Recipe | None) -> YamlForm:
    assert start.alignment is not None
    return YamlForm(
        start.alignment,
        initial={"question": start.question(), "yaml": (recipe or start.fitting()).to_yaml()},
    )


def bound(request: HttpRequest, start: Start) -> RunForm | YamlForm:
    assert start.alignment is not None
    return (YamlForm if "yaml" in request.POST else RunForm)(start.alignment, request.POST)


def begin(request: HttpRequest, start: Start, form: RunForm | YamlForm) -> HttpResponse:
    assert start.alignment is not None
    assert form.recipe is not None
    try:
        run = services.start_run(
            request.user,
            start.project,
            start.alignment,
            form.recipe,
            form.cleaned_data["question"],
            start.parent,
        )
    except ValidationError as error:
        form.add_error(None, error.messages)
        return show(request, start, form, 422)
    return redirect(run)


def show(
    request: HttpRequest, start: Start, form: RunForm | YamlForm, status: int = 200
) -> HttpResponse:
    context = {
        "project": start.project, "start": start, "form": form, "yaml": isinstance(form, YamlForm),
        "cards": preset_cards(start), "summary": summary(start, form),
    }  # fmt: skip
    return render(request, "experiments/new.html", context, status=status)


def preset_cards(start: Start) -> list[dict[str, Any]]:
    assert start.alignment is not None
    past = queries.past(start.project)
    words = {
        "quick": (_("Quick check"), _("One seed, few epochs. Is the data sound?")),
        "standard": (_("Standard"), _("Three seeds, all methods, full report.")),
        "search": (
            _("Thorough search"),
            _("Tries how each input is read and every way to join them; reports it all."),
        ),
    }
    cards = [
        {
            "value": code,
            "title": title,
            "text": text,
            "note": about(estimates.estimate(start.alignment, presets()[code], past)),
        }
        for code, (title, text) in words.items()
    ]
    if start.parent:
        note = about(
            estimates.estimate(
                start.alignment,
                Start.fitting(start)
                if start.preset == "parent"
                else Recipe.stored(start.parent.recipe),
                past,
            )
        )
        title = _("From run %(n)d") % {"n": start.parent.number}
        cards.append({"value": "parent", "title": title, "text": start.parent.title, "note": note})
    return cards


def about(estimate: estimates.Estimate) -> str:
    return _("about %(low)s to %(high)s") % {
        "low": duration(estimate.low),
        "high": duration(estimate.high),
    }


def summary(start: Start, form: RunForm | YamlForm) -> dict[str, Any]:
    """The right side: what will be used, how long it may take, what differs from the parent."""
    assert start.alignment is not None
    recipe = start.fitting()
    if form.is_bound:  # a question that is not written yet changes no estimate
        recipe = None if set(form.errors) - {"question"} else form.recipe
    alignment = start.alignment
    found: dict[str, Any] = {
        "recipe": recipe, "rows": facts(alignment, recipe), "split": alignment_facts.split_words(alignment), "ready": readiness(alignment, recipe),
    }  # fmt: skip
    if recipe is None:
        return found
    estimate = estimates.estimate(start.alignment, recipe, queries.past(start.project))
    found |= {"estimate": estimate, "low": duration(estimate.low), "high": duration(estimate.high)}
    found["rows"].append((_("Memory"), memory(estimate)))
    if start.parent:
        before = alignment_facts.complete(
            start.parent.alignment, Recipe.stored(start.parent.recipe)
        )
        now = alignment_facts.complete(start.alignment, recipe)
        found["differs"] = sections.differences(
            before.model_dump(mode="json"), now.model_dump(mode="json")
        )
    return found


def facts(alignment: Alignment, recipe: Recipe | None) -> list[tuple[str, str]]:
    summary, rounds = alignment.summary, alignment_facts.rounds(alignment)
    rows = [(_("Samples used"), f"{alignment_facts.usable(alignment):,}")]
    rows += [
        (reason_words(reason), f"{n:,}") for reason, n in summary.get("left_out", {}).items() if n
    ]
    complete = next(
        (
            one["count"]
            for one in summary.get("patterns", [])
            if len(one["present"]) == len(summary.get("modalities", {}))
        ),
        0,
    )
    rows += [
        (_("With all inputs"), f"{complete:,}"),
        (_("Kind of answer"), learning_tasks.title(alignment_facts.task(alignment))),
        *([(_("Labels"), f"{len(summary['labels']):,}")] if summary.get("labels") else []),
        (_("Folds"), f"{len(rounds):,}"),
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
        "duplicate": _("Left out as duplicates"), "no label": _("Left out, no label"), "no group": _("Left out, no group"), "no modality": _("Left out, no input"),
    }  # fmt: skip
    return words.get(reason, reason)


def readiness(alignment: Alignment, recipe: Recipe | None) -> list[dict[str, str]]:
    """What a person should know before the start, in sentences; nothing here stops anybody."""
    rows = [
        ready(
            True,
            _("Alignment frozen, %(split)s") % {"split": alignment_facts.split_words(alignment)},
        )
    ]
    for one in alignment_facts.inputs(alignment):
        if recipe is None or (recipe.modalities is not None and one.name not in recipe.modalities):
            continue
        lacking = [
            e.title
            for name in estimates.encoders_of(recipe, one.name, one.kind)
            if (e := catalogue.get(name)) and not e.installed
        ]
        if lacking:
            rows.append(
                ready(
                    False,
                    _("%(encoder)s is not installed on this server")
                    % {"encoder": ", ".join(lacking)},
                )
            )
    if all(row["icon"] == "check" for row in rows):
        rows.append(ready(True, _("Encoders are present")))
    clusters = alignment.summary.get("clusters", {})
    if 0 < clusters.get("count", 0) < FEW_CLUSTERS:
        rows.append(
            ready(
                False,
                _("Only %(n)d clusters: intervals will be too narrow") % {"n": clusters["count"]},
            )
        )
    return rows


def ready(good: bool, text: str) -> dict[str, str]:
    return {
        "icon": "check" if good else "triangle-alert",
        "look": "ok" if good else "warn",
        "text": text,
    }
