"""`{% plot model %}`: one tag for every plot."""

from typing import Any

from django.utils.safestring import SafeString

from apps.ui.library import register
from apps.ui.plots.render import render


@register.simple_tag
def plot(model: Any) -> SafeString:
    """Draws one of the dataclasses in apps/ui/plots/model.py, with its sentence and its
    data table.
    """
    return render(model)
