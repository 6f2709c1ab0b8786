from typing import Any

from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    """What the frame around every page needs; built lazily, since fragments and files do not use it."""
    from .queries import shell_for

    return {"shell": shell_for(request)}
