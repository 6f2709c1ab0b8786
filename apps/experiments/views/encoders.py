"""The page of the installation's encoders: the same for everyone, since an administrator adds them
on the server.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from apps.experiments.recipe import encoder_choices


@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    return render(
        request,
        "experiments/encoders.html",
        {
            "groups": encoder_choices.by_kind(),
            "add": encoder_choices.ADD,
            "check": encoder_choices.CHECK,
        },
    )
