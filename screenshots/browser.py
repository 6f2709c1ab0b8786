"""Chromium: signs in as a demo person, opens pages, takes their pictures, and says what went wrong
on them.
"""

import io
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, sync_playwright

from .pages import Page

CHROMIUM = "/usr/bin/chromium"
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HEIGHT = 900
SETTLE_MS = 500
"""For fonts, waveforms and what is morphed in."""


@dataclass(frozen=True)
class Look:
    theme: str
    width: int
    language: str

    def __str__(self) -> str:
        return f"{self.theme}-{self.width}-{self.language}"


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = CHROMIUM if Path(CHROMIUM).exists() else None
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield browser
        browser.close()


def take(
    browser: Browser, address: str, pages: list[Page], look: Look
) -> Iterator[tuple[Page, bytes, list[str]]]:
    """Each page as PNG, and what is wrong with it: a status, an error of the console, something
    wider than the window.
    """
    by_person = itertools.groupby(
        sorted(pages, key=lambda page: page.person or ""), key=lambda page: page.person
    )
    for person, theirs in by_person:
        context = browser.new_context(
            viewport={"width": look.width, "height": HEIGHT},
            color_scheme=look.theme,
            device_scale_factor=1,
            reduced_motion="reduce",
        )
        context.add_cookies(
            [
                {"name": name, "value": value, "url": address}
                for name, value in (("theme", look.theme), ("language", look.language))
            ]
        )
        if person:
            sign_in(context, address, person)
        for page in theirs:
            yield page, *picture(context, address, page)
        context.close()


def sign_in(context: BrowserContext, address: str, person: str) -> None:
    tab = context.new_page()
    tab.goto(f"{address}/accounts/login/")
    tab.click(f"button.door__tile:has-text('{person}')")
    tab.wait_for_load_state("load")
    tab.close()


def picture(context: BrowserContext, address: str, page: Page) -> tuple[bytes, list[str]]:
    tab, wrong = context.new_page(), list[str]()

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error":
            wrong.append(message.text)

    tab.on("console", heard)
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    answer = tab.goto(f"{address}{page.path}")
    tab.wait_for_timeout(SETTLE_MS)
    if answer is None or answer.status != 200:
        wrong.append(f"status {answer.status if answer else 'unknown'}")
    width, window, height = tab.evaluate(
        "[document.documentElement.scrollWidth, innerWidth, document.documentElement.scrollHeight]"
    )
    if width > window:
        wrong.append(f"{width} px wide in a window of {window}")
    tab.set_viewport_size(
        {"width": window, "height": height}
    )  # what sticks to the window's end stands at the page's end
    content = tab.screenshot()
    tab.close()
    return content, wrong


def save(content: bytes, path: Path, height: int | None = None) -> int:
    """As PNG with a palette, cut to a height; returns its size in bytes."""
    image = Image.open(io.BytesIO(content)).convert("RGB")
    if height:
        image = image.crop((0, 0, image.width, min(height, image.height)))
    path.parent.mkdir(parents=True, exist_ok=True)
    image.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    return path.stat().st_size
