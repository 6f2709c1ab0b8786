from typing import Any

from django import template

from apps.workspace.showcase import showcase as find

register = template.Library()


@register.inclusion_tag("workspace/_showcase.html", takes_context=True)
def showcase(context: dict[str, Any]) -> dict[str, Any]:
    """Show beside the sign-in form one real sample of the demo project, what each modality alone
    says, and what they say together.
    """
    return {"sample": find(context["request"])}
