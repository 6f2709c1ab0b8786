"""Retrieval in the fused representation, on a run's page."""

from typing import Any

import pytest
from django.test import Client

from apps.experiments.report.overview import retrieval
from tests.experiments import factory
from tests.experiments.pages import page_text

pytestmark = pytest.mark.django_db


def test_what_finds_what_stands_in_words(client: Client, team: Any) -> None:
    page = page_text(
        client, team.viewer, factory.finished_run(team.project, team.owner).get_absolute_url()
    )
    assert (
        "Given the image, its own speech is among the ten nearest in 22 of 100; by chance in 4."
        in page
    )
    assert "Given the text, its speech is not found more often than by chance." in page
    assert "Of the ten nearest others 14 % to 66 % bear the same label; by chance 10 %." in page
    assert "66 % same label" in page
    assert "Late fusion joins inputs by what they say of the label" in page


def test_a_run_that_was_judged_before_says_nothing_of_it(client: Client, team: Any) -> None:
    result = factory.result().model_dump(mode="json")
    del result["retrieval"]
    run = factory.finished_run(team.project, team.owner, result=result)
    assert retrieval.section(run.evaluation) is None
    assert 'id="space"' not in page_text(client, team.viewer, run.get_absolute_url())
