"""Words that open what they mean: once on a page, by keyboard, without a script, and nothing for
axe to find.
"""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.http import HttpRequest
from django.template import Context, Template
from django.test import Client
from django.utils import translation
from playwright.sync_api import Browser

from apps.ui.glossary import TERMS
from tests.experiments import factory
from tests.ui.test_gallery import chromium  # noqa: F401


def test_a_word_is_explained_once_on_a_page_however_often_it_stands_there() -> None:
    html = Template('{% load ui %}{% terms "gain" "ece" %}{% terms "gain" %}').render(
        Context({"request": HttpRequest()})
    )
    assert html.count('popovertarget="term-gain"') == 2
    assert html.count('id="term-gain" popover') == 1
    assert html.count("on the same samples") == 1


def test_every_word_has_one_sentence_in_both_languages() -> None:
    assert TERMS
    for term in TERMS.values():
        english = str(term.text)
        assert english.endswith(".")
        assert "." not in english[:-1].replace("0.5", "")
        with translation.override("zh-hans"):
            assert str(term.text) != english


@pytest.fixture
def page(chromium: Browser, live_server: object, client: Client, team: object) -> Iterator[object]:  # noqa: F811
    aligned = factory.alignment(team.project, team.owner)
    run = factory.finished_run(team.project, team.owner, aligned)
    client.force_login(team.owner)
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    context.add_cookies(
        [{"name": "session", "value": client.cookies["session"].value, "url": live_server.url}]
    )
    page = context.new_page()
    page.goto(f"{live_server.url}{run.get_absolute_url()}")
    yield page
    context.close()


@pytest.mark.ui
def test_it_opens_and_closes_by_the_keyboard_and_axe_finds_nothing(page: object) -> None:
    word, meaning = page.locator('[popovertarget="term-ece"]').first, page.locator("#term-ece")
    assert not meaning.is_visible()
    word.focus()
    page.keyboard.press("Enter")
    assert meaning.is_visible()
    box = meaning.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert Axe().run(page).response["violations"] == []
    page.keyboard.press("Escape")
    assert not meaning.is_visible()
