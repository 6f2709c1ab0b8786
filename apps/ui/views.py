from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.ui import gallery as examples


def gallery(request: HttpRequest) -> HttpResponse:
    """Every part of the interface in every state: the contract between pages and stylesheet."""
    form = examples.ExampleForm(
        {"batch": "64", "rate": "1e", "split": "speaker", "kinds": ["image"]}
    )
    return render(request, "ui/gallery.html", {"form": form, **examples.content()})
