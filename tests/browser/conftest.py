"""A real installation in a folder of its own: web, workers and scheduler under the supervisor, and
Chromium in front of it.
"""

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
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
ARGUMENTS += ["--disable-component-update", "--disable-sync"]
DEMO_SAMPLES = 120
PASSWORD = "a long enough sentence"
PATIENCE_MS = 90_000
"""For whatever a page waits for: the machine may be busy with other things."""

TELL_VIOLATIONS = """addEventListener("securitypolicyviolation", event => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`))"""
STOP_THE_SECOND_RUN = """
from apps.experiments.models import Run
from apps.experiments.services import stop_run
run = Run.objects.get(number=2)
stop_run(run.created_by, run)
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.ui)


@dataclass
class Installation:
    home: Path
    port: int
    environment: dict[str, str] = field(repr=False)
    server: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def study(self) -> Path:
        return next(self.home.glob("demo/ledger-digits-*"))

    def manage(self, *words: str, given: str = "") -> str:
        command = [sys.executable, "manage.py", *words]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def account(self, name: str) -> str:
        """An account that is no demo person's, and its address."""
        email = f"{name.split()[0].lower()}@example.org"
        self.manage("password", email, "--create", name, given=f"{PASSWORD}\n")
        return email

    def start(self) -> None:
        command = [sys.executable, "-m", "consilience.command", "up", "--port", str(self.port)]
        with (self.home / "up.log").open("a") as log:
            self.server = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )
        answers(self.address)

    def stop(self) -> None:
        if self.server:
            self.server.send_signal(signal.SIGINT)
            self.server.wait(15)


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
def executable() -> str:
    """Asked for before anything is set up that only a browser needs."""
    if CHROMIUM is None:
        reason = "No Chromium on this machine: apt-get install chromium"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return CHROMIUM


@pytest.fixture(scope="module")
def chromium(executable: str) -> Iterator[Browser]:
    """Closed after each module: its event loop would stop every asynchronous view that is asked
    later in the same process.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def installation(
    executable: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """A small demo: people with tiles, a finished run, one that was stopped before it began, a
    review under way.
    """
    home = tmp_path_factory.mktemp("installation")
    own = {
        "CONSILIENCE_HOME": str(home),
        "OMP_NUM_THREADS": "1",
        "DJANGO_SETTINGS_MODULE": "consilience.settings",
    }
    cleared = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DATABASE_URL", "REDIS_URL", "STORAGE_URL")
    }
    made = Installation(home, free_port(), {**cleared, **own})
    made.manage("setup")
    made.manage("seed_demo", "--samples", str(DEMO_SAMPLES))
    made.manage("shell", "--command", STOP_THE_SECOND_RUN)
    try:
        made.start()
        yield made
    finally:
        made.stop()


@dataclass
class Visitor:
    """A person at a browser; what the console complained of is kept and must stay empty."""

    page: Page
    address: str
    errors: list[str]

    def open(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.page

    def press(self, name: str, within: str = "main", role: Any = "button") -> None:
        self.page.locator(within).get_by_role(role, name=name, exact=True).first.click()

    def follow(self, name: str, within: str = "main") -> None:
        self.press(name, within, "link")

    def heading(self) -> Locator:
        return self.page.locator("h1")

    def sign_in(self, email: str, password: str = PASSWORD) -> None:
        self.open("/accounts/login/")
        self.page.fill("#id_login", email)
        self.page.fill("#id_password", password)
        self.page.locator("main form").first.locator("button.btn--primary").click()
        self.page.wait_for_url(f"{self.address}/")


def harmless(text: str) -> bool:
    """The browser notes every answer of 4xx; pages that refuse a form are tested as such."""
    return "status of 422" in text


@pytest.fixture(scope="module")
def signed_in(chromium: Browser, installation: Installation) -> Callable[[str], Any]:
    """The cookies of a demo person, who signs in by tile once."""
    kept: dict[str, Any] = {}

    def state(person: str) -> Any:
        if person not in kept:
            context = chromium.new_context(locale="en-GB")
            page = context.new_page()
            page.goto(f"{installation.address}/accounts/login/")
            page.locator("button.door__tile", has_text=person).click()
            page.wait_for_url(f"{installation.address}/")
            kept[person] = {
                "cookies": [one for one in context.cookies() if one["name"] == "session"],
                "origins": [],
            }
            context.close()
        return kept[person]

    return state


@pytest.fixture
def visit(
    chromium: Browser, installation: Installation, signed_in: Callable[[str], Any]
) -> Iterator[Callable[..., Visitor]]:
    contexts: list[BrowserContext] = []
    visitors: list[Visitor] = []

    def make(
        person: str = "",
        width: int = 1440,
        theme: str = "light",
        language: str = "en-GB",
        **options: Any,
    ) -> Visitor:
        if person:
            options["storage_state"] = signed_in(person)
        size = {"width": width, "height": 900}
        context = chromium.new_context(
            viewport=size, color_scheme=theme, locale=language, **options
        )
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(TELL_VIOLATIONS)
        contexts.append(context)
        page, errors = context.new_page(), []
        page.on(
            "console",
            lambda message: (
                errors.append(message.text)
                if message.type == "error" and not harmless(message.text)
                else None
            ),
        )
        page.on("pageerror", lambda error: errors.append(str(error)))
        visitors.append(Visitor(page, installation.address, errors))
        return visitors[-1]

    yield make
    complaints = [text for visitor in visitors for text in visitor.errors]
    for context in contexts:
        context.close()
    assert not complaints
