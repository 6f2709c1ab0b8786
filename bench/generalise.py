"""The default recipe on people it has not met: one speaker left out, two of four left out in all
six ways, and inputs with noise.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np

from fusion.core.progress import Progress
from fusion.data.alignment import Aligned, Split
from fusion.data.study import Study
from fusion.data.study_columns import align
from fusion.encoders.cache import Cache
from fusion.encoders.embedding import contents
from fusion.evaluation.compare import Answered, read
from fusion.pipeline.run import PREDICTIONS, train
from fusion.schema.intervals import Interval
from fusion.schema.noise_levels import LEVELS
from fusion.schema.recipe import Recipe
from fusion.schema.result import EvaluationResult
from fusion.tasks.bootstrap import Resampler, interval
from fusion.tasks.label_scores import LabelScores

from .engine import interval as shown
from .rows import Place, Row
from .study import study_of

WITHIN = 0.06
FEW_WAYS = 2
"""On the cut of the demo study, which shows only that it works."""


def measure(place: Place) -> list[Row]:
    aligned = align(Study.load(study_of(place)))
    cache = Cache(place.folder / "embeddings")
    loo, _ = judged(aligned, Recipe.default(), cache)
    group, ways = halves(aligned)
    answers = []
    for half in ways[: FEW_WAYS if place.small else None]:
        fixed = ["train" if value in half else "test" for value in aligned.groups[group]]
        result, answered = judged(
            replace(aligned, split=Split(policy="fixed", column=group), fixed=fixed),
            Recipe.default(),
            cache,
        )
        answers.append((f"trained on {' and '.join(half)}", result, answered))
    two_out = mean_of([answered for _, _, answered in answers])
    one_out = loo.headline.score
    rows = [Row(f"macro-F1, one {group} left out", shown(one_out.model_dump()))]
    rows += [
        Row(f"  {words}", shown(result.headline.score.model_dump())) for words, result, _ in answers
    ]
    rows.append(
        Row(
            f"macro-F1, half of {group} left out, mean of {len(answers)} ways",
            shown(two_out.model_dump()),
        )
    )
    lost = one_out.value - two_out.value
    rows.append(
        Row(
            "  less than with one left out",
            f"{lost:.3f}",
            f"at most {WITHIN:.3f}",
            None if place.small else lost <= WITHIN,
        )
    )
    return [*rows, *noise(aligned, cache)]


def judged(aligned: Aligned, recipe: Recipe, cache: Cache) -> tuple[EvaluationResult, Answered]:
    with tempfile.TemporaryDirectory() as out:
        result = train(aligned, recipe, Path(out), cache, Progress())
        return result, read(Path(out) / PREDICTIONS, "")


def halves(aligned: Aligned) -> tuple[str, list[tuple[str, ...]]]:
    """The group column with the fewest values, and every way to train on half of them."""
    group = min(aligned.groups, key=lambda name: len(set(aligned.groups[name])))
    values = sorted({str(value) for value in aligned.groups[group] if value is not None})
    return group, list(combinations(values, len(values) // 2))


def mean_of(ways: Sequence[Answered]) -> Interval:
    """The mean macro-F1 over the ways, each on its own test samples, all in the same draws over
    clusters.
    """
    truth = {key: label for way in ways for key, label in zip(way.keys, way.truth)}
    cluster = {key: name for way in ways for key, name in zip(way.keys, way.cluster or way.keys)}
    keys, labels = sorted(truth), sorted({label for way in ways for label in way.labels})
    place = {key: at for at, key in enumerate(keys)}
    y = np.array([labels.index(truth[key]) for key in keys])
    resampler = Resampler(np.array([cluster[key] for key in keys]), 1000)
    draws = []
    for way in ways:
        at = np.array([place[key] for key in sorted(way.keys)])
        p = np.zeros((len(way.probabilities), len(keys), len(labels)))
        p[:, at] = way.by_key(labels)
        chosen = np.zeros(len(keys), bool)
        chosen[at] = True
        draws.append(LabelScores(resampler, y, p, chosen).draws("macro_f1"))
    return interval(np.mean(draws, axis=0))


def noise(aligned: Aligned, cache: Cache) -> list[Row]:
    """How many contents the encoders read for every level of noise: each once, and none when the
    cache knows them.
    """
    recipe = Recipe.parse(
        {"training": {"seeds": [0], "epochs": 5, "inner_folds": 1}, "evaluation": {"noise": True}}
    )
    first, again = (judged(aligned, recipe, cache)[0] for _ in range(2))
    cells = {name: len(contents(one)) for name, one in aligned.modalities.items()}
    used = {name: len(parts) for name, parts in first.environment["encoders"].items()}
    bar = sum(
        n * used[name] * len(LEVELS[aligned.modalities[name].kind]) for name, n in cells.items()
    )
    read_first, read_again = (
        result.environment["noise embedded"]["computed"] for result in (first, again)
    )
    rows = [
        Row(
            "contents read for every level of noise",
            f"{read_first:,}",
            f"at most {bar:,}, one pass a level",
            read_first <= bar,
        )
    ]
    rows.append(Row("  with the cache that this left", f"{read_again:,}", "0", read_again == 0))
    for one in first.noise:
        rows += [
            Row(
                f"  {one.modality}, {level.level}",
                f"{shown(level.model_dump())}, {level.change.value:+.3f}",
            )
            for level in one.levels
        ]
    return rows
