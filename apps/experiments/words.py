"""What methods and lists are called in sentences."""

from collections import Counter
from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

METHODS = ("late", "concat", "gated", "lowrank", "bottleneck", "crossattention", "ensemble")
COMPARED = METHODS[:3]
"""Trained beside the chosen one where a comparison is asked for: those that cost little."""


def method_name(code: str) -> str:
    names = {
        "late": _("Late fusion"),
        "concat": _("Concatenation"),
        "gated": _("Gated fusion"),
        "lowrank": _("Low-rank fusion"),
        "bottleneck": _("Bottleneck fusion"),
        "crossattention": _("Cross-attention"),
        "ensemble": _("Ensemble"),
        "unimodal": _("Each modality alone"),
    }
    return names.get(code, code.replace("_", " ").capitalize() or _("Run"))


def method_sentence(code: str) -> str:
    sentences = {
        "late": _("Each modality decides alone; their votes are added."),
        "concat": _("Vectors side by side, then one network."),
        "gated": _("Each sample weighs its inputs anew."),
        "lowrank": _("Every combination of features across inputs counts, by a small product."),
        "bottleneck": _("Inputs tell each other only the gist, through a few shared tokens."),
        "crossattention": _("The parts of each input look for what fits them in the others."),
        "ensemble": _(
            "Several methods answer together; those that did better in training count for more."
        ),
        "unimodal": _("No fusion: what each modality knows by itself."),
    }
    return sentences.get(code, "")


def list_in_words(names: Sequence[str]) -> str:
    """`image, speech and text`."""
    if len(names) < 2:
        return "".join(names)
    return _("%(first)s and %(last)s") % {"first": _(", ").join(names[:-1]), "last": names[-1]}


def either(names: Sequence[str]) -> str:
    """`image, speech or text`."""
    if len(names) < 2:
        return "".join(names)
    return _("%(names)s or %(last)s") % {"names": _(", ").join(names[:-1]), "last": names[-1]}


def short_name(column: str) -> str:
    """`speaker` of `samples.speaker`."""
    return column.split(".", 1)[-1].replace("_", " ")


def column_names(columns: Sequence[str]) -> dict[str, str]:
    """`Speaker`; with its data set where two columns have the same name."""
    short_names = {column: short_name(column) for column in columns}
    repeated = Counter(short_names.values())
    return {
        column: (name if repeated[name] == 1 else f"{name}, {column.split('.', 1)[0]}").capitalize()
        for column, name in short_names.items()
    }


def stage_name(code: str) -> str:
    names = {
        "read": _("Load"),
        "embed": _("Embed"),
        "tune": _("Fine-tune"),
        "probe": _("Compare encoders"),
        "train": _("Train"),
        "evaluate": _("Evaluate"),
        "bundle": _("Bundle"),
    }
    return names.get(code, code.capitalize())


def stage_sentence(code: str) -> str:
    """For the log: what begins now."""
    sentences = {
        "read": _("Load the alignment and check the split"),
        "embed": _(
            "Turn inputs into vectors with the encoders; what the cache holds is not computed again"
        ),
        "probe": _(
            "Compare encoders, layers and pooling by a quick linear model inside each set of training samples"
        ),
        "tune": _(
            "Train the encoders along, once for each set of training samples; none sees what it is tested on"
        ),
        "train": _(
            "Train in each fold: inside to choose epochs and temperature, then on the whole training part"
        ),
        "evaluate": _("Judge the out-of-fold answers"),
        "bundle": _("Write the trained model and the predictions"),
    }
    return sentences.get(code, stage_name(code))


def unit_name(code: str, n: int) -> str:
    """`1,200 samples`: a number with what the engine counted."""
    words = {
        "samples": _("%(n)s samples"),
        "items": _("%(n)s items"),
        "vectors": _("%(n)s vectors"),
        "epochs": _("%(n)s epochs"),
        "folds": _("%(n)s folds"),
        "models": _("%(n)s models"),
        "training sets": _("%(n)s sets of training samples"),
        "models without a rule": _("%(n)s models without a rule"),
    }
    return words.get(code, "%(n)s " + code).strip() % {"n": f"{n:,}"}


def reason_in_words(reason: str, n: int) -> str:
    """`15 duplicates`: how many samples take no part, and why."""
    words = {
        "duplicate": ngettext("%(n)s duplicate", "%(n)s duplicates", n),
        "no label": _("%(n)s without label"),
        "no group": _("%(n)s without group"),
        "no modality": _("%(n)s without input"),
    }
    return words.get(reason, "%(n)s " + reason) % {"n": f"{n:,}"}


def engine_note(text: str) -> str:
    """Why the engine gives no interval, or doubts it: its English sentence in the reader's
    language.
    """
    n = "".join(character for character in text if character.isdigit())
    words = {
        "only one cluster, no interval": _("only one cluster, no interval"),
        f"only {n} clusters, too narrow": _("only %(n)s clusters, too narrow") % {"n": n},
        f"only {n} samples": _("only %(n)s samples") % {"n": n},
    }
    return words.get(text, text)


def duration(seconds: float) -> str:
    """`3 s`, `4 min`, `1 h 20 min`."""
    if seconds < 90:
        return _("%(n)s s") % {"n": round(seconds)}
    minutes = round(seconds / 60)
    if minutes < 90:
        return _("%(n)s min") % {"n": minutes}
    return _("%(h)s h %(n)s min") % {"h": minutes // 60, "n": minutes % 60}
