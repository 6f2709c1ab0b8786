"""Traps of the layout, each of which breaks something far away from its cause."""

import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


def test_the_folder_platform_is_no_package() -> None:
    """As one it would stand in for the standard library's `platform`, and nothing would start."""
    assert not (ROOT / "platform" / "__init__.py").exists()
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import platform; print(platform.system())"
    )
    assert subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_the_test_folders_are_no_packages() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))
    assert not list((ROOT / "platform").rglob("conftest.py"))


def test_importing_the_project_loads_no_django() -> None:
    code = "import consilience, sys; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT / "platform").returncode == 0


def test_every_dependency_is_pinned_in_the_constraints() -> None:
    pinned = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().split()
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    assert {Requirement(text).name.lower().replace("_", "-") for text in wanted} <= pinned


def test_the_constraints_name_published_versions_alone() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert lines
    assert all("==" in line and "+" not in line and "@" not in line for line in lines if line)


def test_the_web_process_loads_no_learning_library() -> None:
    code = (
        "import consilience.asgi, sys; from django.urls import get_resolver; "
        "get_resolver().url_patterns;"
        "print(sorted({'torch', 'transformers', 'sklearn', 'scipy', 'pyarrow'} & set(sys.modules)))"
    )
    path = f"{ROOT / 'platform'}:{ROOT}"
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**environ(), "PYTHONPATH": path},
        check=False,
    )
    assert result.stdout.strip() == "[]", result.stderr[-2_000:]


def environ() -> dict[str, str]:
    import os

    return {**os.environ, "DJANGO_SETTINGS_MODULE": "consilience.settings_test"}
