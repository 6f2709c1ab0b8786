"""Every route of the WSGI half. Sign-in is required everywhere by LoginRequiredMiddleware; what is
open says so itself.
"""

from allauth.account import views as allauth
from django.urls import include, path, re_path

from apps.accounts import views as accounts
from apps.projects import urls as projects
from apps.projects.streams import stream
from apps.workspace import views as workspace

project_pages = [
    path("p/<slug:project>/", workspace.overview, name="overview"),
    path("p/<slug:project>/activity/", workspace.activity, name="activity"),
    *projects.urlpatterns,
]
"""The overview and the activity show every part of a project, so they are made by the topmost app.
"""

urlpatterns = [
    path("", workspace.home, name="home"),
    path("live/", stream, name="live"),
    path("accounts/login/", allauth.login),
    path("accounts/logout/", allauth.logout),
    path("accounts/password/change/", allauth.password_change),
    re_path("^accounts/", accounts.nothing_here),
    path("accounts/", include("allauth.account.urls")),
    path("language/", accounts.language, name="set_language"),
    path("", include("apps.accounts.urls")),
    path("", include("apps.workspace.urls")),
    path("", include((project_pages, "projects"))),
    path("", include("apps.datasets.urls")),
    path("", include("apps.experiments.urls")),
    path("", include("apps.registry.urls")),
    path("", include("apps.reviews.urls")),
    path("", include("apps.discussions.urls")),
    path("", include("apps.jobs.urls")),
    path("ui/", include("apps.ui.urls")),
    path("api/v1/", include("apps.api.urls")),
]
