"""Pages as a person sees them."""

from typing import Any

from django.test import Client


def page_text(client: Client, user: Any, address: str) -> str:
    """The text of a page that answers; an empty or refused page proves nothing."""
    client.force_login(user)
    answer = client.get(address)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "</html>" in text
    return text
