"""What a search tried, as its run's page shows it: every method with its interval, how each input
can be read, and what was chosen.
"""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.experiments.recipe import encoder_choices, finetune_fields
from apps.experiments.report import plots
from apps.experiments.words import duration, list_in_words, method_name
from apps.ui import figures
from apps.ui.plots import model as ui
from fusion.schema.recipe import EncoderChoice
from fusion.schema.result import EvaluationResult, Read, Search, Tried

SHOWN = 8
"""Ways to read one input; the others did worse."""


@dataclass
class Method:
    name: str
    loss: float
    took: str
    chosen: str
    kept: bool


@dataclass
class Reading:
    words: str
    loss: float
    chosen: str
    kept: bool
    own: bool


@dataclass
class Input:
    """kind: of the modality; more: ways that are not shown."""

    name: str
    kind: str
    rows: list[Reading]
    more: int


@dataclass
class Found:
    plot: ui.Forest
    words: str
    left_out: str
    methods: list[Method]
    inputs: list[Input]


def found(result: EvaluationResult, kinds: plots.Kinds) -> Found | None:
    """None where the recipe named everything."""
    search = result.search
    if search is None:
        return None
    low, high = plots.scale([one.score for one in search.tried])
    rows = [
        ui.ForestRow(
            label=method_name(one.method),
            note=_("chosen for the model") if one.kept else "",
            **plots.span(one.score),
        )
        for one in search.tried
    ]
    plot = ui.Forest(
        rows=rows,
        low=low,
        high=high,
        metric=figures.metric(result.headline.metric),
        show_state=False,
        first_column=_("Method"),
        name="tried",
    )
    methods = [method(one, search) for one in search.tried]
    return Found(
        plot,
        sentence(search),
        left_out(search),
        methods,
        [one_input(*item, kinds) for item in search.probe.items()],
    )


def method(one: Tried, search: Search) -> Method:
    return Method(
        method_name(one.method),
        one.loss,
        "" if one.seconds is None else duration(one.seconds),
        rounds(one, search.rounds),
        one.kept,
    )


def rounds(one: Tried | Read, n: int) -> str:
    return _("%(n)s of %(all)s") % {"n": one.chosen, "all": n}


def sentence(search: Search) -> str:
    """What was chosen, and from which methods it cannot be told apart."""
    [kept] = [one for one in search.tried if one.kept]
    told = {"method": method_name(kept.method), "n": kept.chosen, "all": search.rounds}
    text = ngettext(
        "%(method)s did best inside the training samples of %(n)s round of %(all)s, and the model is trained with it.",
        "%(method)s did best inside the training samples of %(n)s rounds of %(all)s, and the model is trained with it.",
        kept.chosen,
    )
    close = [
        method_name(one.method)
        for one in search.tried
        if one.difference and one.difference.verdict == "no clear difference"
    ]
    better = [
        method_name(one.method)
        for one in search.tried
        if one.difference and one.difference.verdict == "clearly better"
    ]
    parts = [text % told]
    if close:
        parts.append(
            _("On the test samples it cannot be told apart from %(names)s.")
            % {"names": list_in_words(close)}
        )
    if better:
        parts.append(
            _(
                "On the test samples %(names)s did clearly better; what is chosen never looks at them."
            )
            % {"names": list_in_words(better)}
        )
    return " ".join(parts)


def left_out(search: Search) -> str:
    if not search.not_tried or search.budget_seconds is None:
        return ""
    words = {
        "time": duration(search.budget_seconds),
        "names": list_in_words([method_name(name) for name in search.not_tried]),
    }
    return _("Not tried, since the %(time)s of computing were spent: %(names)s.") % words


def one_input(name: str, reads: list[Read], kinds: plots.Kinds) -> Input:
    shown = [one for place, one in enumerate(reads) if place < SHOWN or one.kept or one.own]
    rows = [
        Reading(reading(one), one.loss, rounds(one, one.rounds), one.kept, one.own) for one in shown
    ]
    return Input(name, kinds.get(name, ""), rows, len(reads) - len(shown))


def reading(one: Read) -> str:
    return " + ".join(map(encoder, one.encoders))


def encoder(choice: dict[str, Any]) -> str:
    """`EfficientNet-Lite0, layers 7 and 10, pooled: mean`."""
    parts = [encoder_choices.called(choice["name"])]
    if layers := choice.get("layers"):
        parts.append(
            ngettext("layer %(layers)s", "layers %(layers)s", len(layers))
            % {"layers": list_in_words([str(one) for one in layers])}
        )
    if pooling := choice.get("pooling"):
        parts.append(_("pooled: %(pooling)s") % {"pooling": pooling})
    if choice.get("grid"):
        parts.append(
            _("grid %(sides)s") % {"sides": list_in_words([str(side) for side in choice["grid"]])}
        )
    if choice.get("resolution"):
        parts.append(_("%(n)s pixels") % {"n": choice["resolution"]})
    stored = EncoderChoice.model_validate(choice, context={"stored": True})
    if trained := finetune_fields.in_words(stored):
        parts.append(trained)
    return _(", ").join(parts)
