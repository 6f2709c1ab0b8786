"""The words that a reader of another field meets, one sentence each. The one place where they are
defined.
"""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Term(NamedTuple):
    title: Promise
    text: Promise


TERMS: dict[str, Term] = {
    "sample": Term(
        _("Sample"), _("The thing that all disciplines describe, named by the sample key.")
    ),
    "modality": Term(
        _("Modality"), _("One input of a model: image, audio, text, table or series.")
    ),
    "encoder": Term(_("Encoder"), _("A foundation model as it is used for one modality.")),
    "lora": Term(
        _("LoRA"),
        _(
            "A way to train a large encoder by a few small matrices beside it, while its own "
            "weights stay as they were."
        ),
    ),
    "pooling": Term(
        _("Pooling"),
        _(
            "How the many vectors that an encoder writes of one sample become the one that a "
            "model reads."
        ),
    ),
    "fusion-method": Term(
        _("Fusion method"), _("How the answers or the vectors of several inputs become one answer.")
    ),
    "ensemble": Term(
        _("Ensemble"),
        _("Several models that answer together; their mean errs less than most of them alone."),
    ),
    "alignment": Term(
        _("Alignment"),
        _("Data set versions joined on the sample key and frozen, with label and split."),
    ),
    "fold": Term(
        _("Fold"),
        _(
            "One round of the split: some samples are held out for the test, the model trains on "
            "the others."
        ),
    ),
    "seed": Term(
        _("Seed"),
        _(
            "The number that random choices start from; several seeds show how much of a score is"
            " luck."
        ),
    ),
    "epoch": Term(_("Epoch"), _("One pass of the training over all its samples.")),
    "bootstrap": Term(
        _("Bootstrap"),
        _(
            "The test samples are drawn again and again, with repetition, to see how far the "
            "score would vary."
        ),
    ),
    "cluster": Term(
        _("Cluster"),
        _(
            "Samples that belong together, such as those of one person; the bootstrap draws them "
            "together."
        ),
    ),
    "macro-f1": Term(
        _("Macro-F1"),
        _("How well each label is found, every label counting the same; 1 is perfect."),
    ),
    "r2": Term(
        _("R²"),
        _(
            "Of a number: the share of its variation that the answers explain; 1 is perfect, 0 is"
            " no better than the mean."
        ),
    ),
    "auroc": Term(
        _("AUROC"),
        _(
            "How often a sample of the label gets a higher score than one without it; 0.5 is "
            "chance, 1 is perfect."
        ),
    ),
    "interval": Term(
        _("95 % interval"),
        _("Where the score would lie for other samples of the same kind, 95 times out of 100."),
    ),
    "gain": Term(
        _("Gain"),
        _("How much better the joined model is than its best single input, on the same samples."),
    ),
    "ece": Term(
        _("Calibration (ECE)"),
        _("How far stated probabilities are from what comes true; 0 is perfect."),
    ),
    "contribution": Term(
        _("Contribution"), _("The share of the score that one modality brings (Shapley value).")
    ),
    "rule": Term(
        _("Rule"),
        _(
            "What a discipline knows, as “when this holds, the label is that”, with a weight or "
            "without exception."
        ),
    ),
}
