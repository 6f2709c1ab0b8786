"""`{% load discussions %}{% discussion project "run" run.number run.question %}`: the threads of
one object, with forms.
"""

from typing import Any

from django import template
from django.template import Context

from apps.discussions import queries
from apps.projects.models import Project

register = template.Library()


@register.inclusion_tag("discussions/_discussion.html", takes_context=True)
def discussion(
    context: Context,
    project: Project,
    anchor_type: str,
    anchor_id: Any,
    label: Any = "",
    people: Any = None,
) -> dict[str, Any]:
    """Works without JavaScript; with it, posts swap the list, and it refreshes when somebody else
    writes here.
    """
    request = context["request"]
    shown = queries.discussion(
        request.user, project, str(anchor_type), str(anchor_id), str(label), known=people
    )
    return {
        "request": request,
        "project": project,
        "discussion": shown,
        "CSP_NONCE": context.get("CSP_NONCE", ""),
    }
