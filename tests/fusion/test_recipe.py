"""Recipes: data with plain-word errors, the same in YAML and JSON, light enough for the web
process.
"""

import subprocess
import sys

import pytest

from fusion.encoders.capability_checks import check_capabilities
from fusion.schema.recipe import Recipe, RecipeError, presets


def problem(data):
    with pytest.raises(RecipeError) as error:
        Recipe.parse(data)
    return str(error.value)


def test_the_default_recipe_is_the_standard_one():
    recipe = Recipe.default()
    assert recipe == presets()["standard"]
    assert recipe.method == "late"
    assert recipe.training.seeds == [0, 1, 2]
    assert recipe.evaluation.draws == 1000


@pytest.mark.parametrize("name", ["quick", "standard", "search"])
def test_a_recipe_survives_yaml_and_json(name):
    recipe = presets()[name]
    assert Recipe.from_text(recipe.to_yaml()) == recipe
    assert Recipe.from_text(recipe.to_json()) == recipe


@pytest.mark.parametrize("name", ["quick", "standard", "search"])
def test_every_preset_has_a_title_and_one_sentence(name):
    recipe = presets()[name]
    assert recipe.title
    assert recipe.description.endswith(".")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"training": {"epochs": 0}}, "training.epochs: must be at least 1 (given: 0)"),
        (
            {"method": "magic"},
            "method: must be 'late', 'concat', 'gated', 'lowrank', 'bottleneck', "
            "'crossattention' or 'ensemble' (given: 'magic')",
        ),
        ({"epochs": 3}, "epochs: is not a setting of a recipe"),
        ({"training": {"seeds": [1, 1]}}, "training.seeds: names the same seed twice"),
        ({"training": {"dropout": "much"}}, "training.dropout: must be a number"),
        ({"encoders": {"image": [{"layers": [1]}]}}, "encoders.image.0.name: is missing"),
        (
            {"modalities": ["text"], "encoders": {"image": [{"name": "pixels"}]}},
            "image is not among the recipe's modalities",
        ),
        (["late"], "named settings"),
    ],
)
def test_an_error_names_the_field_and_what_is_allowed(data, words):
    assert words in problem(data)


def test_text_that_is_not_yaml_is_refused_with_its_line():
    with pytest.raises(RecipeError, match="line 2"):
        Recipe.from_text("method: late\n  bad: [")


def test_yaml_cannot_make_objects():
    with pytest.raises(RecipeError):
        Recipe.from_text("!!python/object/apply:os.system ['true']")


def test_an_empty_text_is_a_recipe():
    assert Recipe.from_text("").method == "late"


def test_the_digest_follows_what_is_computed_and_not_the_title():
    recipe = Recipe.default()
    assert recipe.model_copy(update={"title": "Mine"}).digest == recipe.digest
    assert recipe.model_copy(update={"method": "gated"}).digest != recipe.digest


def test_recipe_and_result_load_nothing_heavy():
    code = (
        "import sys, fusion, fusion.schema.recipe, fusion.schema.result, fusion.core.progress;"
        "print([m for m in ('numpy', 'torch', 'transformers', 'sklearn', 'scipy', 'pyarrow') if "
        "m in sys.modules])"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )


def test_a_pooling_that_an_encoder_does_not_know_is_refused_before_anything_is_read():
    choice = {"name": "efficientnet-lite0", "pooling": "segments"}
    [problem] = check_capabilities(Recipe.parse({"encoders": {"image": [choice]}}))
    words = "EfficientNet-Lite0 can be pooled by grid, mean, not by segments"
    assert problem.startswith(f"encoders.image.0.pooling: {words}")
