"""Parts that the registry adds to a run's page."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.experiments.hooks import Action, Note
from apps.experiments.models import Run
from apps.projects.policies import can

from .models import ModelVersion


def run_actions(request: HttpRequest, run: Run) -> list[Action]:
    """Register a finished run, until it is."""
    if not run.bundle_digest or run.deleted_at or not can(request.user, "maintain", run.project):
        return []
    if ModelVersion.objects.filter(run=run).exists():
        return []
    url = f"{reverse('registry:new', args=[run.project.slug])}?run={run.number}"
    return [Action(_("Register as a model version"), url, "package", primary=True)]


def run_notes(_request: HttpRequest, run: Run) -> list[Note]:
    version = ModelVersion.objects.filter(run=run).select_related("model__project").first()
    return (
        [Note("package", _("registered as"), str(version), version.get_absolute_url())]
        if version
        else []
    )
