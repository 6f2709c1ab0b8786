"""Illustrative content for the gallery; people and figures are invented."""

import math
from datetime import timedelta
from typing import Any

from django import forms
from django.core.paginator import Page, Paginator
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.ui.plots import model

DISCIPLINES = [
    {"code": "VI", "name": "Vision", "slot": 6},
    {"code": "SP", "name": "Speech", "slot": 8},
    {"code": "LI", "name": "Linguistics", "slot": 2},
    {"code": "ML", "name": "Machine learning", "slot": 7},
    {"code": "RA", "name": "Radiology", "slot": 5},
    {"code": "EC", "name": "Ecology", "slot": 4},
    {"code": "ET", "name": "Ethnography", "slot": 3},
    {"code": "ME", "name": "Medicine", "slot": 1},
]
NAMES = [
    "Amara Okafor",
    "Lin Mei",
    "Eszter Nagy",
    "Inês Costa",
    "Kofi Mensah",
    "Piet de Jong",
    "Rosa Haas",
    "Tove Vik",
]
PEOPLE = [
    {"name": name, "slot": DISCIPLINES[index % 4]["slot"]} for index, name in enumerate(NAMES)
]
KINDS = ["image", "text", "audio", "table", "series", "knowledge"]
NINE = "M60 22c-12-6-28 0-28 16 0 14 18 18 28 6M62 20c2 20-4 40-10 56"
PICTURE = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 96 96'%3E%3Crect "
    "width='96' height='96'/%3E"
    f"%3Cpath d='{NINE}' fill='none' stroke='white' stroke-width='8' "
    "stroke-linecap='round'/%3E%3C/svg%3E"
)


class ExampleForm(forms.Form):
    batch = forms.IntegerField(
        label=gettext_lazy("Batch size"), help_text=gettext_lazy("Samples at a time, 8 to 512")
    )
    rate = forms.FloatField(
        label=gettext_lazy("Learning rate"),
        widget=forms.TextInput,
        error_messages={"invalid": gettext_lazy("Above 0, such as 0.001")},
    )
    split = forms.ChoiceField(
        label=gettext_lazy("Split"),
        choices=[
            ("speaker", gettext_lazy("Leave one speaker out")),
            ("random", gettext_lazy("By group")),
        ],
    )
    note = forms.CharField(
        label=gettext_lazy("Note"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Inputs"),
        widget=forms.CheckboxSelectMultiple,
        choices=[("image", gettext_lazy("Image")), ("text", gettext_lazy("Text"))],
    )


def content() -> dict[str, Any]:
    return {**_parts(), **_looks(), **_steps(), **_choices(), **_plots()}


def _parts() -> dict[str, Any]:
    now = timezone.now()
    return {
        "disciplines": DISCIPLINES,
        "large": DISCIPLINES[:4],
        "small": DISCIPLINES[4:],
        "people": PEOPLE,
        "author": PEOPLE,
        "kinds": KINDS,
        "all_kinds": ["image", "audio", "text"],
        "present": ["audio", "text"],
        "states": ["running", "queued", "finished", "failed", "stopped", "needs_look", "your_turn"],
        "criteria": ["met", "undecided", "not_met", "too_few"],
        "meter": ["met", "met", "met", "undecided", "not_met", "too_few"],
        "spark": [0.66, 0.665, 0.68, 0.69, 0.70, 0.705, 0.715, 0.735, 0.742],
        "peaks": [
            abs(math.sin(i / 3.1)) * math.exp(-(((i - 30) / 24) ** 2)) * 0.9 + 0.06
            for i in range(90)
        ],
        "picture": PICTURE,
        "recent": now - timedelta(hours=2),
        "older": now - timedelta(hours=3),
        "page": _page(),
    }


def _looks() -> dict[str, Any]:
    return {
        "swatches": [
            "canvas",
            "surface",
            "sunken",
            "line",
            "control",
            "text",
            "muted",
            "subtle",
            "accent",
            "success",
            "warning",
            "danger",
        ],
        "heat": [
            {"share": share, "ink": _ink(share)} for share in (0, 4, 9, 18, 33, 50, 66, 74, 80, 92)
        ],
    }


def _steps() -> dict[str, Any]:
    return {
        "settings": [
            (_("Alignment"), "digits v3"),
            (_("Fusion method"), "gated"),
            (_("Seed"), "7"),
        ],
        "stages": [
            {"name": _("Load"), "state": "done", "detail": "3 s"},
            {"name": _("Embed"), "state": "done", "detail": _("cached")},
            {"name": _("Train"), "state": "now", "share": 0.35, "detail": _("2 of 4")},
            {"name": _("Evaluate"), "state": "next"},
            {"name": _("Report"), "state": "next"},
        ],
        "steps": [
            {"label": _("Source"), "state": "done"},
            {"label": _("What is it"), "state": "now"},
            {"label": _("Check"), "state": "next"},
        ],
    }


def _ink(share: float) -> str:
    from apps.ui.plots.palette import heat_ink

    return heat_ink(share / 100)


def _page() -> Page:
    return Paginator(range(183), 12).page(2)


def _choices() -> dict[str, Any]:
    return {
        "facet_options": [
            {"value": "five", "label": "five", "count": 31, "total": 121, "checked": True},
            {"value": "four", "label": "four", "count": 22, "total": 89},
        ],
        "decisions": [
            {"value": "approve", "title": _("Approve"), "text": _("Good as it stands.")},
            {"value": "comment", "title": _("Comment"), "text": _("Say something, decide later.")},
            {"value": "changes", "title": _("Request changes"), "text": _("Say what must differ.")},
        ],
        "methods": [
            {
                "value": "late",
                "title": _("Late"),
                "picture": "late",
                "text": _("Each decides alone; the votes are added."),
            },
            {
                "value": "concat",
                "title": _("Concatenation"),
                "picture": "concat",
                "text": _("Vectors side by side, then one network."),
            },
            {
                "value": "gated",
                "title": _("Gated"),
                "picture": "gated",
                "text": _("Each sample weighs its inputs anew."),
            },
        ],
        "views": [
            {"label": _("Grid"), "href": "?view=grid", "icon": "layout-grid", "current": True},
            {"label": _("Table"), "href": "?view=table", "icon": "table"},
        ],
    }


def _plots() -> dict[str, model.Plot]:
    return {
        "bars": model.Bars(rows=_bars(), name="alone", metric="Macro-F1", show_interval=True),
        "shares": model.Bars(rows=_shares(), name="contribution", signed=True, maximum=0.4),
        "stacked": model.Stacked(rows=_stack(), name="share"),
        "missing": _missing(),
        "loss": _loss(),
        "empty_plot": model.Lines(
            lines=[], sentence=_("No epoch has ended yet; the first takes about 30 s.")
        ),
        "forest": model.Forest(
            rows=_forest(),
            low=0.45,
            high=0.95,
            target=0.68,
            metric="F1",
            reference_label="Staging 1.1",
            first_column=_("Group"),
            name="subgroups",
        ),
        "confusion": model.Confusion(
            labels=["seven", "eight", "nine"],
            counts=[[96, 2, 21], [6, 90, 24], [14, 9, 96]],
            marked=frozenset({(0, 2)}),
            urls={(0, 2): "?truth=seven"},
            name="confusion",
        ),
        "reliability": _reliability(),
        "upset": _upset(),
        "histogram": model.Histogram(
            counts=[4, 9, 26, 38, 31, 22, 15, 9, 4, 2, 1, 1],
            edges=[0.15 + 0.18 * i for i in range(13)],
            chosen=(0.3, 0.9),
            name="length",
        ),
        "scatter": _scatter(),
    }


def _scatter() -> model.Scatter:
    turns = [i * 2.4 for i in range(120)]
    xs, ys = (
        [0.09 * math.sqrt(i) * math.cos(t) for i, t in enumerate(turns)],
        [0.09 * math.sqrt(i) * math.sin(t) for i, t in enumerate(turns)],
    )
    marked = [i for i, x in enumerate(xs) if x > 0.3]
    places = {"xs": [xs[i] for i in marked], "ys": [ys[i] for i in marked]}
    dots = [
        model.Dots(label=_("Other"), xs=xs, ys=ys, style="control", small=True),
        model.Dots(
            label="five", **places, names=[f"D{i}" for i in marked], hrefs=["?key=D"] * len(marked)
        ),
    ]
    return model.Scatter(
        dots=dots,
        tags=[model.Tag("five", 0.6, 0.0, strong=True), model.Tag("nine", -0.5, 0.1)],
        name="map",
    )


def _missing() -> model.Lines:
    shares = [0.0, 0.25, 0.5, 0.75, 1.0]
    ends = {
        "text": (_("no text"), (0.742, 0.731, 0.722, 0.712, 0.701)),
        "image": (_("no image"), (0.742, 0.726, 0.709, 0.69, 0.671)),
        "audio": (_("no speech"), (0.742, 0.711, 0.68, 0.65, 0.622)),
    }
    return model.Lines(
        lines=[
            model.Line(
                label=label,
                kind=kind,
                xs=shares,
                ys=ys,
                low=[y - 0.02 for y in ys],
                high=[y + 0.02 for y in ys],
            )
            for kind, (label, ys) in ends.items()
        ],
        x_percent=True,
        x_ticks=[0, 0.5, 1],
        y_range=(0.55, 0.8),
        levels=[model.Level(0.584, _("best single modality .584"))],
        x_label=_("Share removed"),
        name="missing",
    )


def _loss() -> model.Lines:
    epochs = list(range(1, 8))
    return model.Lines(
        lines=[
            model.Line(
                label=_("validation"),
                xs=epochs,
                ys=[1.92, 1.54, 1.28, 1.11, 1.01, 0.922, 0.874],
                end_dot=True,
            ),
            model.Line(
                label=_("train"),
                xs=epochs,
                ys=[1.9, 1.47, 1.1, 0.818, 0.643, 0.508, 0.428],
                style="muted",
                dash="5 3",
            ),
        ],
        x_range=(1, 20),
        x_ticks=[1, 5, 10, 15, 20],
        y_range=(0, 2.2),
        best_x=7,
        best_label=_("best"),
        shade_from=7,
        shade_label=_("epochs to come"),
        x_label=_("Epoch"),
        name="loss",
    )


def _bars() -> list[model.Bar]:
    return [
        model.Bar(_("Image alone"), 0.520, 0.487, 0.553, "image"),
        model.Bar(_("Speech alone"), 0.584, 0.551, 0.616, "audio"),
        model.Bar(_("Text alone"), 0.318, 0.288, 0.349, "text"),
        model.Bar(_("Fusion, run 31"), 0.742, 0.713, 0.770, "fusion"),
    ]


def _shares() -> list[model.Bar]:
    return [
        model.Bar(_("Speech"), 0.262, 0.234, 0.29, "audio"),
        model.Bar(_("Image"), 0.228, 0.204, 0.255, "image"),
        model.Bar(_("Text"), 0.112, 0.092, 0.133, "text"),
        model.Bar(_("Table"), -0.012, -0.03, 0.004, "table"),
    ]


def _stack() -> list[model.StackRow]:
    return [
        model.StackRow("zero", {"audio": 46, "image": 31, "text": 16, "knowledge": 7}),
        model.StackRow("five", {"audio": 29, "image": 45, "text": 19, "knowledge": 7}),
        model.StackRow("nine", {"audio": 31, "image": 36, "text": 25, "knowledge": 8}),
    ]


def _forest() -> list[model.ForestRow]:
    speaker, clue = _("Speaker"), _("Clue")
    return [
        model.ForestRow(
            group=speaker,
            label="S1",
            n=302,
            value=0.801,
            low=0.757,
            high=0.841,
            state="met",
            reference=0.774,
        ),
        model.ForestRow(
            group=speaker,
            label="S3",
            n=301,
            value=0.621,
            low=0.566,
            high=0.673,
            state="not_met",
            reference=0.612,
        ),
        model.ForestRow(
            group=clue,
            label="FOLDOC",
            n=306,
            value=0.694,
            low=0.642,
            high=0.742,
            state="undecided",
            reference=0.684,
        ),
        model.ForestRow(
            group=clue, label=_("handwritten"), n=9, value=0.66, low=0.5, high=0.82, state="too_few"
        ),
    ]


def _reliability() -> model.Reliability:
    places = [0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95]
    right = [0.19, 0.27, 0.37, 0.43, 0.52, 0.61, 0.72, 0.84, 0.955]
    counts = [12, 40, 62, 85, 90, 88, 110, 160, 314]
    rows = zip(places, right, counts, strict=True)
    bins = [
        model.Bin(x, y, max(0, y - 0.5 / math.sqrt(n)), min(1, y + 0.5 / math.sqrt(n)), n)
        for x, y, n in rows
    ]
    return model.Reliability(
        bins=bins, before=[(x, max(0, x - 0.09)) for x in places], name="calibration"
    )


def _upset() -> model.UpSet:
    rows = [
        model.Combination(frozenset({"image", "audio", "text"}), 1003, 157, href="?has=all"),
        model.Combination(frozenset({"image", "text"}), 72, 10, href="?has=it", chosen=True),
        model.Combination(frozenset({"image", "audio"}), 69, 8, href="?has=ia"),
        model.Combination(frozenset({"text"}), 7, 1, href="?has=t"),
    ]
    return model.UpSet(kinds=["image", "audio", "text"], rows=rows, name="inputs")
