"""The house style, checked over the syntax tree of the product; `python tests/test_style.py PATH
...` lists what is against it in files or folders.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PRODUCT = ("platform", "apps")
LONGEST_LINE = 100
LONGEST_FILE = 500
MOST_NAMES = 15
NOT_A_NAME = {"found", "each", "one", "told", "said", "asked", "kept", "given", "judged"}
OPENERS = {
    "What",
    "Which",
    "Whether",
    "Where",
    "Who",
    "Whose",
    "How",
    "Why",
    "That",
    "Of",
    "For",
    "In",
    "By",
    "With",
    "Without",
    "At",
    "On",
    "From",
    "To",
    "As",
    "Under",
    "Among",
    "Between",
    "Beside",
    "Before",
    "After",
    "Is",
    "Are",
    "Was",
    "Were",
    "Has",
    "Have",
    "Can",
    "None",
    "So",
    "If",
    "When",
    "Not",
    "Out",
    "Inside",
}


def product_files(*paths: str) -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *(paths or PRODUCT)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    files = [ROOT / name for name in listing.stdout.split() if name.endswith(".py")]
    return [file for file in files if "migrations" not in file.parts and file.exists()]


def problems_of(file: Path) -> Iterator[str]:
    text = file.read_text()
    where = file.relative_to(ROOT)
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > LONGEST_LINE:
            yield f"{where}:{number}: {len(line)} columns"
    if text.count("\n") > LONGEST_FILE:
        yield f"{where}: over {LONGEST_FILE} lines"
    tree = ast.parse(text)
    for line, name in bound_names(tree):
        if name in NOT_A_NAME:
            yield f"{where}:{line}: the name {name} says nothing of the field"
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = re.match(r"[A-Za-z]+", ast.get_docstring(node) or "")
            if first and first.group() in OPENERS:
                line = getattr(node, "lineno", 1)
                yield f"{where}:{line}: the docstring opens with {first.group()}, without a subject"


def bound_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Names of variables and parameters; fields of a class may be names in stored files."""
    fields = {
        statement.target
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for statement in node.body
        if isinstance(statement, ast.AnnAssign)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node not in fields:
            yield node.lineno, node.id
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg


def crowded_folders() -> Iterator[str]:
    files = [file.relative_to(ROOT) for file in product_files()]
    for folder in sorted({parent for file in files for parent in file.parents}):
        names = {file.parts[len(folder.parts)] for file in files if folder in file.parents}
        if folder.parts and len(names - {"__init__.py"}) > MOST_NAMES:
            yield f"{folder}: {len(names)} names side by side"


@pytest.mark.parametrize("part", PRODUCT)
def test_the_product_keeps_the_house_style(part: str) -> None:
    files = product_files(part)
    assert len(files) > 50
    assert [problem for file in files for problem in problems_of(file)] == []


def test_no_folder_is_crowded() -> None:
    assert list(crowded_folders()) == []


if __name__ == "__main__":
    print(
        "\n".join(problem for file in product_files(*sys.argv[1:]) for problem in problems_of(file))
    )
