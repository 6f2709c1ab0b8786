"""Every page, each in one variant of theme, width, language and role, so that all of them occur; the whole matrix is `slow`."""

import itertools
import os
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

HOME = "/p/ledger-digits/"
SAMPLE = f"{HOME}samples/L00001/"
MODEL = f"{HOME}models/ledger-reader/"
PAGES = {
    "your work": "/",
    "inbox": "/inbox/?show=all",
    "search": "/search/?q=ledger",
    "help": "/help/",
    "profile": "/me/",
    "tokens": "/me/tokens/",
    "password": "/accounts/password/change/",
    "new project": "/projects/new/",
    "overview": HOME,
    "members": f"{HOME}members/",
    "disciplines": f"{HOME}disciplines/",
    "activity": f"{HOME}activity/",
    "data sets": f"{HOME}data/",
    "upload": f"{HOME}data/new/",
    "data set": f"{HOME}data/handwriting/",
    "data set table": f"{HOME}data/handwriting/?view=table",
    "agreement": f"{HOME}data/labels/agreement/",
    "columns": f"{HOME}data/balance/columns/",
    "check report": f"{HOME}data/dictation/check/",
    "versions": f"{HOME}data/remarks/versions/",
    "samples": f"{HOME}samples/",
    "sample": SAMPLE,
    "alignments": f"{HOME}alignments/",
    "alignment": f"{HOME}alignments/1/",
    "new alignment": f"{HOME}alignments/new/",
    "runs": f"{HOME}runs/",
    "new run": f"{HOME}runs/new/",
    "run": f"{HOME}runs/1/",
    "curves": f"{HOME}runs/1/curves/",
    "predictions": f"{HOME}runs/1/predictions/",
    "run settings": f"{HOME}runs/1/settings/",
    "log": f"{HOME}runs/1/log/",
    "run discussion": f"{HOME}runs/1/discussion/",
    "reviews": f"{HOME}reviews/",
    "review": f"{HOME}reviews/1/",
    "changes": f"{HOME}reviews/1/changes/",
    "evidence": f"{HOME}reviews/1/evidence/",
    "conversation": f"{HOME}reviews/1/conversation/",
    "models": f"{HOME}models/",
    "model": MODEL,
    "model version": f"{MODEL}1/",
}
OWNERS = {"settings": f"{HOME}settings/", "edit the card": f"{MODEL}1/edit/"}
PEOPLE = ("Lin Mei", "Piet de Jong", "Inês Costa")
VARIANTS = list(itertools.product(("light", "dark"), (1440, 390), ("en-GB", "zh-CN")))
ROTATED = [(name, *VARIANTS[n * 3 % len(VARIANTS)], PEOPLE[n % 3]) for n, name in enumerate(PAGES)]
ROTATED += [(name, *VARIANTS[n * 5 % len(VARIANTS)], "Inês Costa") for n, name in enumerate(OWNERS)]
MATRIX = [(name, *variant, "Inês Costa") for name in PAGES | OWNERS for variant in VARIANTS]
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}


def wait_until_quiet(page: Page) -> None:
    page.wait_for_load_state("load")
    page.evaluate("document.fonts.ready.then(() => true)")


def check(page: Page, language: str) -> None:
    violations = Axe().run(page, options=RULES).response["violations"]
    assert not [(one["id"], one["nodes"][0]["html"][:200]) for one in violations]
    facts = page.evaluate(
        """() => ({over: document.documentElement.scrollWidth - document.documentElement.clientWidth,
                   titles: document.querySelectorAll('h1').length, lang: document.documentElement.lang,
                   nodes: document.querySelectorAll('*').length, title: document.title})"""
    )
    assert facts["over"] <= 0
    assert facts["titles"] == 1
    assert facts["lang"] == ("zh-hans" if language == "zh-CN" else "en")
    assert facts["nodes"] <= 2_500
    assert facts["title"].endswith("Consilience")


def look(visit: Callable, name: str, theme: str, width: int, language: str, person: str) -> None:
    visitor = visit(person, width=width, theme=theme, language=language)
    page = visitor.open((PAGES | OWNERS)[name])
    wait_until_quiet(page)
    check(page, language)


@pytest.mark.parametrize(("name", "theme", "width", "language", "person"), ROTATED)
def test_a_page_is_accessible_and_fits(visit: Callable, name: str, theme: str, width: int, language: str, person: str) -> None:
    look(visit, name, theme, width, language, person)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "theme", "width", "language", "person"), MATRIX)
def test_a_page_is_accessible_and_fits_in_every_variant(
    visit: Callable, name: str, theme: str, width: int, language: str, person: str
) -> None:
    look(visit, name, theme, width, language, person)


def test_every_variant_and_role_occurs() -> None:
    seen = {variant[1:4] for variant in ROTATED}
    assert seen == set(VARIANTS)
    assert {variant[4] for variant in ROTATED} == set(PEOPLE)


@pytest.mark.parametrize(("theme", "width", "language"), VARIANTS[:: 3 if not os.environ.get("CI") else 2])
def test_the_door_is_accessible(visit: Callable, theme: str, width: int, language: str) -> None:
    page = visit(theme=theme, width=width, language=language).open("/accounts/login/")
    wait_until_quiet(page)
    check(page, language)


@pytest.mark.parametrize("path", [HOME, f"{HOME}samples/", f"{HOME}runs/1/", f"{HOME}reviews/1/"])
def test_nothing_sticks_out_of_a_narrow_window(visit: Callable, path: str) -> None:
    page = visit("Lin Mei", width=320).open(path)
    wait_until_quiet(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_without_javascript_one_reads_filters_and_comments(visit: Callable) -> None:
    visitor = visit("Piet de Jong", java_script_enabled=False)
    page = visitor.open(f"{HOME}samples/?view=table")
    assert page.locator("table tbody tr").count() > 5
    visitor.open(SAMPLE)
    page.locator("#discussion textarea").last.fill("Read without a script.")
    page.locator("#discussion").get_by_role("button", name="Comment").last.click()
    assert page.get_by_text("Read without a script.").count() == 1


def test_by_keyboard_alone_one_searches_and_sees_the_focus(visit: Callable) -> None:
    page = visit("Lin Mei").open(HOME)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("handwriting")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/**")
    ring = page.evaluate("(e => getComputedStyle(e).outlineStyle)(document.querySelector('main a'))")
    assert ring in ("none", "auto", "solid")
    page.keyboard.press("Escape")


def test_a_theme_chosen_in_the_menu_stays(visit: Callable) -> None:
    visitor = visit("Lin Mei")
    page = visitor.open("/")
    page.locator("cs-theme button").click()
    chosen = page.evaluate("document.documentElement.dataset.theme || 'system'")
    visitor.open("/help/")
    assert page.evaluate("document.documentElement.dataset.theme || 'system'") == chosen
