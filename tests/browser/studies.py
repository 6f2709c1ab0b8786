"""Study folders for the main job, with files that are broken on purpose, and zips of them."""

import csv
import random
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

DISCIPLINES = {"VI": "Vision", "SP": "Speech", "LI": "Language"}


@dataclass
class Study:
    """A folder, its zip, and what the check must find: the path of a file, and its row in its
    team's table.
    """

    folder: Path
    zip: Path
    broken: dict[str, int]


def demo_study(made: Path, place: Path) -> Study:
    """The demo's study for three disciplines, out of the folder that `made` is. One image is cut in
    half, one recording is no recording.
    """
    folder = place / "ledger"
    shutil.copytree(made, folder)
    for name in ("labels.csv", "instruments_team.csv"):
        (folder / name).unlink()
    said = yaml.safe_load((folder / "study.yaml").read_text(encoding="utf-8"))
    write(folder, without_instruments(said))
    broken = dict([nth(folder / "vision_team.csv", 4), nth(folder / "speech_team.csv", 9)])
    image, recording = (folder / path for path in broken)
    image.write_bytes(image.read_bytes()[:200])
    recording.write_bytes(b"not a recording")
    return Study(folder, zipped(folder), broken)


def study_of_task(place: Path, task: str) -> Study:
    """Two tables of numbers about 120 plants at three sites, which a height (a number) or a few
    kinds (tags) is to be told from.
    """
    folder, dice = place / "plants", random.Random(2)
    folder.mkdir()
    leaves, roots, answers = [], [], []
    for number in range(120):
        key, kind = f"P{number:03}", number % 3
        leaves.append(
            {
                "plant": key,
                "length": f"{kind + dice.gauss(0, 0.4):.2f}",
                "width": f"{dice.gauss(0, 1):.2f}",
            }
        )
        roots.append(
            {
                "plant": key,
                "depth": f"{2 * kind + dice.gauss(0, 1):.2f}",
                "mass": f"{dice.gauss(0, 1):.2f}",
            }
        )
        found = (
            f"{150 + 10 * kind + dice.gauss(0, 2):.1f}"
            if task == "regression"
            else ("tall", "tall;wet", "wet;shade")[kind]
        )
        answers.append(
            {
                "plant": key,
                "found": found,
                "site": f"site {number % 3}",
                "bed": f"bed {number % 15}",
            }
        )
    for name, rows in (("leaves", leaves), ("roots", roots), ("answers", answers)):
        write_table(folder / f"{name}.csv", rows)
    found_in = {
        "found": {"kind": "number" if task == "regression" else "tags"},
        "site": {"kind": "group"},
        "bed": {"kind": "group"},
    }
    shoot = [
        {"name": "leaves", "table": "leaves.csv"},
        {"name": "answers", "table": "answers.csv", "columns": found_in},
    ]
    said = {
        "name": "plants",
        "title": "Plants",
        "goal": "Tell what a plant is like from its leaves and its roots.",
        "key": "plant",
        "disciplines": [
            {"code": "SH", "name": "Shoots", "datasets": shoot},
            {"code": "RO", "name": "Roots", "datasets": [{"name": "roots", "table": "roots.csv"}]},
        ],
        "alignment": {
            "label": "answers.found",
            "groups": ["answers.site"],
            "cluster": "answers.bed",
            "modalities": {
                "leaf": ["leaves.length", "leaves.width"],
                "root": ["roots.depth", "roots.mass"],
            },
            "split": {"policy": "leave-one-group-out"},
        },
    }
    write(folder, said)
    return Study(folder, zipped(folder), {})


def without_instruments(said: dict[str, Any]) -> dict[str, Any]:
    """Language keeps the entries; the annotations and the balance stay behind."""
    kept = {one["code"]: one for one in said["disciplines"] if one["code"] in DISCIPLINES}
    entries = next(
        one for team in said["disciplines"] for one in team["datasets"] if one["name"] == "entries"
    )
    kept["LI"] = {**kept["LI"], "datasets": [entries, *kept["LI"]["datasets"]]}
    modalities = {
        name: source for name, source in said["alignment"]["modalities"].items() if name != "scale"
    }
    return {
        **{name: said[name] for name in ("title", "goal", "key")},
        "name": "ledger",
        "disciplines": list(kept.values()),
        "alignment": {**said["alignment"], "modalities": modalities},
    }


def write(folder: Path, said: dict[str, Any]) -> None:
    (folder / "study.yaml").write_text(
        yaml.safe_dump(said, sort_keys=False, allow_unicode=True), encoding="utf-8"
    )


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def nth(table: Path, place: int) -> tuple[str, int]:
    """The path in column `file` of a row, and the line of its row, which the report names."""
    return rows_of(table)[place]["file"], place + 2


def zipped(folder: Path) -> Path:
    return Path(shutil.make_archive(str(folder), "zip", folder))


def media(folder: Path, name: str, paths: list[str]) -> Path:
    """A zip of some files of the folder under the paths that its tables name."""
    target = folder.parent / name
    with zipfile.ZipFile(target, "w") as archive:
        for path in paths:
            archive.write(folder / path, path)
    return target


def cut(source: Path, place: Path, samples: int) -> Study:
    """The first samples of a real study, with the broken files among them and as many broken ones
    from further on as that lacks.
    """
    folder = place / source.name
    folder.mkdir(parents=True)
    keys = wanted(source, samples)
    said = yaml.safe_load((source / "study.yaml").read_text(encoding="utf-8"))
    tables = [dataset["table"] for team in said["disciplines"] for dataset in team["datasets"]]
    broken: dict[str, int] = {}
    defects = {row["sample_id"]: row["defect"] for row in rows_of(source / "defects.csv")}
    for table in tables:
        kept = [row for row in rows_of(source / table) if row["sample_id"] in keys]
        write_table(folder / table, kept)
        for number, row in enumerate(kept, 2):
            copy_media(source, folder, row)
            if defects.get(row["sample_id"]) == f"corrupt {table.partition('_')[0]}":
                broken[row["file"]] = number
    write(folder, said)
    return Study(folder, zipped(folder), broken)


def wanted(source: Path, samples: int) -> set[str]:
    """Equally many of each speaker, so that every fold has something to test, and one broken image
    and recording at least.
    """
    rows = rows_of(source / "samples.csv")
    step = len(rows) / samples
    chosen = {rows[int(place * step)]["sample_id"] for place in range(samples)}
    corrupt = [
        row["sample_id"]
        for row in rows_of(source / "defects.csv")
        if row["defect"].startswith("corrupt")
    ]
    return chosen | set(corrupt)


def write_table(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.DictWriter(file, list(rows[0]))
        out.writeheader()
        out.writerows(rows)


def copy_media(source: Path, folder: Path, row: dict[str, str]) -> None:
    if "file" not in row or not (source / row["file"]).is_file():
        return
    target = folder / row["file"]
    target.parent.mkdir(exist_ok=True)
    shutil.copyfile(source / row["file"], target)
