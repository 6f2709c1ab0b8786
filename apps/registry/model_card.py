"""The model card: the team's words, and figures generated from the run's result. Nothing in it is
typed twice.
"""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from apps.datasets.models import Version
from apps.experiments.report.interval_scales import scale
from apps.experiments.report.overview import (
    calibration,
    contributions,
    headline,
    missing,
    subgroups,
)
from apps.experiments.report.overview.headline import Tile
from apps.experiments.words import list_in_words, method_name
from apps.registry import bundles, hooks
from apps.registry.hooks import Approval
from apps.registry.models import ModelVersion
from apps.ui import figures
from apps.ui.plots import model as ui
from fusion.schema.result import EvaluationResult


@dataclass
class ModelCard:
    version: ModelVersion
    result: EvaluationResult
    headline: str
    tiles: list[Tile]
    caption: str
    meant_for: list[str]
    not_for: list[str]
    limits: str
    approvals: list[Approval]
    data: list[Version]
    forest: ui.Forest
    missing: ui.Lines | None
    missing_words: str
    rely: ui.Bars
    rely_words: str
    reliability: ui.Reliability
    reliability_words: str
    singles: list[dict[str, Any]]
    seeds: str
    environment: list[tuple[str, str]]
    size: int | None
    commands: str


def build(version: ModelVersion) -> ModelCard:
    """Needs `version.run` whole, with its alignment; two queries for data and approvals."""
    run = version.run
    result = run.evaluation
    if result is None:
        raise ValueError("A registered run has a result.")
    kinds = {modality["name"]: modality["kind"] for modality in run.modalities}
    words = version.card
    return ModelCard(
        version=version,
        result=result,
        headline=version.model.description or _headline(result),
        tiles=headline.tiles(result),
        caption=headline.caption(result),
        meant_for=lines_of(words.get("meant_for", "")),
        not_for=lines_of(words.get("not_for", "")),
        limits=words.get("limits", ""),
        approvals=hooks.approvals_of(version),
        data=data_of(version),
        forest=whom(result),
        missing=missing.plot(result, kinds),
        missing_words=missing.words(result),
        rely=contributions.plot(result, kinds),
        rely_words=contributions.words(result),
        reliability=calibration.plot(result),
        reliability_words=calibration.words(result),
        singles=singles_of(result, kinds),
        seeds=", ".join(f"{seed.seed}: {figures.score(seed.score)}" for seed in result.seeds),
        environment=environment_of(result),
        size=bundles.size_of(version),
        commands=commands_of(version),
    )


def lines_of(text: str) -> list[str]:
    """One statement a line; a leading dash is not part of it."""
    return [line.strip().lstrip("-–•* ").strip() for line in text.splitlines() if line.strip()]


def _headline(result: EvaluationResult) -> str:
    words: dict[str, Any] = {
        "labels": len(result.labels),
        "inputs": list_in_words(result.modalities),
        "method": method_name(result.method).lower(),
    }
    sentences = {
        "ordinal": _("Tells %(labels)s labels in an order from %(inputs)s, joined by %(method)s."),
        "regression": _("Tells a number from %(inputs)s, joined by %(method)s."),
        "multi-label": _(
            "Tells which of %(labels)s labels hold from %(inputs)s, joined by %(method)s."
        ),
    }
    return (
        sentences.get(
            result.task, _("Tells %(labels)s labels apart from %(inputs)s, joined by %(method)s.")
        )
        % words
    )


def whom(result: EvaluationResult) -> ui.Forest:
    """All test samples first, then every subgroup, on one scale."""
    head = result.headline.score
    low, high = scale([head, *(group.score for group in result.subgroups)])
    everybody = ui.ForestRow(
        label=_("all test samples"),
        n=result.n_samples,
        value=head.value,
        low=head.low,
        high=head.high,
    )
    groups = subgroups.plot(result)
    return ui.Forest(
        rows=[everybody, *(groups.rows if groups else [])],
        low=low,
        high=high,
        metric=figures.metric(result.headline.metric),
        show_state=False,
        name="subgroups",
        target=head.value,
        target_label=_("all samples"),
        first_column=_("On whom"),
    )


def singles_of(result: EvaluationResult, kinds: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {"name": single.modality, "kind": kinds.get(single.modality, ""), "single": single}
        for single in result.singles
    ]


def data_of(version: ModelVersion) -> list[Version]:
    versions = version.run.alignment.versions.select_related(
        "dataset__discipline", "dataset__project"
    )
    return list(versions.order_by("dataset__name"))


def environment_of(result: EvaluationResult) -> list[tuple[str, str]]:
    """The plain facts of the result's environment; nested ones stay in the JSON."""
    return [
        (name, str(value))
        for name, value in result.environment.items()
        if isinstance(value, str | int | float) and str(value)
    ]


def commands_of(version: ModelVersion) -> str:
    name = f"{version.model.slug}-{version.number}"
    return f"unzip {name}.zip\npython -m fusion evaluate {name} YOUR_STUDY_FOLDER"


def as_json(card: ModelCard) -> dict[str, Any]:
    """Everything, for programs; the result is the engine's own form."""
    version = card.version
    return {
        "model": version.model.name,
        "version": version.number,
        "stage": version.alias or None,
        "description": card.headline,
        "meant_for": card.meant_for,
        "not_for": card.not_for,
        "limits": card.limits,
        "run": version.run.number,
        "recipe": version.run.recipe,
        "alignment": {"name": version.run.alignment.name, "digest": version.run.alignment.digest},
        "data": [_data_json(item) for item in card.data],
        "approvals": [_approval_json(item) for item in card.approvals],
        "bundle_digest": version.bundle_digest,
        "result": card.result.model_dump(mode="json"),
    }


def _data_json(version: Version) -> dict[str, Any]:
    dataset = version.dataset
    return {
        "name": dataset.name,
        "version": version.number,
        "discipline": dataset.discipline.name,
        "rows": version.n_rows,
        "licence": dataset.licence,
        "digest": version.digest,
    }


def _approval_json(approval: Approval) -> dict[str, Any]:
    return {
        "discipline": approval.discipline.name,
        "person": approval.person,
        "decision": approval.state,
        "summary": approval.summary,
        "at": approval.at.isoformat(),
        "review": approval.review,
    }
