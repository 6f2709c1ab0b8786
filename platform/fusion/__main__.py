"""The engine by command:

    python -m fusion train FOLDER [--recipe R.yaml] --out DIR
        train on a study folder, write a bundle
    python -m fusion evaluate DIR FOLDER
        judge a bundle on samples that it was not trained on
    python -m fusion evaluate --predictions P.parquet --truth T.parquet [--out R.json]
        judge a model trained elsewhere by its predictions
    python -m fusion compare DIR DIR ... [--reference DIR] [--json]
        compare runs by their predictions of the same test samples
    python -m fusion predict DIR FOLDER_OR_TABLE [--out P.parquet]
        predictions of a bundle, whatever inputs are there
    python -m fusion represent DIR FOLDER_OR_TABLE --out R.parquet
        fused representations, with the sample keys
    python -m fusion measure [--home DIR]
        how fast this machine is, kept for estimates
    python -m fusion recipes
        the recipes offered by name, as YAML

Progress goes to standard error, one JSON object to standard output; `compare` writes a table unless
asked for JSON.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, get_args

from fusion.core.progress import Progress
from fusion.schema.recipe import Recipe, RecipeError, presets
from fusion.schema.task_names import TaskName


class Terminal(Progress):
    """One line a stage and, about twice a second, how far it is."""

    def __init__(self) -> None:
        self.begun = time.monotonic()
        self.shown = 0.0
        self.name = ""

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self.begun:7.1f} s  {text}", file=sys.stderr, flush=True)

    def stages(self, names: Iterable[str]) -> None:
        self.say("stages: " + ", ".join(names))

    def stage(self, name: str) -> None:
        self.name = name
        self.say(name)

    def step(self, done: int, total: int, unit: str = "") -> None:
        if done == total or time.monotonic() - self.shown > 0.5:
            self.shown = time.monotonic()
            self.say(f"{self.name}: {done:,} of {total:,} {unit}".rstrip())

    def log(self, text: str) -> None:
        self.say(text)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m fusion", description="Train and judge fusion models without a server."
    )
    commands = top.add_subparsers(dest="command", required=True)
    for add in (add_train, add_evaluate, add_compare, add_apply, add_measure):
        add(commands)
    commands.add_parser("recipes", help="show the recipes offered by name").set_defaults(
        run=recipes
    )
    return top


def add_train(commands: Any) -> None:
    training = commands.add_parser("train", help="train on a study folder and write a bundle")
    training.add_argument("folder", type=Path, help="a study folder: study.yaml and its files")
    training.add_argument(
        "--recipe",
        help="a recipe file (YAML or JSON), or the name of a preset: " + ", ".join(presets()),
    )
    training.add_argument(
        "--out",
        type=Path,
        required=True,
        help="where the bundle goes; a run that was stopped goes on there",
    )
    training.add_argument(
        "--cache", type=Path, help="where embeddings are kept (default: the user's cache folder)"
    )
    training.add_argument(
        "--reference",
        type=Path,
        help="a run that criteria of protocols may ask a difference to (a folder of `train`)",
    )
    training.set_defaults(run=train)


def add_evaluate(commands: Any) -> None:
    judging = commands.add_parser(
        "evaluate",
        help="judge a bundle on samples that it was not trained on, or the predictions of any "
        "model",
    )
    judging.add_argument("bundle", type=Path, nargs="?")
    judging.add_argument("folder", type=Path, nargs="?", help="a study folder")
    judging.add_argument("--cache", type=Path)
    judging.add_argument(
        "--predictions",
        type=Path,
        help="key, probability:LABEL columns (or answer); single:MODALITY, seed, fold, prior",
    )
    judging.add_argument(
        "--truth", type=Path, help="key, label; cluster, and columns that make subgroups"
    )
    judging.add_argument("--name", default="predictions", help="what the result calls the model")
    judging.add_argument(
        "--protocols",
        type=Path,
        help="what the disciplines ask (YAML, as in study.yaml); slices ask for the truth's "
        "columns",
    )
    judging.add_argument(
        "--task",
        default="classification",
        choices=get_args(TaskName),
        help="what was asked (default: one of several labels)",
    )
    judging.add_argument(
        "--order", help="of the labels of an ordinal task: the lowest first, with commas"
    )
    judging.add_argument(
        "--reference",
        type=Path,
        help="the run that criteria may ask a difference to: its folder, or its answers with truth",
    )
    judging.add_argument(
        "--best", help="the single modality that the gain is over (default: the best one)"
    )
    judging.add_argument("--out", type=Path, help="also write the result here, as JSON")
    judging.set_defaults(run=evaluate)


def add_compare(commands: Any) -> None:
    comparing = commands.add_parser("compare", help="compare runs, paired on the same test samples")
    comparing.add_argument(
        "runs",
        type=Path,
        nargs="+",
        help="folders that `train` wrote, or Parquet files of answers with the truth",
    )
    comparing.add_argument(
        "--reference",
        type=Path,
        help="the run that the others are compared with (default: the first)",
    )
    comparing.add_argument("--json", action="store_true", help="the whole comparison as JSON")
    comparing.set_defaults(run=compare)


def add_apply(commands: Any) -> None:
    for name, function, words in (
        ("predict", predict, "answer samples with a bundle, whatever inputs they have"),
        ("represent", represent, "write the fused representation of samples"),
    ):
        applying = commands.add_parser(name, help=words)
        applying.add_argument("bundle", type=Path)
        applying.add_argument(
            "source",
            type=Path,
            help="a study folder, or a CSV or Parquet table with a column for each modality",
        )
        applying.add_argument(
            "--out", type=Path, required=name == "represent", help="a Parquet file to write"
        )
        applying.add_argument(
            "--method", help="another fusion method or single modality of the bundle"
        )
        applying.add_argument("--cache", type=Path)
        applying.set_defaults(run=function)


def add_measure(commands: Any) -> None:
    measuring = commands.add_parser(
        "measure",
        help="measure how fast this machine embeds and trains, and what memory that takes",
    )
    measuring.add_argument(
        "--home",
        type=Path,
        help="keep it in this folder (CONSILIENCE_HOME), where a server's estimates find it",
    )
    measuring.set_defaults(run=measure)


def train(options: argparse.Namespace) -> Any:
    recipe = recipe_of(options.recipe)
    if options.out.exists() and not options.out.is_dir():
        raise RecipeError([f"--out {options.out} is a file, not a folder."])
    from fusion.pipeline import run

    progress = Terminal()
    reference = answered_by(options.reference) if options.reference else None
    result = run.train(
        aligned_of(options.folder, progress),
        recipe,
        options.out,
        cache_of(options.cache),
        progress,
        reference=reference,
    )
    return {"bundle": str(options.out), **result.model_dump(mode="json")}


def evaluate(options: argparse.Namespace) -> Any:
    ways = [[options.bundle, options.folder], [options.predictions, options.truth]]
    if [all(way) for way in ways].count(True) != 1 or any(
        any(way) and not all(way) for way in ways
    ):
        raise RecipeError(["Give a bundle and a study folder, or --predictions and --truth."])
    result = judged_predictions(options) if options.predictions else judged_bundle(options)
    if options.out:
        from fusion.core.files import write_json

        write_json(options.out, result.model_dump(mode="json"))
    source = options.predictions or options.bundle
    return {
        "predictions" if options.predictions else "bundle": str(source),
        **result.model_dump(mode="json"),
    }


def judged_bundle(options: argparse.Namespace) -> Any:
    from fusion.pipeline import bundle_files, evaluate_bundle

    progress = Terminal()
    stored = bundle_files.load(options.bundle)
    return evaluate_bundle.score(
        stored, aligned_of(options.folder, progress), cache_of(options.cache), progress
    )


def judged_predictions(options: argparse.Namespace) -> Any:
    from fusion.evaluation import external
    from fusion.schema import protocol

    protocols = protocol.load(options.protocols) if options.protocols else []
    order = [label.strip() for label in (options.order or "").split(",") if label.strip()]
    reference = answered_by(options.reference) if options.reference else None
    settings = {
        "protocols": protocols,
        "reference": reference,
        "task": options.task,
        "order": order,
    }
    return external.judge(
        options.predictions, options.truth, options.name, options.best, **settings
    )


def compare(options: argparse.Namespace) -> Any:
    from fusion.evaluation import compare as comparing

    paths = list(
        dict.fromkeys([*([options.reference] if options.reference else []), *options.runs])
    )
    comparison = comparing.compare(
        [answered_by(path) for path in paths], str(options.reference) if options.reference else None
    )
    return (
        comparison.model_dump(mode="json")
        if options.json
        else "\n".join(comparing.table(comparison))
    )


def answered_by(path: Path) -> Any:
    from fusion.evaluation.compare import read

    return read(path / "predictions.parquet" if path.is_dir() else path, str(path))


def measure(options: argparse.Namespace) -> Any:
    from fusion.estimates.machine import Machine
    from fusion.pipeline.benchmark import measure as measured

    machine = measured(Machine.load(options.home) if options.home else Machine(), Terminal())
    if options.home:
        options.home.mkdir(parents=True, exist_ok=True)
        machine.save(options.home)
    return machine.model_dump(mode="json")


def predict(options: argparse.Namespace) -> Any:
    from fusion.pipeline import batch_predict, bundle_files

    stored = bundle_files.load(options.bundle)
    predictions = batch_predict.predict(
        stored, options.source, cache_of(options.cache), Terminal(), options.method
    )
    if options.out is None:
        return {
            "bundle": str(options.bundle),
            "labels": stored.labels,
            "answers": predictions.to_pylist(),
        }
    batch_predict.write(predictions, options.out)
    return {"bundle": str(options.bundle), "samples": len(predictions), "out": str(options.out)}


def represent(options: argparse.Namespace) -> Any:
    from fusion.pipeline import batch_predict, bundle_files

    vectors = batch_predict.represent(
        bundle_files.load(options.bundle),
        options.source,
        cache_of(options.cache),
        Terminal(),
        options.method,
    )
    batch_predict.write(vectors, options.out)
    return {"bundle": str(options.bundle), "samples": len(vectors), "out": str(options.out)}


def recipes(options: argparse.Namespace) -> Any:
    return {name: recipe.model_dump(mode="json") for name, recipe in presets().items()}


def recipe_of(name: str | None) -> Recipe:
    if name is None:
        return Recipe.default()
    return presets()[name] if name in presets() else Recipe.load(name)


def aligned_of(folder: Path, progress: Progress) -> Any:
    from fusion.data.study import Study
    from fusion.data.study_columns import align

    progress.log(f"reading {folder}")
    return align(Study.load(folder), lambda finding: progress.log(str(finding)))


def cache_of(folder: Path | None) -> Any:
    from fusion.encoders.cache import Cache

    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Cache(folder or Path(home) / "consilience" / "embeddings")


def user_errors() -> tuple[type[Exception], ...]:
    """The errors that a person can cause and put right; anything else is a fault of ours and keeps
    its traceback.
    """
    from fusion.data.alignment import AlignmentError
    from fusion.data.modalities import BrokenFile
    from fusion.data.study import StudyError
    from fusion.encoders.base import EncoderError
    from fusion.evaluation.compare import CannotCompare
    from fusion.evaluation.prediction_tables import TableError
    from fusion.pipeline.bundle import BundleError
    from fusion.pipeline.raw_inputs import InputError
    from fusion.schema.protocol import ProtocolError

    return (
        RecipeError,
        StudyError,
        AlignmentError,
        EncoderError,
        BundleError,
        TableError,
        InputError,
        ProtocolError,
        CannotCompare,
        BrokenFile,
        OSError,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        reply = options.run(options)
        print(reply if isinstance(reply, str) else json.dumps(reply, ensure_ascii=False))
    except KeyboardInterrupt:
        print("Stopped. The same command goes on from here.", file=sys.stderr)
        return 130
    except Exception as error:
        if not isinstance(error, user_errors()):
            raise
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
