"""docs/engine.md: what it shows can be read and run, and no setting of a recipe is left out."""

import re
from pathlib import Path

import pytest
import yaml

from fusion.__main__ import parser
from fusion.data.study_spec import ColumnSpec, StudySpec
from fusion.schema.methods import METHODS
from fusion.schema.recipe import Recipe
from tests.fusion.test_command import RECIPE, write_study

GUIDE = (Path(__file__).parents[2] / "docs/engine.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", GUIDE, re.DOTALL)


def test_the_study_and_the_recipe_can_be_read() -> None:
    [study], recipes = blocks("yaml study"), blocks("yaml recipe")
    assert recipes
    assert StudySpec.model_validate(yaml.safe_load(study)).alignment
    assert [Recipe.from_text(text).title for text in recipes]


def test_the_columns_can_be_read() -> None:
    [columns] = blocks("yaml columns")
    described = {
        name: ColumnSpec.model_validate(column) for name, column in yaml.safe_load(columns).items()
    }
    assert described["price"].decimal == ","
    assert described["grade"].join_capitals


def test_no_setting_and_no_method_is_left_out() -> None:
    schema = Recipe.model_json_schema()
    settings = {
        name for part in (schema, *schema["$defs"].values()) for name in part.get("properties", {})
    }
    told = {word for text in blocks("yaml recipe") for word in re.findall(r"[a-z_]+", text)}
    assert settings - told == {"schema_version"}
    assert len(METHODS) > 5
    assert {method for method in METHODS if f"| `{method}` |" not in GUIDE} == set()


def test_the_commands_exist() -> None:
    lines = re.findall(r"^    python -m fusion (.*)$", GUIDE, re.MULTILINE)
    assert len(lines) > 3
    for line in lines:
        command = re.sub(r"\[.*?\]", "", line).split()
        parser().parse_args([word.replace("DIR", "x") for word in command])


def test_the_python_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [code] = blocks("python")
    folder, sample = write_study(tmp_path / "study"), {"left": [0.1, -0.2, 0.4]}
    exec(
        code,
        {
            "FOLDER": folder,
            "OUT": tmp_path / "out",
            "CACHE": tmp_path / "cache",
            "RECIPE": RECIPE,
            "SAMPLE": sample,
        },
    )
    assert re.fullmatch(
        r"macro_f1 0\.\d+ (clearly better|no clear difference|clearly worse)\nkind\d\n",
        capsys.readouterr().out,
    )
