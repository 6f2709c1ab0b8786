"""With JavaScript switched off one reads, filters, turns pages, comments and uploads."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Installation, Visitor

HOME = "/p/ledger-digits/"


@pytest.fixture
def reader(visit: Callable[..., Visitor]) -> Visitor:
    return visit("Piet de Jong", java_script_enabled=False)


def test_reading_filtering_and_turning_pages(reader: Visitor) -> None:
    page = reader.open(f"{HOME}samples/?view=table")
    everything = page.locator(".results h2").inner_text()
    page.locator('input[name="handwriting.quality"][value="stained"]').check()
    reader.press("Apply", "#filters")
    assert "handwriting.quality=stained" in page.url
    expect(page.locator(".results h2")).not_to_have_text(everything)
    reader.open(f"{HOME}samples/?view=table")
    first = page.locator(".rows-table tbody th").first.inner_text()
    page.locator("nav.pages a[rel=next], a[rel=next]").first.click()
    expect(page.locator(".rows-table tbody th").first).not_to_have_text(first)


def test_commenting(reader: Visitor) -> None:
    page = reader.open(f"{HOME}samples/L00001/")
    page.locator("#discussion textarea").last.fill("Read without a script.")
    reader.press("Comment", "#discussion")
    expect(page.get_by_text("Read without a script.")).to_be_visible()


def test_uploading_a_table_as_far_as_its_report(
    reader: Visitor, installation: Installation
) -> None:
    page = reader.open(f"{HOME}data/new/")
    reader.press("Continue")
    page.set_input_files("#files", installation.study / "entries.csv")
    reader.press("Upload and check")
    expect(reader.heading()).to_have_text("What was found")
    expect(page.locator("main")).to_contain_text("entries.csv")
    reader.press("Cancel the upload")
    expect(page.locator("#toasts")).to_contain_text("The upload was cancelled")
