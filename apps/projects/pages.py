"""The one way into a page of a project: the address names it, the policy decides, an outsider gets
404.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404

from .models import Project
from .policies import require
from .roles import Action

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, Project, P], HttpResponseBase]


def project_page(
    action: Action = "view", write: Action | None = None
) -> Callable[[View[P]], Callable[..., HttpResponseBase]]:
    """Turn `view(request, project, ...)` into a view of `/p/<slug:project>/...`.

    `action` is asked for every request, `write` besides for every one that is not GET or HEAD.
    """

    def decorate(view: View[P]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def wrapper(
            request: HttpRequest, project: str, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponseBase:
            row = get_object_or_404(Project.objects.visible_to(request.user), slug=project)
            require(request.user, action, row)
            if write and request.method not in ("GET", "HEAD"):
                require(request.user, write, row)
            request.project = row
            return view(request, row, *args, **kwargs)

        return wrapper

    return decorate


def has_moved(request: HttpRequest, state: str) -> bool:
    """Return True where a part of a page asks for itself (`?state=`) and the object has left that
    state: its title and buttons are old as well.
    """
    return bool(request.htmx) and request.GET.get("state", state) != state


def refresh() -> HttpResponse:
    """Tells the browser to load the whole page again."""
    return HttpResponse(status=204, headers={"HX-Refresh": "true"})
