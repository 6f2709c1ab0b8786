"""The names of methods, stages and notes in sentences."""

from collections import Counter
from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.ui import figures, learning_tasks
from fusion.schema.notes import Note


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
    """The sentence of the log for a stage that begins."""
    sentences = {
        "read": _("Load the alignment and check the split"),
        "embed": _(
            "Turn inputs into vectors with the encoders; what the cache holds is not computed again"
        ),
        "probe": _(
            "Compare encoders, layers and pooling by a quick linear model inside each set of "
            "training samples"
        ),
        "tune": _(
            "Train the encoders along, once for each set of training samples; none sees what it "
            "is tested on"
        ),
        "train": _(
            "Train in each fold: inside to choose epochs and temperature, then on the whole "
            "training part"
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
    return left_out_templates(n).get(reason, "%(n)s " + reason) % {"n": f"{n:,}"}


def left_out_templates(n: int) -> dict[str, str]:
    """Return code -> template for n samples, for the codes of fusion.schema.notes.LEFT_OUT."""
    return {
        "duplicate": ngettext("%(n)s duplicate", "%(n)s duplicates", n),
        "no label": _("%(n)s without label"),
        "no group": _("%(n)s without group"),
        "no modality": _("%(n)s without input"),
        "only in training": _("%(n)s only in training"),
        "trained on": _("%(n)s the model was trained on"),
        "no truth": _("%(n)s without truth"),
    }


def note_in_words(note: Note | None) -> str:
    """Return a note of the engine in the reader's language; empty without one."""
    if note is None:
        return ""
    template = note_templates()[note.code]
    return template % {name: param_in_words(name, value) for name, value in note.params.items()}


def param_in_words(name: str, value: str | int | list[str]) -> str:
    if isinstance(value, list):
        return list_in_words(value)
    if isinstance(value, int):
        return f"{value:,}"
    if name == "metric":
        return figures.metric(value)
    return learning_tasks.title(value) if name in ("task", "other_task") else value


def note_templates() -> dict[str, str]:
    """Return code -> template in the reader's language, for the codes of fusion.schema.notes."""
    return {
        "text": "%(text)s",
        "one_cluster": _("only one cluster, no interval"),
        "few_clusters": _("only %(n)s clusters, too narrow"),
        "few_samples": _("only %(n)s samples"),
        "noise_not_measured": _(
            "nobody asked the model under this noise; the recipe's evaluation.noise does"
        ),
        "inputs_not_measured": _("nobody asked the model without these inputs"),
        "modality_not_read": _("the model does not read %(name)s"),
        "no_reference": _("no reference run was given"),
        "no_single": _("nobody knows what a single modality alone answers to every sample"),
        "single_unknown": _("nobody knows what %(name)s alone answers to every sample"),
        "needs_probabilities": _("%(metric)s is not known of this model: it needs probabilities"),
        "metric_of_another_task": _("%(metric)s is not known of this model: this is “%(task)s”"),
        "one_label": _("all samples of the slice have the same label, so there is nothing to rank"),
        "one_run": _("Name at least two runs: one is compared with another."),
        "tasks_differ": _(
            "Runs %(one)s and %(other)s answer different kinds of questions, so their scores "
            "cannot be compared."
        ),
        "samples_differ": _(
            "Runs %(one)s and %(other)s were not judged on the same test samples, so their "
            "scores cannot be compared: %(n_one)s samples only in run %(one)s, %(n_other)s "
            "only in run %(other)s, the first: %(key)s."
        ),
        "labels_differ": _(
            "Runs %(one)s and %(other)s were judged by different labels, for instance of "
            "%(key)s, so their scores cannot be compared."
        ),
        "all_against_label": _("%(names)s all say %(answer)s, the label says %(truth)s"),
        "both_against_label": _("%(names)s both say %(answer)s, the label says %(truth)s"),
        "one_against_label": _("%(names)s says %(answer)s, the label says %(truth)s"),
        "product_against_label": _(
            "together they say %(answer)s, though none alone does; the label says %(truth)s"
        ),
        "contradiction": _("%(one)s says %(answer)s, %(other)s says %(other_answer)s"),
        "sure_contradiction": _(
            "%(one)s says %(answer)s, %(other)s says %(other_answer)s, each sure"
        ),
    }


def duration(seconds: float) -> str:
    """`3 s`, `4 min`, `1 h 20 min`."""
    if seconds < 90:
        return _("%(n)s s") % {"n": round(seconds)}
    minutes = round(seconds / 60)
    if minutes < 90:
        return _("%(n)s min") % {"n": minutes}
    return _("%(h)s h %(n)s min") % {"h": minutes // 60, "n": minutes % 60}
