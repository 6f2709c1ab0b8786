"""What holds of every page in every variant: accessible, no wider than its window, one title, the
reader's language.
"""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }
}
MOST_NODES = 1_500
DENSE = {
    "gallery": 10_000,
    "run": 3_500,
    "map": 2_500,
    "predictions": 2_000,
    "model version": 1_800,
    "samples": 1_600,
}
"""More nodes than the rest may have: every component in every state; thirteen plots with their
tables; a dot a sample; lists of 48 rows; a model's card with its plots; a dozen facets.
"""
FACTS = """() => ({
    over: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    titles: [...document.querySelectorAll("h1")].map(title => title.textContent.trim()),
    language: document.documentElement.lang,
    nodes: document.querySelectorAll("*").length,
    title: document.title,
    twice: [...document.querySelectorAll("[id]")].map(one => one.id).filter((id, n, all) => all.indexOf(id) !== n),
})"""


def settle(page: Page) -> None:
    page.wait_for_load_state("load")
    page.evaluate("document.fonts.ready.then(() => true)")


def check(page: Page, language: str = "en", most_nodes: int = MOST_NODES) -> None:
    settle(page)
    violations = Axe().run(page, options=RULES).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in violations] == []
    facts = page.evaluate(FACTS)
    assert facts["over"] <= 0
    assert len(facts["titles"]) == 1
    assert facts["language"] == language
    assert facts["nodes"] <= most_nodes
    assert facts["title"].endswith("Consilience")
    assert facts["twice"] == []
