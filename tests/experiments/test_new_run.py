"""Starting a run: the form and the text are two views of one recipe, and wrong input is named at
its field.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from django.core.exceptions import ValidationError
from django.test import Client

from apps.datasets.models import Alignment
from apps.experiments.models import Run
from apps.experiments.recipe import alignment_facts, preflight
from apps.experiments.recipe.forms import RunForm, initial_of
from apps.experiments.services import start_run
from apps.projects.models import Event
from fusion.encoders import catalogue
from fusion.estimates.machine import Machine
from fusion.schema.recipe import Recipe
from tests.experiments import factory

pytestmark = pytest.mark.django_db


@pytest.fixture
def aligned(team: object) -> Alignment:
    return factory.alignment(team.project, team.owner)


def fields(aligned: Alignment, recipe: Recipe | None = None, **changes: Any) -> dict[str, Any]:
    """The fields that a browser would send for the form of a recipe."""
    initial = initial_of(recipe or Recipe.default(), aligned, catalogue.default)
    sent = {
        name: "on" if value is True else value
        for name, value in initial.items()
        if value not in (False, None)
    }
    return (
        sent
        | {"question": "Does it help?", "alignment": aligned.number, "preset": "standard"}
        | changes
    )


def post(client: Client, team: object, data: dict[str, Any]) -> Any:
    client.force_login(team.contributor)
    return client.post(f"/p/{team.project.slug}/runs/new/", data)


def test_without_a_frozen_alignment_the_page_says_what_to_do_first(
    client: Client, team: object
) -> None:
    client.force_login(team.contributor)
    text = client.get(f"/p/{team.project.slug}/runs/new/").content.decode()
    assert "There is no frozen alignment yet" in text
    assert "alignments/new/" in text


def test_the_form_fits_in_the_query_budget(
    client: Client, team: object, aligned: Alignment, django_assert_max_num_queries: object
) -> None:
    factory.finished_run(team.project, team.owner, aligned)
    client.force_login(team.contributor)
    with django_assert_max_num_queries(25):
        text = client.get(f"/p/{team.project.slug}/runs/new/?from=1").content.decode()
    assert "From run 1" in text
    assert "Nothing so far: it would repeat that run." in text


def test_the_form_starts_a_run_with_exactly_its_recipe(
    client: Client, team: object, aligned: Alignment
) -> None:
    answer = post(
        client,
        team,
        fields(aligned, method="gated", seeds="4, 5", epochs="9", layers_image="7, 10"),
    )
    run = Run.objects.get()
    assert answer.status_code == 302
    recipe = Recipe.parse(run.recipe)
    assert (recipe.method, recipe.compare, recipe.training.seeds, recipe.training.epochs) == (
        "gated",
        ["late", "concat"],
        [4, 5],
        9,
    )
    assert recipe.encoders["image"][0].layers == [7, 10]
    assert (run.question, run.job.queue, run.method) == ("Does it help?", "cpu", "gated")
    assert Event.objects.get(verb="run.started").target_id == str(run.number)


def test_the_estimate_does_not_wait_for_the_question(
    client: Client, team: object, aligned: Alignment
) -> None:
    gone = "The summary comes back when the fields with errors are corrected."
    client.force_login(team.contributor)
    address = f"/p/{team.project.slug}/runs/new/?do=preview"
    page = client.post(address, fields(aligned, question="", seeds="0"))
    assert gone not in page.content.decode()
    assert page.context["summary"].recipe.training.seeds == [0]
    assert gone in client.post(address, fields(aligned, question="", seeds="none")).content.decode()
    assert post(client, team, fields(aligned, question="")).status_code == 422
    assert not Run.objects.exists()


def test_the_precision_of_encoders_is_one_field_and_stays_in_a_clone(
    client: Client, team: object, aligned: Alignment
) -> None:
    post(client, team, fields(aligned, precision="bf16"))
    run = Run.objects.get()
    assert run.recipe["precision"] == "bf16"
    assert (
        "bfloat16, about twice as fast"
        in client.get(f"/p/{team.project.slug}/runs/new/?from={run.number}").content.decode()
    )
    assert fields(aligned, Recipe.parse(run.recipe))["precision"] == "bf16"


def test_a_floor_is_asked_for_with_one_switch(
    client: Client, team: object, aligned: Alignment
) -> None:
    post(client, team, fields(aligned, method="gated"))
    post(client, team, fields(aligned, method="gated", floor="on"))
    assert [run.recipe["training"]["floor"] for run in Run.objects.order_by("number")] == [
        False,
        True,
    ]


def test_an_unused_modality_stays_out(client: Client, team: object, aligned: Alignment) -> None:
    data = fields(aligned)
    del data["use_text"]
    post(client, team, data)
    run = Run.objects.get()
    assert run.recipe["modalities"] == ["image", "speech"]
    assert list(run.kinds) == ["image", "speech"]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("question", "", "required"),
        ("seeds", "one, two", "Write whole numbers"),
        ("seeds", "1, 1", "names the same seed twice"),
        ("epochs", "0", "must be at least 1"),
        ("learning_rate", "7", "must be at most 1"),
        ("draws", "3", "must be at least 50"),
        ("encoder_image", "no-such-encoder", "There is no encoder no-such-encoder"),
        ("encoder_image", "minilm-l6-v2", "does not read this kind of input"),
    ],
)
def test_wrong_input_is_named_at_its_field(
    client: Client, team: object, aligned: Alignment, field: str, value: str, words: str
) -> None:
    answer = post(client, team, fields(aligned, **{field: value}))
    assert answer.status_code == 422
    assert words in " ".join(answer.context["form"].errors[field])
    assert f'href="#id_{field}"' in answer.content.decode()
    assert not Run.objects.exists()


def test_without_any_modality_nothing_starts(
    client: Client, team: object, aligned: Alignment
) -> None:
    data = {name: value for name, value in fields(aligned).items() if not name.startswith("use_")}
    assert post(client, team, data).status_code == 422
    assert not Run.objects.exists()


def test_form_and_yaml_are_the_same_state(client: Client, team: object, aligned: Alignment) -> None:
    shown = post(client, team, fields(aligned, method="concat", hidden_dim="32", do="yaml"))
    text = shown.context["form"].initial["yaml"]
    assert (yaml.safe_load(text)["method"], yaml.safe_load(text)["training"]["hidden_dim"]) == (
        "concat",
        32,
    )
    back = post(
        client,
        team,
        {
            "question": "Why?",
            "alignment": aligned.number,
            "yaml": text.replace("hidden_dim: 32", "hidden_dim: 48"),
            "do": "form",
        },
    )
    assert isinstance(back.context["form"], RunForm)
    assert back.context["form"].initial["hidden_dim"] == 48
    assert back.context["form"].initial["method"] == "concat"


def test_yaml_names_the_setting_that_is_wrong(
    client: Client, team: object, aligned: Alignment
) -> None:
    answer = post(
        client,
        team,
        {
            "question": "Why?",
            "alignment": aligned.number,
            "yaml": "method: magic\ntraining: {epochs: -1}",
        },
    )
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "training.epochs: must be at least 1" in text
    assert "method: must be" in text


def test_yaml_starts_a_run(client: Client, team: object, aligned: Alignment) -> None:
    assert (
        post(
            client, team, {"question": "Why?", "alignment": aligned.number, "yaml": "method: gated"}
        ).status_code
        == 302
    )
    assert Run.objects.get().method == "gated"


def test_a_clone_says_what_differs(client: Client, team: object, aligned: Alignment) -> None:
    parent = factory.finished_run(team.project, team.owner, aligned)
    answer = post(
        client,
        team,
        fields(
            aligned,
            method="gated",
            epochs="7",
            do="preview",
            **{"from": parent.number, "preset": "parent"},
        ),
    )
    names = [row.name for row in answer.context["summary"].differs]
    assert names == ["method", "compare", "training.epochs"]
    assert (
        post(client, team, fields(aligned, epochs="7", **{"from": parent.number})).status_code
        == 302
    )
    assert Run.objects.get(parent=parent).recipe["training"]["epochs"] == 7


def test_what_no_field_shows_survives_the_form(
    client: Client, team: object, aligned: Alignment
) -> None:
    recipe = Recipe.parse(
        {
            "description": "kept",
            "encoders": {
                "image": [{"name": "efficientnet-lite0"}, {"name": "pixels", "resolution": 14}]
            },
        }
    )
    post(client, team, fields(aligned, recipe))
    run = Run.objects.get()
    assert run.recipe["description"] == "kept"
    assert run.recipe["encoders"]["image"][1]["resolution"] == 14


GB = 1024.0


def measured(**changes: Any) -> None:
    from django.conf import settings

    Machine(
        **(
            {"seconds_a_step": {"": 0.001}, "base_mb": 600, "memory_mb": 24 * GB, "runs": 3}
            | changes
        )
    ).save(settings.HOME)


@pytest.fixture
def home(settings: Any, tmp_path: Path) -> Path:
    settings.HOME = tmp_path
    return tmp_path


def test_the_form_says_what_a_run_will_take_and_from_what_it_knows(
    client: Client, team: object, aligned: Alignment, home: Path
) -> None:
    client.force_login(team.contributor)
    address = f"/p/{team.project.slug}/runs/new/"
    assert "from typical figures" in client.get(address).content.decode()
    measured()
    text = client.get(address).content.decode()
    assert "from what 3 runs took on this installation" in text
    assert "the worker has 24.0 GB" in text


def test_a_run_that_cannot_fit_is_refused_with_what_to_change(
    client: Client, team: object, aligned: Alignment, home: Path
) -> None:
    measured(memory_mb=400)
    text = post(client, team, fields(aligned)).content.decode()
    assert "the worker has 400 MB" in text
    assert "use fewer inputs" in text
    assert not Run.objects.exists()


def test_the_service_refuses_it_as_well(team: object, aligned: Alignment, home: Path) -> None:
    measured(memory_mb=400)
    with pytest.raises(ValidationError, match="use fewer inputs"):
        start_run(team.contributor, team.project, aligned, Recipe.default(), "Does it fit?")
    assert not Run.objects.exists()


def test_a_full_disk_is_told_before_the_start(
    client: Client, team: object, aligned: Alignment, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "apps.experiments.recipe.preflight.shutil.disk_usage",
        lambda _path: SimpleNamespace(free=2**20),
    )
    text = post(client, team, fields(aligned)).content.decode()
    assert "the disk has 1 MB left" in text
    assert not Run.objects.exists()


def test_vectors_that_are_there_need_no_disk(
    team: object, aligned: Alignment, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = alignment_facts.complete(aligned, Recipe.default())
    factory.finished_run(team.project, team.owner, aligned, recipe=recipe.model_dump(mode="json"))
    monkeypatch.setattr(
        "apps.experiments.recipe.preflight.shutil.disk_usage",
        lambda _path: SimpleNamespace(free=2**20),
    )
    assert preflight.problems(aligned, Recipe.default()) == {}


def test_an_encoder_that_is_too_large_is_named(
    team: object, aligned: Alignment, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured(memory_mb=2 * GB)
    monkeypatch.setattr(
        "fusion.estimates.cost.weights_mb", lambda name: 3 * GB if name == "minilm-l6-v2" else 0.0
    )
    [words] = preflight.problems(
        aligned, Recipe.parse({"encoders": {"text": [{"name": "minilm-l6-v2"}]}})
    )["memory"]
    assert "MiniLM" in words
    assert "choose a smaller one" in words
