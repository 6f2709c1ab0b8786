"""Words that open what they mean: a button and a popover of the browser, by keyboard and without
JavaScript.
"""

from django.template import Context
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.ui.glossary import TERMS
from apps.ui.library import register


@register.simple_tag(takes_context=True)
def terms(context: Context, *names: str) -> SafeString:
    """`{% terms "macro-f1" "gain" %}`: what these words mean, one after the other. The names:
    apps/ui/glossary.py.
    """
    request = context.get("request")
    shown: set[str] = getattr(request, "terms_shown", set())
    if request is not None:
        request.terms_shown = shown
    words = format_html_join(" ", "{}", ((_term(name, shown),) for name in names))
    return format_html(
        '<p class="terms"><span class="sr">{}</span> {}</p>', _("What does it mean?"), words
    )


def _term(name: str, shown: set[str]) -> SafeString:
    """A page says each meaning once; further buttons open the same."""
    term, place = TERMS[name], f"term-{name}"
    opens = format_html(
        '<button class="terms__word" type="button" popovertarget="{}">{}</button>',
        place,
        term.title,
    )
    if name in shown:
        return opens
    shown.add(name)
    return format_html(
        '{}<span class="terms__text" id="{}" popover><b>{}</b> {}</span>',
        opens,
        place,
        term.title,
        term.text,
    )
