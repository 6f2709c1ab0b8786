"""Noise on the run's page and in the form."""

import pytest
from django.test import Client

from apps.experiments.recipe import estimates
from apps.experiments.recipe.forms import RunForm, initial_of
from apps.experiments.report.overview import noise
from fusion.encoders import catalogue
from fusion.schema.recipe import Evaluation, Recipe
from tests.experiments import factory
from tests.experiments.pages import page_text
from tests.experiments.test_pages import QUERIES

pytestmark = pytest.mark.django_db


def test_the_page_draws_what_noise_costs_and_says_what_was_done(
    client: Client, team: object, django_assert_max_num_queries: object
) -> None:
    run = factory.with_noise(factory.finished_run(team.project, team.owner))
    client.force_login(team.viewer)
    with django_assert_max_num_queries(QUERIES):
        text = client.get(run.get_absolute_url()).content.decode()
    assert "What if an input is noisy?" in text
    assert "Noise of 0 dB on speech costs most: −.180, clearly." in text
    assert "speech: white noise at 20 dB, 10 dB, 0 dB below the recording" in text
    lines = noise.plot(run.evaluation, factory.MODALITIES).lines
    assert [(line.label, line.kind, len(line.ys)) for line in lines] == [
        ("image", "image", 4),
        ("speech", "audio", 4),
        ("text", "text", 4),
    ]


def test_a_run_without_noise_shows_none(client: Client, team: object) -> None:
    run = factory.finished_run(team.project, team.owner)
    assert 'id="plot-noise"' not in page_text(client, team.viewer, run.get_absolute_url())


def test_the_form_asks_for_it_in_words_and_the_estimate_counts_every_level(team: object) -> None:
    aligned = factory.alignment(team.project, team.owner)
    plain = Recipe.default()
    form = RunForm(
        aligned, initial_of(plain, aligned, catalogue.default) | {"question": "q", "noise": True}
    )
    assert form.is_valid(), form.errors
    assert form.recipe.evaluation == Evaluation(noise=True)
    quick, noisy = (estimates.estimate(aligned, recipe, []) for recipe in (plain, form.recipe))
    assert noisy.high > quick.high
