from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from . import demo, services
from .forms import ProfileForm, TokenForm


def profile(request: HttpRequest) -> HttpResponse:
    form = ProfileForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        services.change_profile(request.user, **form.cleaned_data)
        messages.success(request, _("Saved."))
        response = redirect("accounts:profile")
        response.set_cookie(
            "theme", form.cleaned_data["theme"] or "system", max_age=31_536_000, samesite="Lax"
        )
        return response
    return render(
        request, "accounts/profile.html", {"form": form}, status=422 if form.errors else 200
    )


def tokens(request: HttpRequest) -> HttpResponse:
    form, text = TokenForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        _row, text = services.create_token(request.user, **form.cleaned_data)
        form = TokenForm()
    context = {"form": form, "tokens": services.live_tokens(request.user), "text": text}
    response = render(
        request,
        "accounts/tokens.html",
        context,
        status=422 if form.is_bound and form.errors else 200,
    )
    response["Cache-Control"] = "no-store"
    return response


@require_POST
def revoke_token(request: HttpRequest, digest: str) -> HttpResponse:
    services.revoke_token(request.user, digest)
    messages.success(request, _("The token works no longer."))
    return redirect("accounts:tokens")


@login_not_required
@require_POST
def demo_sign_in(request: HttpRequest) -> HttpResponse:
    if not demo.is_open(request):
        raise Http404
    person = get_object_or_404(demo.accounts(), pk=request.POST.get("person", ""))
    login(request, person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return redirect("home")


@login_not_required
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Remembered in a cookie, and for a person who is signed in also in the profile."""
    wanted = request.POST.get("language", "")
    if request.user.is_authenticated and wanted in dict(settings.LANGUAGES):
        services.change_profile(request.user, language=wanted)
    return set_language(request)


@login_not_required
def nothing_here(request: HttpRequest) -> HttpResponse:
    """allauth knows more pages than this product offers; their names must resolve, their addresses
    need not answer.
    """
    raise Http404
