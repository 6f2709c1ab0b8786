"""Definitions of labels: where samples are few, what the words of a label share with those of
others is worth something.
"""

from itertools import product

import numpy as np
import pytest
import torch

from fusion.core.progress import Progress
from fusion.data.alignment import Aligned, Cell, Modality
from fusion.data.study_spec import StudySpec
from fusion.encoders.cache import Cache
from fusion.features.prototypes import embedded, likeness, related, relation
from fusion.knowledge.concepts import Concept, defined_concepts
from fusion.methods import build
from fusion.pipeline.bundle_files import load
from fusion.pipeline.run import train
from fusion.schema.recipe import Recipe, RecipeError

TRAITS = (
    ("striped", "spotted", "plain"),
    ("horned", "winged", "finned"),
    ("small", "large", "giant"),
)
LABELS = [" ".join(traits) for traits in product(*TRAITS)][::2]
RARE = LABELS[5]


def animals(n=14, rare=3, seed=1):
    """A label for each mixture of traits; every trait moves the numbers of a sample, so that the
    rare label is near what its words say.
    """
    dice = np.random.default_rng(seed)
    moves = {trait: dice.normal(size=14) for group in TRAITS for trait in group}
    y = [label for label in LABELS for _ in range(rare if label == RARE else n)]
    rows = [
        sum(moves[trait] for trait in label.split()) + dice.normal(scale=2.0, size=14)
        for label in y
    ]
    return Aligned(
        keys=[f"A{i:04}" for i in range(len(y))],
        labels=y,
        modalities={
            "body": Modality(
                "table",
                [Cell.numbers(row.tolist()) for row in rows],
                fields=[f"b{i}" for i in range(14)],
            )
        },
        groups={"s.site": [f"S{i % 3}" for i in range(len(y))]},
        extras={"s.day": [f"D{i % 40}" for i in range(len(y))]},
        cluster="s.day",
        knowledge={
            "concepts": [
                {"name": label, "discipline": "BI", "definition": f"a {label} animal"}
                for label in LABELS
            ]
        },
    )


def recipe(**knowledge):
    return Recipe.parse(
        {
            "encoders": {"body": [{"name": "numbers"}]},
            "knowledge": {"encoder": "tiny-text"} | knowledge,
            "training": {
                "seeds": [0],
                "epochs": 4,
                "inner_folds": 2,
                "hidden_dim": 16,
                "pca_dim": 0,
            },
            "evaluation": {"draws": 200, "degradation": False},
        }
    )


def concepts(*definitions):
    return [Concept(name=name, definition=text) for name, text in definitions]


def test_labels_of_like_words_are_alike_and_several_disciplines_count_alike():
    vectors = embedded(
        ["one two three", "one two four", "nine eight"], "tiny-text", None, Progress()
    )
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1])
    known = concepts(("a", "x"), ("b", "y"), ("c", "z"))
    similarity = likeness(vectors, known, ["a", "b", "c", "undefined"])
    assert np.diag(similarity) == pytest.approx(np.ones(4))
    assert similarity[0, 1] > similarity[0, 2]
    assert not similarity[3, :3].any()
    assert np.linalg.eigvalsh(similarity).min() > 0
    twice = likeness(vectors[[0, 0, 1, 2]], [known[0], *known], ["a", "b", "c", "undefined"])
    assert np.allclose(twice, similarity)
    assert likeness(vectors[:1], known[:1], ["a", "b"]) is None


def test_a_label_without_samples_gets_weights_by_likeness_alone():
    dice = np.random.default_rng(0)
    x, y, prior = (
        dice.normal(size=(60, 3)).astype(np.float32),
        np.arange(60) % 2,
        np.log([31 / 63, 31 / 63, 1 / 63]),
    )
    x[y == 0, 0] += 3
    alone, _ = related(x, y, prior, np.eye(3), 1.0)
    like_the_first = np.array([[1, 0, 0.5], [0, 1, 0], [0.5, 0, 1]])
    taught, bias = related(x, y, prior, like_the_first, 1.0)
    assert taught[0, 0] > 0.5
    assert taught[0, 2] > alone[0, 2] + 0.2
    assert bias == pytest.approx(prior, abs=1e-6)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("animals")
    return folder, train(animals(), recipe(), folder / "out", Cache(folder / "cache"), Progress())


def test_definitions_help_and_a_label_with_three_samples_is_told_apart_better(run, tmp_path):
    effects = [run[1].concepts]
    assert (effects[0].few, effects[0].encoder, len(effects[0].concepts)) == (
        [RARE],
        "tiny-text",
        len(LABELS),
    )
    effects += [
        train(animals(seed=seed), recipe(), tmp_path / str(seed), None, Progress()).concepts
        for seed in (2, 3)
    ]
    assert all(effect.score.change.value > 0 for effect in effects)
    assert any(effect.score.change.low > 0 for effect in effects)
    assert np.mean([effect.auroc_of_few.change.value for effect in effects]) > 0.05


def test_the_bundle_answers_without_the_definitions_being_read_again(run, monkeypatch):
    monkeypatch.setattr(
        "fusion.features.prototypes.embedded", lambda *_: pytest.fail("read once more")
    )
    bundle = load(run[0] / "out")
    assert bundle.predict({"body": {f"b{i}": 0.0 for i in range(14)}}).sum() == pytest.approx(1)
    assert len(bundle.recipe.knowledge.concepts) == len(LABELS)


def test_knowledge_that_is_off_reads_no_definition(tmp_path):
    result = train(animals(n=6), recipe(use="off"), tmp_path, None, Progress())
    assert result.concepts is None


def test_a_definition_of_no_label_is_refused_in_a_recipe_and_passed_over_in_a_study(tmp_path):
    wrong = recipe(concepts=[{"name": "dragon", "definition": "a large winged animal"}])
    with pytest.raises(RecipeError, match=r"knowledge\.concepts: dragon is no label"):
        train(animals(n=3), wrong, tmp_path, None, Progress())


def test_a_study_gives_its_definitions_to_the_alignment():
    written = [
        {"name": "pair", "discipline": "LI", "definition": "exactly two", "broader": "number"},
        {"name": "number", "broader": "thing"},
    ]
    assert defined_concepts(written) == [
        {"name": "pair", "discipline": "LI", "definition": "exactly two"}
    ]
    spec = StudySpec(
        name="x", key="id", disciplines=[{"code": "LI", "name": "Linguistics"}], concepts=written
    )
    assert spec.knowledge["concepts"] == defined_concepts(written)


@pytest.mark.parametrize("method", ["concat", "gated", "lowrank", "bottleneck", "crossattention"])
def test_definitions_reach_the_networks_of_every_joint_method(tmp_path, method):
    changed = recipe().model_copy(update={"method": method, "compare": []})
    changed = changed.model_copy(
        update={"training": changed.training.model_copy(update={"epochs": 20})}
    )
    result = train(animals(), changed, tmp_path, Cache(tmp_path / "cache"), Progress())
    assert result.concepts.score.change.value > 0
    network = load(tmp_path).models[method].network
    assert network.relation is None
    assert not any("relation" in name for name in network.state_dict())


def test_a_last_layer_that_is_settled_answers_as_it_did():
    likeness_of_three = np.array([[1, 0.4, 0], [0.4, 1, 0.1], [0, 0.1, 1]])
    network = build("concat", {"a": 4, "b": 3}, torch.zeros(3), 8, 0.0, 0.0).eval()
    network.relation = torch.from_numpy(relation(likeness_of_three).astype(np.float32))
    x, mask = {"a": torch.randn(5, 4), "b": torch.randn(5, 3)}, torch.ones(5, 2, dtype=torch.bool)
    before, raw = network(x, mask)[0], network.out.weight.detach().clone()
    network.settle()
    assert torch.allclose(network(x, mask)[0], before, atol=1e-6)
    assert torch.allclose(
        network.out.weight,
        raw @ torch.from_numpy(relation(likeness_of_three).astype(np.float32)),
        atol=1e-6,
    )
    assert network.relation is None
