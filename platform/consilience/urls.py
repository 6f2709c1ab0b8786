"""Every route of the WSGI half. Sign-in is required everywhere by LoginRequiredMiddleware; what is open says so itself."""

from django.urls import include, path

from apps.projects.streams import stream
from apps.workspace import views as workspace

urlpatterns = [
    path("", workspace.home, name="home"),
    path("live/", stream, name="live"),
    path("accounts/", include("allauth.account.urls")),
    path("", include("apps.accounts.urls")),
    path("", include("apps.workspace.urls")),
    path("", include("apps.projects.urls")),
    path("", include("apps.datasets.urls")),
    path("", include("apps.experiments.urls")),
    path("", include("apps.registry.urls")),
    path("", include("apps.reviews.urls")),
    path("", include("apps.discussions.urls")),
    path("", include("apps.jobs.urls")),
    path("ui/", include("apps.ui.urls")),
    path("api/v1/", include("apps.api.urls")),
]
