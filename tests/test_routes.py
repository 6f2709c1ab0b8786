"""Default deny: every route of both halves, asked by somebody who has not signed in."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

SAMPLES = {
    "slug": "x",
    "int": "1",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "str": "x",
    "path": "x",
}
OPEN = ("/accounts/", "/language/", "/invitations/", "/demo/sign-in/", "/static/")
"""Signing in, choosing a language, an invitation's own page, and the tiles of a demo, which answer
404 elsewhere.
"""


def routes(patterns: list[URLPattern | URLResolver], prefix: str = "/") -> Iterator[str]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern).lstrip("^")
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, path)
        else:
            yield path


def example(route: str) -> str:
    import re

    plain = re.sub(r"<(?:(\w+):)?\w+>", lambda found: SAMPLES[found[1] or "str"], route)
    plain = re.sub(r"\(\?P<\w+>[^()]*(?:\([^()]*\))?[^()]*\)", "1", plain)
    return (
        plain.replace("^", "").rstrip("$").replace("\\.", ".").replace("\\Z", "").replace("/?", "/")
    )


ROUTES = sorted(set(routes(get_resolver().url_patterns)))


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_no_route_answers_somebody_who_has_not_signed_in(method: str) -> None:
    client = Client()
    answered = []
    for route in ROUTES:
        path = example(route)
        if path.startswith(OPEN):
            continue
        response = getattr(client, method)(path)
        sent_away = response.status_code == 302 and response["Location"].startswith(
            "/accounts/login/"
        )
        if not (sent_away or response.status_code in (401, 403, 404, 405)):
            answered.append(f"{method} {path} -> {response.status_code}")
    assert not answered


def test_the_walk_covers_the_product() -> None:
    assert len(ROUTES) > 60
    assert "/p/<slug:project>/" in ROUTES
