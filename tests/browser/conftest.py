"""A real installation in a folder of its own: web, workers and scheduler under the supervisor, and Chromium in front of it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
ARGUMENTS += ["--disable-component-update", "--disable-sync"]
DEMO_SAMPLES = 150
PASSWORD = "a long enough sentence"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.ui)


@dataclass
class Installation:
    home: Path
    address: str
    environment: dict[str, str] = field(repr=False)

    def manage(self, *words: str, given: str = "") -> str:
        command = [sys.executable, "manage.py", *words]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, input=given, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(address: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(f"{address}/accounts/login/", timeout=5):
                return
        except OSError:
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.2)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        reason = "No Chromium on this machine: apt-get install chromium"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def installation(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A small demo: people with tiles, a finished run, a review under way."""
    home = tmp_path_factory.mktemp("installation")
    port = free_port()
    own = {"CONSILIENCE_HOME": str(home), "OMP_NUM_THREADS": "1", "DJANGO_SETTINGS_MODULE": "consilience.settings"}
    cleared = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL", "STORAGE_URL")}
    made = Installation(home, f"http://127.0.0.1:{port}", {**cleared, **own})
    made.manage("setup")
    made.manage("seed_demo", "--samples", str(DEMO_SAMPLES))
    command = [sys.executable, "-m", "consilience.command", "up", "--port", str(port)]
    log = (home / "up.log").open("w")
    server = subprocess.Popen(command, cwd=ROOT, env=made.environment, stdout=log, stderr=log)
    try:
        answers(made.address)
        yield made
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(15)
        log.close()


@dataclass
class Visitor:
    """A person at a browser; what the console complained of is kept and must stay empty."""

    page: Page
    address: str
    errors: list[str]

    def open(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.page

    def press(self, name: str, role: str = "button") -> None:
        self.page.get_by_role(role, name=name).first.click()

    def sign_in(self, email: str, password: str = PASSWORD) -> None:
        self.open("/accounts/login/")
        self.page.fill("#id_login", email)
        self.page.fill("#id_password", password)
        self.page.locator("main form").first.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(f"{self.address}/")


def harmless(text: str) -> bool:
    """The browser notes every answer of 4xx; pages that refuse a form are tested as such."""
    return "status of 422" in text


@pytest.fixture
def visit(chromium: Browser, installation: Installation) -> Iterator[Callable[..., Visitor]]:
    contexts: list[BrowserContext] = []
    visitors: list[Visitor] = []

    def make(person: str = "", width: int = 1440, theme: str = "light", language: str = "en-GB", **options: object) -> Visitor:
        size = {"width": width, "height": 900}
        context = chromium.new_context(viewport=size, color_scheme=theme, locale=language, **options)
        contexts.append(context)
        page, errors = context.new_page(), []
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" and not harmless(message.text) else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        visitor = Visitor(page, installation.address, errors)
        visitors.append(visitor)
        if person:
            visitor.open("/accounts/login/")
            page.locator("button.door__tile", has_text=person).click()
            page.wait_for_url(f"{installation.address}/")
        return visitor

    yield make
    complaints = [text for visitor in visitors for text in visitor.errors]
    for context in contexts:
        context.close()
    assert not complaints
