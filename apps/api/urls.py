from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import SimpleRouter

from . import views

app_name = "api"

top = SimpleRouter(use_regex_path=False)
top.register("projects", views.Projects, "project")

inside = SimpleRouter(use_regex_path=False)
inside.register("datasets", views.DataSets, "dataset")
inside.register("uploads", views.Uploads, "upload")
inside.register("alignments", views.Alignments, "alignment")
inside.register("runs", views.Runs, "run")
inside.register("threads", views.Threads, "thread")

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("", include(top.urls)),
    path("projects/<slug:project>/", include(inside.urls)),
]
