"""Words that open what they mean: a button and a popover of the browser, by keyboard and without
JavaScript.
"""

from typing import Any

from django.template import Context
from django.utils.safestring import SafeString

from apps.ui.glossary import TERMS
from apps.ui.html import component
from apps.ui.library import register


@register.simple_tag(takes_context=True)
def terms(context: Context, *names: str) -> SafeString:
    """Say what words mean, one after the other: `{% terms "macro-f1" "gain" %}`. The names:
    apps/ui/glossary.py.
    """
    request = context.get("request")
    shown: set[str] = getattr(request, "terms_shown", set())
    if request is not None:
        request.terms_shown = shown
    return component("terms/terms", words=[_word(name, shown) for name in names])


def _word(name: str, shown: set[str]) -> dict[str, Any]:
    """Return one button; a page says each meaning once, and further buttons open the same."""
    term = TERMS[name]
    text = "" if name in shown else term.text
    shown.add(name)
    return {"id": f"term-{name}", "title": term.title, "text": text}
