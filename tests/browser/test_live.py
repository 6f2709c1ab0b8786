"""A page that is open follows what happens: without a reload, without moving under the reader, and
also after the server was away.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE_MS, Installation, Visitor, answers

HOME = "/p/ledger-digits/"
expect.set_options(timeout=PATIENCE_MS)
WATCH = """() => {
    document.body.dataset.changes = 0;
    const count = () => document.body.dataset.changes = Number(document.body.dataset.changes) + 1;
    new MutationObserver(count).observe(document.querySelector("#run-live .tiles"), {childList: true, subtree: true, characterData: true});
}"""
"""Counts changes of the tiles. A page that loads itself anew has no count."""


@pytest.fixture
def training(visit: Callable[..., Visitor]) -> Iterator[Page]:
    """The page of a run that trains with many seeds; it is stopped in the end."""
    visitor = visit("Inês Costa")
    page = visitor.open(f"{HOME}runs/new/")
    page.get_by_label("Question this run answers").fill("Does the page follow it?")
    page.get_by_role("heading", name="Advanced").click()
    page.get_by_label("Seeds", exact=True).fill("0, 1, 2, 3, 4, 5, 6, 7")
    visitor.press("Start run")
    expect(page.locator(".head .pill").first).to_have_text("Running")
    yield page
    visitor.press("Stop")
    expect(page.locator(".head .pill").first).to_have_text("Stopped")


def wait_for_news(page: Page) -> None:
    """Ask the server past the browser until the run has gone on."""
    address = page.locator("#run-live").get_attribute("hx-get")

    def region() -> str:
        answer = page.request.get(urljoin(page.url, address), headers={"HX-Request": "true"})
        assert answer.ok
        return answer.text()

    before, deadline = region(), time.monotonic() + PATIENCE_MS / 1_000
    while region() == before:
        assert time.monotonic() < deadline, "the run does not go on"
        time.sleep(0.2)


def test_tiles_change_without_a_reload_and_leave_focus_and_place_until_paused(
    training: Page,
) -> None:
    page = training
    page.evaluate(WATCH)
    link = page.locator("#run-live").get_by_role("link", name="Full log")
    link.evaluate("link => link.focus({preventScroll: true})")
    page.evaluate("scrollTo(0, 60)")
    expect(page.locator("body")).not_to_have_attribute("data-changes", "0")
    expect(link).to_be_focused()
    assert page.evaluate("scrollY") == 60
    page.get_by_role("button", name="Pause updates").first.click()
    for _ in range(3):  # what was under way when Pause was pressed comes to its end
        wait_for_news(page)
    expect(page.locator(".htmx-request")).to_have_count(0)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.evaluate("document.body.dataset.changes = 0")
    wait_for_news(page)
    wait_for_news(page)
    assert requests == []
    expect(page.locator("body")).to_have_attribute("data-changes", "0")
    page.get_by_role("button", name="Resume updates").first.click()
    expect(page.locator("body")).not_to_have_attribute("data-changes", "0")


def say(visitor: Visitor, text: str) -> None:
    page = visitor.open(f"{HOME}runs/1/")
    page.get_by_label("Comment, @ to name someone").fill(text)
    visitor.press("Comment", "#discussion")
    expect(page.locator("#discussion")).to_contain_text(text)


def kill_everything(installation: Installation) -> None:
    """What the supervisor started; it starts it again."""
    assert installation.server
    children = (
        Path(f"/proc/{installation.server.pid}/task/{installation.server.pid}/children")
        .read_text()
        .split()
    )
    for pid in children:
        os.kill(int(pid), signal.SIGKILL)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="Children are read from /proc")
def test_what_another_person_says_appears_also_after_the_server_was_killed(
    visit: Callable[..., Visitor], installation: Installation
) -> None:
    reader, speaker = visit("Lin Mei"), visit("Inês Costa")
    page = reader.open(f"{HOME}runs/1/")
    expect(page.locator(".rail__live [data-text]")).to_contain_text("ago")
    page.evaluate("document.body.dataset.stayed = 'yes'")
    say(speaker, "Said while you look.")
    expect(page.locator("#discussion")).to_contain_text("Said while you look.")
    kill_everything(installation)
    answers(installation.address)
    say(speaker, "Said after the server was away.")
    expect(page.locator("#discussion")).to_contain_text("Said after the server was away.")
    assert page.evaluate("document.body.dataset.stayed") == "yes"
