"""What no code of the product may contain, found in the syntax tree: loaders that run code, unsafe
HTML, queries past the policy.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = [
    path
    for folder in ("apps", "platform")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "migrations" not in path.parts
]
MODULES = {"pickle", "cPickle", "dill", "joblib", "marshal", "shelve"}
CALLS = {
    "torch.load",
    "yaml.load",
    "yaml.unsafe_load",
    "np.load",
    "numpy.load",
    "eval",
    "exec",
    "os.system",
    "mark_safe",
}
METHODS = {"extractall", "extra", "raw"}
CONVERTER = "platform/consilience/demo/encoders/packaged.py"
"""Converts the one .pth file of a pinned package, after its SHA-256 was checked, with
weights_only=True.
"""

SANITISER = "apps/discussions/markdown.py"
"""Marks as safe what nh3 has just cleaned."""
ALLOWED = {(CONVERTER, "torch.load"), (SANITISER, "mark_safe")}


def name_of(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{name_of(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def forbidden(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            if found := MODULES & {name.split(".")[0] for name in names}:
                yield f"{where} imports {found}"
        if isinstance(node, ast.Call):
            called = name_of(node.func)
            if called in CALLS or called.split(".")[-1] in METHODS:
                yield f"{where} calls {called}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_dangerous_is_called(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    assert not [line for line in forbidden(path) if (name, line.rsplit(" ", 1)[-1]) not in ALLOWED]


def test_the_converter_loads_weights_only() -> None:
    calls = [
        node
        for node in ast.walk(ast.parse((ROOT / CONVERTER).read_text()))
        if isinstance(node, ast.Call) and name_of(node.func) == "torch.load"
    ]
    assert len(calls) == 1
    assert any(
        word.arg == "weights_only" and word.value.value is True for word in calls[0].keywords
    )


def test_no_template_switches_escaping_off() -> None:
    texts = {path: path.read_text() for path in (ROOT / "templates").rglob("*.html")}
    assert not [
        path.name for path, text in texts.items() if "|safe" in text or "autoescape off" in text
    ]


def test_the_api_asks_for_rows_only_through_what_the_caller_sees() -> None:
    texts = [(ROOT / "apps/api" / name).read_text() for name in ("views.py", "in_project.py")]
    assert not any(".objects.all()" in text for text in texts)


def test_guardian_is_asked_in_one_place() -> None:
    allowed = {
        "apps/projects/policies.py",
        "apps/projects/services.py",
        "apps/projects/models.py",
        "apps/accounts/models.py",
    }
    users = {
        str(path.relative_to(ROOT))
        for path in SOURCES
        if "guardian" in path.read_text() and "import" in path.read_text()
    }
    importing = {
        name
        for name in users
        if any(
            line.strip().startswith(("from guardian", "import guardian"))
            for line in (ROOT / name).read_text().splitlines()
        )
    }
    assert importing <= allowed
