"""Encoders that are trained along, in the platform: the form asks in plain words, a run does it and
its pages say so.
"""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from apps.datasets.models import Alignment
from apps.experiments import services
from apps.experiments.models import Run
from apps.experiments.recipe.preflight import problems
from apps.jobs.models import Job
from apps.jobs.work import perform
from fusion.core.fit_key import FitKey
from fusion.estimates.machine import Machine
from fusion.schema.recipe import Recipe
from tests.experiments import factory, small
from tests.experiments.test_new_run import fields, home, post  # noqa: F401

ASKED = {
    "tune_text": "lora",
    "tuning_rank_text": "4",
    "tuning_epochs_text": "2",
    "tuning_accumulate_text": "2",
}


@pytest.fixture
def aligned(team: object) -> Alignment:
    return factory.alignment(team.project, team.owner)


@pytest.mark.django_db
def test_the_form_asks_how_an_encoder_is_trained_and_the_recipe_says_so(
    client: Client, team: object, aligned: Alignment
) -> None:
    assert (
        post(client, team, fields(aligned, **ASKED, tuning_checkpointing_text="on")).status_code
        == 302
    )
    [choice] = Recipe.parse(Run.objects.get().recipe).encoders["text"]
    assert choice.tune == "lora"
    assert choice.tuning.model_dump(exclude_defaults=True) == {
        "rank": 4,
        "epochs": 2,
        "accumulate": 2,
        "checkpointing": True,
    }
    assert Run.objects.get().job.stages == ["read", "embed", "tune", "train", "evaluate", "bundle"]


@pytest.mark.django_db
def test_form_yaml_and_form_again_say_the_same_of_tuning(
    client: Client, team: object, aligned: Alignment
) -> None:
    text = post(client, team, fields(aligned, **ASKED, do="yaml")).context["form"].initial["yaml"]
    back = post(
        client, team, {"question": "Why?", "alignment": aligned.number, "yaml": text, "do": "form"}
    ).context["form"]
    assert {name: str(back.initial[name]) for name in ASKED} == ASKED
    again = post(
        client,
        team,
        {name: value for name, value in back.initial.items() if value not in (None, False)}
        | {"do": "yaml"},
    )
    assert Recipe.from_text(again.context["form"].initial["yaml"]) == Recipe.from_text(text)


@pytest.mark.django_db
def test_only_encoders_with_weights_can_be_trained(
    client: Client, team: object, aligned: Alignment
) -> None:
    answer = post(client, team, fields(aligned, encoder_image="pixels", tune_image="full"))
    assert answer.status_code == 422
    assert "no weights that could be trained" in " ".join(
        answer.context["form"].errors["tune_image"]
    )
    answer = post(client, team, fields(aligned, tune_text="lora", tuning_rank_text="0"))
    assert "must be at least 1" in " ".join(answer.context["form"].errors["tuning_rank_text"])
    assert not Run.objects.exists()


@pytest.mark.django_db
def test_tuning_that_cannot_fit_is_refused_with_what_to_change(
    team: object,
    aligned: Alignment,
    home: Any,  # noqa: F811
) -> None:
    Machine(seconds_a_step={"": 0.001}, base_mb=600, memory_mb=900, runs=3).save(home)
    choice = {
        "name": "minilm-l6-v2",
        "tune": "full",
        "tuning": {"batch_size": 64, "checkpointing": True},
    }
    [words] = problems(aligned, Recipe.parse({"encoders": {"text": [choice]}}))["memory"]
    assert "training the encoder MiniLM" in words
    assert "LoRA" in words
    assert "halve its batch" in words
    assert "compute twice" not in words


@pytest.mark.django_db(transaction=True)
def test_a_run_with_lora_ends_and_its_pages_show_it(client: Client, team: object) -> None:
    recipe = small.recipe(epochs=2).model_dump()
    recipe["encoders"]["text"] = [
        {"name": "tiny-text", "tune": "lora", "tuning": {"epochs": 2, "blocks": 1}}
    ]
    run = services.start_run(
        team.owner,
        team.project,
        small.frozen(team.project, team.owner),
        Recipe.parse(recipe),
        "Does LoRA run?",
    )
    perform(str(run.job_id))
    run.job.refresh_from_db()
    assert (run.job.state, run.job.error) == (Job.State.FINISHED, "")
    client.force_login(team.owner)
    shown = client.get(run.get_absolute_url()).content.decode()
    assert "LoRA, 2 epochs" in shown
    assert "tune lora" in client.get(f"{run.get_absolute_url()}settings/").content.decode()
    tuned = run.metrics.filter(model="tune:text").first()
    assert (tuned.name, tuned.epoch) == ("train_loss", 1)
    place = FitKey(tuned.model, tuned.fold, tuned.inner).place
    curves = client.get(f"{run.get_absolute_url()}curves/", {"round": place})
    assert "encoder of text" in curves.content.decode()
    Job.objects.filter(pk=run.job_id).update(state=Job.State.STOPPED, stage="tune")
    assert "Fine-tune" in client.get(run.get_absolute_url()).content.decode()
    assert Machine.load(settings.HOME).tuning["lora"] > 0


@pytest.mark.django_db
def test_the_form_refuses_a_pooling_that_the_encoder_does_not_know(
    client: Client, team: object, aligned: Alignment
) -> None:
    answer = post(
        client,
        team,
        fields(
            aligned, pooling_image="grid", encoder_image="efficientnet-lite0", pooling_text="grid"
        ),
    )
    assert "pooling_text" in answer.context["form"].errors  # no encoder of texts knows it


@pytest.mark.django_db
def test_a_run_of_an_earlier_version_with_removed_settings_has_its_page(
    client: Client, team: object, aligned: Alignment
) -> None:
    run = factory.finished_run(team.project, team.owner, aligned)
    mixed = {"name": "minilm-l6-v2", "layers": [4, 5, 6], "mix": True, "attend": True}
    recipe = run.recipe | {"encoders": {"text": [mixed]}, "ensemble": {"seeds": True}}
    weights = {"mixes": [{"shares": [0.1, 0.2, 0.7]}], "attended": []}
    Run.objects.filter(pk=run.pk).update(recipe=recipe, result=run.result | weights)
    client.force_login(team.owner)
    assert client.get(run.get_absolute_url()).status_code == 200
