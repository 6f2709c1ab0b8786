from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from apps.workspace.navigation import shell_for


def shell(request: HttpRequest) -> dict[str, Any]:
    """Provide the frame around every page. Asked for only by pages that have the frame, so
    fragments and files pay nothing.
    """
    return {"shell": SimpleLazyObject(lambda: shell_for(request) or {})}
