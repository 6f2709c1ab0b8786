"""Words of the data pages that templates ask for."""

from typing import Any

from django import template

from apps.datasets.forms import KIND_NAMES

register = template.Library()


@register.filter
def kind_name(kind: str) -> Any:
    """The kind of a column in the reader's language."""
    return KIND_NAMES.get(kind, kind)
