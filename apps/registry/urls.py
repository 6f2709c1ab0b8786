from django.urls import path

from . import views

app_name = "registry"
urlpatterns = [
    path("p/<slug:project>/models/", views.models, name="models"),
    path("p/<slug:project>/models/new/", views.new, name="new"),
    path("p/<slug:project>/models/<slug:slug>/", views.model, name="model"),
    path("p/<slug:project>/models/<slug:slug>/<int:number>/", views.version, name="version"),
    path("p/<slug:project>/models/<slug:slug>/<int:number>/edit/", views.edit, name="edit"),
    path(
        "p/<slug:project>/models/<slug:slug>/<int:number>/card.md",
        views.card,
        {"form": "md"},
        name="card_markdown",
    ),
    path(
        "p/<slug:project>/models/<slug:slug>/<int:number>/card.json",
        views.card,
        {"form": "json"},
        name="card_json",
    ),
    path(
        "p/<slug:project>/models/<slug:slug>/<int:number>/bundle/", views.download, name="download"
    ),
]
