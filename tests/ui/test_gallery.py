"""The gallery in a real browser: axe finds nothing in either theme at either width, and nothing
sticks out.
"""

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from apps.accounts.models import User

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
GALLERY = "/ui/gallery/"
LOOKS = [(1440, "dark"), (390, "light"), (390, "dark")]


def test_the_gallery_asks_for_sign_in(client: Client, db: None) -> None:
    assert client.get(GALLERY).status_code == 302


def test_the_gallery_is_served_to_everybody_who_is_signed_in(
    client: Client, person: Callable[..., User]
) -> None:
    client.force_login(person("Lin Mei"))
    answer = client.get(GALLERY)
    assert answer.status_code == 200
    assert answer.content.count(b"<h1") == 1


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        reason = "No Chromium on this machine: apt-get install chromium"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def session(client: Client, person: Callable[..., User]) -> str:
    client.force_login(person("Lin Mei"))
    return client.cookies["session"].value


def opened(
    browser: Browser, server: str, session: str, width: int = 1440, **options: str
) -> tuple[BrowserContext, Page, list[str]]:
    context = browser.new_context(viewport={"width": width, "height": 900}, **options)
    context.add_cookies([{"name": "session", "value": session, "url": server}])
    page, errors = context.new_page(), []
    page.on(
        "console",
        lambda message: (
            errors.append(message.text)
            if message.type == "error" and "/live/" not in message.location["url"]
            else None
        ),
    )
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(server + GALLERY)
    page.locator("cs-theme:defined").first.wait_for(state="attached")
    return context, page, errors


@pytest.mark.ui
@pytest.mark.parametrize(
    ("width", "theme"),
    [(1440, "light"), *(pytest.param(*one, marks=pytest.mark.slow) for one in LOOKS)],
)
def test_axe_finds_nothing(
    chromium: Browser, live_server: object, session: str, width: int, theme: str
) -> None:
    context, page, errors = opened(chromium, str(live_server), session, width, color_scheme=theme)
    violations = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:120]) for one in violations] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert errors == []
    context.close()


@pytest.mark.ui
@pytest.mark.parametrize(
    "width", [320, 768, *(pytest.param(width, marks=pytest.mark.slow) for width in (1024, 1920))]
)
def test_nothing_sticks_out_at_any_width_in_either_language(
    chromium: Browser, live_server: object, session: str, width: int
) -> None:
    for locale in ("en-GB", "zh-CN"):
        context, page, _errors = opened(chromium, str(live_server), session, width, locale=locale)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, locale
        context.close()


@pytest.mark.ui
def test_marks_stay_visible_in_forced_colours(
    chromium: Browser, live_server: object, session: str
) -> None:
    context, page, _errors = opened(chromium, str(live_server), session, forced_colors="active")
    for mark in (".forest__ci", ".bars__ci", ".stackbar > span", ".meter > span"):
        assert (
            page.locator(mark).first.evaluate("node => getComputedStyle(node).forcedColorAdjust")
            == "none"
        ), mark
    context.close()


@pytest.mark.ui
def test_the_theme_is_kept_for_the_next_page(
    chromium: Browser, live_server: object, session: str
) -> None:
    context, page, _errors = opened(chromium, str(live_server), session, color_scheme="light")
    page.get_by_role("button", name="Dark", exact=True).click()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.reload()
    assert (
        page.evaluate("getComputedStyle(document.body).backgroundColor")
        == dark
        == "rgb(14, 19, 20)"
    )
    context.close()


@pytest.mark.ui
def test_keys_open_search_and_the_list_of_keys_and_escape_closes_it(
    chromium: Browser, live_server: object, session: str
) -> None:
    context, page, _errors = opened(chromium, str(live_server), session)
    page.locator("cs-keys:defined").first.wait_for(state="attached")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("?")
    assert not page.locator("#keys-sheet").is_visible()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    assert page.locator("#keys-sheet").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#keys-sheet").is_visible()
    context.close()


@pytest.mark.ui
def test_the_data_of_a_plot_opens_without_javascript(
    chromium: Browser, live_server: object, session: str
) -> None:
    context = chromium.new_context(java_script_enabled=False)
    context.add_cookies([{"name": "session", "value": session, "url": str(live_server)}])
    page = context.new_page()
    page.goto(str(live_server) + GALLERY)
    page.locator(".plot__data summary").first.click()
    assert page.locator(".plot__data table").first.is_visible()
    with page.expect_download() as download:
        page.locator(".plot__tools a").first.click()
    assert download.value.suggested_filename == "alone.csv"
    context.close()
