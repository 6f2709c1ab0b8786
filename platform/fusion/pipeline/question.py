"""The question to the evaluation, from an alignment, a recipe and predictions."""

from typing import Any

from fusion.core.arrays import Ints
from fusion.data.alignment import Aligned
from fusion.evaluation.evaluate import Question
from fusion.pipeline.protocol_checks import facts_of, kinds_of_slices
from fusion.pipeline.run_plan import columns_of
from fusion.schema.recipe import Recipe
from fusion.schema.result import Split
from fusion.tasks.predictions import MethodPredictions, Scored


def question_about(
    aligned: Aligned,
    rows: Ints,
    recipe: Recipe,
    scored: Scored,
    methods: dict[str, MethodPredictions],
    split: Split,
    left_out: dict[str, int],
    **predictions: Any,
) -> Question:
    """Return the question about `rows` of the alignment. predictions: the fields of Question that
    tell what else was predicted: single modalities, baselines, the fused space, noise.
    """
    return Question(
        scored=scored,
        method=recipe.method,
        methods={name: methods[name] for name in recipe.methods},
        cluster_column=aligned.cluster,
        split=split,
        n_total=len(aligned),
        left_out=left_out,
        columns=columns_of(aligned, rows),
        draws=recipe.evaluation.draws,
        degradation=recipe.evaluation.degradation,
        modality_kinds={name: modality.kind for name, modality in aligned.modalities.items()},
        protocols=recipe.protocols,
        facts=facts_of(aligned, rows),
        kinds=kinds_of_slices(aligned),
        **predictions,
    )
