"""docs/architecture.md names only what is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
ENGINE = TEXT.split("## 3. The engine")[1].split("## 4.")[0]
FOLDERS = sorted(
    p.name for p in (ROOT / "platform/fusion").iterdir() if (p / "__init__.py").exists()
)


def defined_in(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    named = (ast.FunctionDef, ast.ClassDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, named)}


def places() -> list[tuple[str, str]]:
    """Dotted names of the ways of a sample and of a metric, and those of the table of folders."""
    rows = re.findall(r"^\| `(\w+)` \|.*\| (.*) \|$", ENGINE, re.MULTILINE)
    begun = [
        (f"{folder}.{name}") for folder, cell in rows for name in re.findall(r"`([\w.]+)`", cell)
    ]
    dotted = [
        name.removeprefix("fusion.")
        for name in re.findall(r"`([\w.]+)`", ENGINE)
        if name.removeprefix("fusion.").split(".")[0] in FOLDERS and "." in name
    ]
    return [(name, "/".join(name.split("."))) for name in [*begun, *dotted]]


@pytest.mark.parametrize(("name", "path"), places())
def test_a_name_of_the_engine_is_there(name: str, path: str) -> None:
    whole = ROOT / "platform/fusion" / path
    if whole.is_dir() or whole.with_suffix(".py").exists():
        return
    module, *rest = [whole.parent.with_suffix(".py"), whole.name]
    if not module.exists():
        module, rest = whole.parent.parent.with_suffix(".py"), list(whole.parts[-2:])
    assert module.exists(), name
    assert set(rest) <= defined_in(module), name


def test_the_table_names_every_folder_of_the_engine() -> None:
    assert sorted(re.findall(r"^\| `(\w+)` \|", ENGINE, re.MULTILINE)) == FOLDERS


def test_the_paths_are_there() -> None:
    paths = set(re.findall(r"`((?:apps|platform|tests|templates|docs)/[\w/.]+)`", TEXT))
    assert len(paths) > 8
    assert {path for path in paths if not (ROOT / path).exists()} == set()
