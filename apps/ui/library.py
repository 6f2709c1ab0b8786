"""The one template library that all component modules register in; templates load it as `ui`."""

from django import template

register = template.Library()
