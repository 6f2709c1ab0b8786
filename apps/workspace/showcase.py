from typing import Any

from django.http import HttpRequest


def showcase(request: HttpRequest) -> dict[str, Any] | None:
    """Only a demo installation shows data to somebody who has not signed in."""
    return None
