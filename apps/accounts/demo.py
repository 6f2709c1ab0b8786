"""Signing in by tile: only in a home folder made by `make demo`, and only while nobody but this
machine can reach it.
"""

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest

from .models import User

LOOPBACK = {"127.0.0.1", "localhost", "[::1]", "::1"}


def is_open(request: HttpRequest) -> bool:
    """False as soon as an address, a database server or HTTPS says that others can come here."""
    local = (
        settings.DEMO
        and not settings.HTTPS
        and not settings.DATABASE_URL
        and set(settings.ALLOWED_HOSTS) <= LOOPBACK
    )
    return bool(
        local
        and request.META.get("REMOTE_ADDR", "") in {"127.0.0.1", "::1", ""}
        and not request.headers.get("X-Forwarded-For")
    )


def accounts() -> QuerySet[User]:
    return User.objects.filter(is_demo=True, is_active=True)


def people() -> list[User]:
    return list(
        accounts()
        .prefetch_related("memberships__disciplines")
        .order_by("memberships__disciplines__name", "name")
        .distinct()
    )
