from typing import Any

from django.http import HttpRequest


def shell_for(request: HttpRequest) -> dict[str, Any] | None:
    return None
