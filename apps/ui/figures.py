"""Numbers as text: no leading zero for scores, a true minus, a dash where there is no value."""

import math
from typing import Literal

from django.utils.translation import gettext as _

MINUS = "−"
NONE = "–"
Verdict = Literal["better", "worse", "same"]


def is_missing(value: float | None) -> bool:
    return value is None or not math.isfinite(value)


def metric(code: str) -> str:
    """Return the name of a metric of fusion.schema.metrics."""
    names = {
        "macro_f1": _("Macro-F1"),
        "accuracy": _("accuracy"),
        "balanced_accuracy": _("balanced accuracy"),
        "auroc": _("AUROC"),
        "log_loss": _("log loss"),
        "brier": _("Brier score"),
        "ece": _("ECE"),
        "mae_steps": _("steps off"),
        "kappa": _("weighted kappa"),
        "r2": _("R²"),
        "rmse": _("RMSE"),
        "mae": _("mean error"),
        "spearman": _("Spearman correlation"),
        "coverage_90": _("inside the 90 % interval"),
        "micro_f1": _("micro-F1"),
        "exact_match": _("whole set right"),
    }
    return str(names.get(code, code))


def score(value: float | None, digits: int = 3) -> str:
    """`.842`, `1.000`, `−.014`; an en dash where there is no value."""
    if value is None or is_missing(value):
        return NONE
    text = f"{abs(value):.{digits}f}"
    text = text.removeprefix("0") if digits else text
    sign = MINUS if value < 0 and float(f"{value:.{digits}f}") != 0 else ""
    return sign + text


def signed(value: float | None, digits: int = 3) -> str:
    """`+.021`, `−.010`, `.000`."""
    text = score(value, digits)
    if (
        value is None
        or is_missing(value)
        or text.startswith(MINUS)
        or float(f"{value:.{digits}f}") == 0
    ):
        return text
    return f"+{text}"


def interval(low: float | None, high: float | None, digits: int = 3, narrow: bool = False) -> str:
    """`.713 to .770`; with an en dash inside narrow tables."""
    if is_missing(low) or is_missing(high):
        return NONE
    if narrow:
        return f"{score(low, digits)}–{score(high, digits)}"
    return _("%(low)s to %(high)s") % {"low": score(low, digits), "high": score(high, digits)}


def percent(share: float | None, digits: int = 0) -> str:
    """`82 %` from .82."""
    if share is None or is_missing(share):
        return NONE
    return f"{100 * share:.{digits}f} %"


def verdict(value: float, low: float, high: float, lower_is_better: bool = False) -> Verdict:
    """Better or worse only where the interval of a paired difference leaves zero out."""
    if low <= 0 <= high:
        return "same"
    return "better" if (value < 0) == lower_is_better else "worse"
