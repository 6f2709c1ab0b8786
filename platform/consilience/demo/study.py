"""The demo study's description: its study.yaml, and the annotators of the images."""

from typing import Any

ANNOTATORS = ("Amara Okafor", "Piet de Jong")

VISION = {
    "code": "VI",
    "name": "Vision",
    "datasets": [
        {
            "name": "handwriting",
            "table": "vision_team.csv",
            "licence": "CC-BY-4.0",
            "description": (
                "One handwritten digit a sample (UCI optical digits, by way of scikit-learn); "
                "about half of them stained on purpose."
            ),
            "columns": {"file": {"kind": "image"}, "quality": {"kind": "category"}},
        }
    ],
}
SPEECH = {
    "code": "SP",
    "name": "Speech",
    "datasets": [
        {
            "name": "dictation",
            "table": "speech_team.csv",
            "licence": "CC0-1.0",
            "description": (
                "The digit dictated by a synthetic voice (SVOX Pico); about half of them under "
                "babble."
            ),
            "columns": {
                "file": {"kind": "audio"},
                "seconds": {"kind": "number"},
                "quality": {"kind": "category"},
            },
        }
    ],
}
LANGUAGE = {
    "code": "LI",
    "name": "Language",
    "datasets": [
        {
            "name": "remarks",
            "table": "language_team.csv",
            "licence": "CC0-1.0",
            "description": (
                "What the clerk wrote beside the entry: a hint that never names the digit. "
                "Written for the demo."
            ),
            "columns": {"remark": {"kind": "text"}},
        }
    ],
}
INSTRUMENTS = {
    "code": "IN",
    "name": "Instruments",
    "datasets": [
        {
            "name": "entries",
            "table": "entries.csv",
            "licence": "CC0-1.0",
            "description": (
                "The entries of the ledger: the digit that was meant, the station and the form."
            ),
            "columns": {
                "digit": {"kind": "label"},
                "station": {"kind": "group"},
                "form": {"kind": "group"},
            },
        },
        {
            "name": "balance",
            "table": "instruments_team.csv",
            "licence": "CC0-1.0",
            "description": (
                "Three readings of a drifting balance, one balance a station, and the room's "
                "temperature. Simulated."
            ),
            "columns": {
                name: {"kind": "number"}
                for name in ("reading_1", "reading_2", "reading_3", "celsius")
            },
        },
    ],
}


def study(speech: bool) -> dict[str, Any]:
    """The content of study.yaml; without voices (macOS) there is no speech team."""
    modalities = {
        "image": "handwriting.file",
        "speech": "dictation.file",
        "text": "remarks.remark",
        "scale": ["balance.reading_1", "balance.reading_2", "balance.reading_3"],
    }
    if not speech:
        del modalities["speech"]
    return {
        "name": "ledger-digits",
        "title": "Ledger digits",
        "goal": (
            "Tell which digit was entered in the ledger, also where one team has nothing to go by."
        ),
        "key": "sample_id",
        "disciplines": [VISION, SPEECH, LANGUAGE, INSTRUMENTS]
        if speech
        else [VISION, LANGUAGE, INSTRUMENTS],
        "alignment": {
            "label": "entries.digit",
            "groups": ["entries.station"],
            "cluster": "entries.form",
            "modalities": modalities,
            "split": {"policy": "grouped-k-fold", "folds": 3},
        },
        "annotations": [
            {"discipline": "VI", "table": "labels.csv", "annotator": "annotator", "label": "digit"}
        ],
    }
