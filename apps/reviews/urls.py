from django.urls import path

from . import views

app_name = "reviews"
urlpatterns = [
    path("p/<slug:project>/reviews/", views.listing, name="list"),
    path("p/<slug:project>/reviews/new/", views.new, name="new"),
    path("p/<slug:project>/reviews/<int:number>/", views.review, name="review"),
    path("p/<slug:project>/reviews/<int:number>/changes/", views.changes, name="changes"),
    path("p/<slug:project>/reviews/<int:number>/evidence/", views.shown_evidence, name="evidence"),
    path(
        "p/<slug:project>/reviews/<int:number>/conversation/",
        views.conversation,
        name="conversation",
    ),
    path("p/<slug:project>/reviews/<int:number>/decide/", views.decide, name="decide"),
    path("p/<slug:project>/reviews/<int:number>/ask-again/", views.ask_again, name="ask_again"),
    path("p/<slug:project>/reviews/<int:number>/promote/", views.promote, name="promote"),
    path("p/<slug:project>/reviews/<int:number>/withdraw/", views.withdraw, name="withdraw"),
]
