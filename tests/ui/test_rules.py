"""Rules of the stylesheet and the templates that no reader would notice being broken."""

import gzip
import re
from pathlib import Path

import pytest

from apps.ui.plots import palette

ROOT = Path(__file__).parents[2]
CSS = ROOT / "static" / "css" / "app.css"
PAGES = CSS.with_name("pages.css")
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "static" / "js").glob("*.js"))
ICONS = set((ROOT / "apps" / "ui" / "icons.txt").read_text().split()) | {"dot"}
HOOKS = {"progress__text", "steps", "rows__item", "rail__group", "keys", "door--single"}
"""Classes that only name a part."""
HEX = re.compile(r"#[0-9a-fA-F]{3,8}\b")
ICON_IN_TEMPLATE = re.compile(
    r"""(?:{% icon |icon(?:_name)?=|{% icon_button |{% meta_item |after=)["']([a-z0-9-]+)["']"""
)
ICON_IN_CODE = re.compile(r"""(?:\bicon\(|icon(?:_name)?=|"icon": )["']([a-z0-9-]+)["']""")


def test_colours_are_written_only_in_the_tokens() -> None:
    css = re.sub(r"/\*.*?\*/", "", CSS.read_text(), flags=re.DOTALL)
    before, rest = css.split("@layer tokens {", 1)
    tokens, after = rest.split("@layer base {", 1)
    assert HEX.findall(before + after + PAGES.read_text()) == []
    assert len(HEX.findall(tokens)) > 60


def test_the_stylesheet_stays_under_15_kilobytes() -> None:
    assert len(gzip.compress(CSS.read_bytes(), 9)) <= 15_000


def test_every_class_of_a_template_is_in_a_stylesheet() -> None:
    known = set(re.findall(r"\.([a-z][\w-]*)", CSS.read_text() + PAGES.read_text())) | HOOKS
    used = {name: path.name for path in TEMPLATES for name in _classes(path.read_text())}
    assert used
    assert {name: where for name, where in used.items() if name not in known} == {}


def _classes(template: str) -> set[str]:
    values = re.findall(r'''\b(?:class|cls|class_)="([^"]*)"''', template)
    plain = (re.sub(r"[\w-]*\{[{%].*?[%}]\}[\w-]*", " ", value) for value in values)
    return {name for value in plain for name in value.split() if re.fullmatch(r"[a-z][\w-]*", name)}


def test_the_server_computes_with_the_colours_of_the_stylesheet() -> None:
    css = CSS.read_text()
    assert palette.TOKENS
    for name, (light, dark) in palette.TOKENS.items():
        assert f"--{name}: light-dark({light}, {dark});" in css


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_each_script_is_small_and_runs_under_the_content_policy(path: Path) -> None:
    text = path.read_text()
    assert len(gzip.compress(text.encode(), 9)) < 3_000
    assert not re.search(r"\beval\(|new Function|innerHTML|document\.write", text)


def test_no_template_writes_hx_attributes_by_hand() -> None:
    """Only the tags do, and they bring the nonce without which hx-csp takes the attributes away."""
    found = [
        str(path.relative_to(ROOT))
        for path in TEMPLATES
        if re.search(r"""\s(?:data-)?hx-[a-z-]+\s*=""", path.read_text())
    ]
    assert found == []


def test_no_template_has_inline_script_or_handlers() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match}"
        for path in TEMPLATES
        for match in re.findall(
            r"""\son[a-z]+=["']|<script(?![^>]*nonce=)[^>]*>|javascript:|<style""", path.read_text()
        )
    ]
    assert found == []


def test_every_icon_that_is_used_is_in_the_sprite() -> None:
    used = {
        name: path.name for path in TEMPLATES for name in ICON_IN_TEMPLATE.findall(path.read_text())
    }
    used |= {
        name: path.name
        for path in (ROOT / "apps").rglob("*.py")
        for name in ICON_IN_CODE.findall(path.read_text())
    }
    assert used
    assert {name: where for name, where in used.items() if name not in ICONS} == {}


def test_all_states_and_modalities_have_their_icons() -> None:
    from apps.ui.components.modalities import MODALITIES
    from apps.ui.states import STATES

    names = {state.icon for state in STATES.values()} | {
        modality.icon for modality in MODALITIES.values()
    }
    assert names <= ICONS


def test_the_lock_file_names_no_machine() -> None:
    lock = (ROOT / "package-lock.json").read_text()
    hosts = set(re.findall(r'"resolved":\s*"https?://([^/"]+)', lock))
    assert not hosts
    assert lock.count('"integrity"') == lock.count('"node_modules/')
