"""Number fields of the recipe's section `training`, by name: kind of field, label, help."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

NUMBERS: dict[str, tuple[type[forms.Field], Any, Any]] = {
    "epochs": (
        forms.IntegerField,
        _("Epochs at most"),
        _("Times that the training sees every sample. Early stopping usually ends before."),
    ),
    "patience": (
        forms.IntegerField,
        _("Patience, in epochs"),
        _("Epochs without a better validation loss before it stops."),
    ),
    "batch_size": (
        forms.IntegerField,
        _("Batch size"),
        _("Samples in one step. Halve it where memory runs out."),
    ),
    "learning_rate": (
        forms.FloatField,
        _("Learning rate"),
        _("Size of the largest step of the one-cycle schedule."),
    ),
    "weight_decay": (
        forms.FloatField,
        _("Weight decay"),
        _("Pulls weights towards zero; more for few samples."),
    ),
    "label_smoothing": (
        forms.FloatField,
        _("Label smoothing"),
        _("Share of doubt put on every label; 0 for none."),
    ),
    "dropout": (forms.FloatField, _("Dropout"), _("Share of hidden units switched off in a step.")),
    "input_dropout": (
        forms.FloatField,
        _("Input dropout"),
        _("Share of input features switched off in a step."),
    ),
    "hidden_dim": (forms.IntegerField, _("Hidden units"), _("Width of each small network.")),
    "pca_dim": (
        forms.IntegerField,
        _("Dimensions kept"),
        _("Features after whitening; 0 keeps them as they are."),
    ),
    "modality_dropout": (
        forms.FloatField,
        _("Modality dropout"),
        _("Share of inputs hidden in training, so that the model copes when one is missing."),
    ),
    "inner_folds": (
        forms.IntegerField,
        _("Inner folds"),
        _("Rounds inside the training part that choose epochs and temperature."),
    ),
}
