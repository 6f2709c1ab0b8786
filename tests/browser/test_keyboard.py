"""Without a mouse: every journey by keys alone, and wherever the focus goes one sees it."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD, Installation, Visitor

HOME = "/p/ledger-digits/"
FOCUS = """() => {
    const e = document.activeElement;
    if (e === document.body) return null;
    const ringed = [e, e.closest("label"), e.nextElementSibling].filter(Boolean).map(node => getComputedStyle(node));
    const box = e.getClientRects()[0] ?? e.getBoundingClientRect();
    const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return {
        name: `${e.tagName} ${e.id || e.name || e.className} ${e.textContent.trim().slice(0, 30)}`,
        ring: ringed.some(style => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2),
        seen: Boolean(top) && (e.contains(top) || top.contains(e) || e.closest("label")?.contains(top) || top.closest("label")?.control === e),
    };
}"""


def tab_to(page: Page, script: str, most: int = 120) -> None:
    """Tab until the focused element, `e`, is the one wanted."""
    for _step in range(most):
        page.keyboard.press("Tab")
        if page.evaluate(f"(e => {script})(document.activeElement)"):
            return
    pytest.fail(f"Tab never came to: {script}")


def labelled(text: str) -> str:
    return f"e.textContent.trim() === '{text}' && e.matches('a, button')"


def test_signing_in(visit: Callable[..., Visitor], installation: Installation) -> None:
    email = installation.account("keys Person")
    page = visit().open("/accounts/login/")
    expect(page.locator("#id_login")).to_be_focused()
    page.keyboard.type(email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Your work")


def test_the_first_stop_skips_to_the_content(visit: Callable[..., Visitor]) -> None:
    page = visit("Lin Mei").open(HOME)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


@pytest.mark.parametrize(
    "path", ["data/handwriting/", "runs/1/", "reviews/1/", "runs/new/", "samples/L00002/"]
)
def test_the_focus_has_a_ring_and_nothing_lies_over_it(
    visit: Callable[..., Visitor], path: str
) -> None:
    page = visit("Lin Mei").open(HOME + path)
    page.locator("cs-keys:defined").wait_for(state="attached")
    stops: list[dict] = []
    while len(stops) < 250:
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUS)
        if stop is None:
            break
        stops.append(stop)
    assert len(stops) > 20
    assert [stop for stop in stops if not stop["ring"]] == []
    assert [stop for stop in stops if not stop["seen"]] == []


def test_searching(visit: Callable[..., Visitor]) -> None:
    page = visit("Lin Mei").open(HOME)
    page.locator("cs-keys:defined").wait_for(state="attached")
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("handwriting")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/?q=handwriting")
    expect(page.locator("main")).to_contain_text("Handwriting")


def test_filtering_and_opening_a_sample(visit: Callable[..., Visitor]) -> None:
    page = visit("Lin Mei").open(f"{HOME}data/handwriting/")
    page.locator("cs-keys:defined").wait_for(state="attached")
    tab_to(page, "e.name === 'handwriting.quality'")
    page.keyboard.press("Space")
    page.wait_for_url("**handwriting.quality=*")
    expect(page.locator('input[name="handwriting.quality"]:checked')).to_be_focused()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".sample-page")).to_be_visible()
    first = page.url
    page.locator("cs-keys:defined").wait_for(state="attached")
    page.keyboard.press("j")
    page.wait_for_url(lambda url: url != first)
    expect(page.locator(".sample-page")).to_be_visible()


def test_starting_a_run_and_stopping_it(visit: Callable[..., Visitor]) -> None:
    page = visit("Lin Mei").open(f"{HOME}runs/new/")
    tab_to(page, "e.name === 'question'")
    page.keyboard.type("Can one do it by keys alone?")
    tab_to(page, "e.name === 'preset'")
    with page.expect_response(lambda answer: "do=fill" in answer.url):
        page.keyboard.press("ArrowLeft")
    expect(page.get_by_label("Seeds", exact=True)).to_have_value("0")
    assert page.evaluate("document.activeElement.name") == "preset"
    with page.expect_response(lambda answer: "do=fill" in answer.url):
        page.keyboard.press("ArrowRight")
    expect(page.get_by_label("Seeds", exact=True)).to_have_value("0, 1, 2")
    tab_to(page, labelled("Start run"))
    page.keyboard.press("Enter")
    expect(page.locator(".head .lead")).to_have_text("Can one do it by keys alone?")
    tab_to(page, labelled("Stop"))
    page.keyboard.press("Enter")
    expect(page.locator(".head .pill").first).to_have_text(re.compile("Stop"))


def test_writing_and_submitting_a_review(visit: Callable[..., Visitor]) -> None:
    page = visit("Lin Mei").open(f"{HOME}reviews/1/")
    tab_to(page, "e.name === 'verdict'")
    page.keyboard.press("Space")
    tab_to(page, "e.name === 'summary'")
    page.keyboard.type("Under babble it hears no worse than I do.")
    tab_to(page, labelled("Submit review"))
    page.keyboard.press("Enter")
    expect(page.locator("#d-SP")).to_contain_text("no worse than I do")


def test_changing_the_theme_which_stays(visit: Callable[..., Visitor]) -> None:
    visitor = visit("Lin Mei")
    page = visitor.open("/")
    page.locator("cs-theme:defined").wait_for(state="attached")
    tab_to(page, labelled("Change theme"))
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    visitor.open("/help/")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_sheet_of_keys_opens_and_gives_the_focus_back(visit: Callable[..., Visitor]) -> None:
    page = visit("Lin Mei").open(HOME)
    page.locator("cs-keys:defined").wait_for(state="attached")
    tab_to(page, labelled("Help"))
    page.keyboard.press("?")
    expect(page.locator("#keys-sheet")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys-sheet")).to_be_hidden()
    assert page.evaluate("document.activeElement.textContent.trim()") == "Help"
