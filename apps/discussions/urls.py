from django.urls import path

from . import views

app_name = "discussions"
urlpatterns = [
    path("inbox/", views.inbox, name="inbox"),
    path("inbox/done/", views.done, name="done"),
    path("inbox/undo/<str:ids>/", views.undo, name="undo"),
    path("inbox/<int:notification>/", views.open_one, name="open"),
    path("p/<slug:project>/people.json", views.members, name="members"),
    path("p/<slug:project>/threads/<int:thread>/reply/", views.reply, name="reply"),
    path(
        "p/<slug:project>/threads/<int:thread>/resolve/",
        views.settle,
        {"verb": "resolve"},
        name="resolve",
    ),
    path(
        "p/<slug:project>/threads/<int:thread>/reopen/",
        views.settle,
        {"verb": "reopen"},
        name="reopen",
    ),
    path("p/<slug:project>/comments/<int:comment>/", views.permalink, name="comment"),
    path("p/<slug:project>/comments/<int:comment>/edit/", views.change, name="change"),
    path(
        "p/<slug:project>/comments/<int:comment>/delete/",
        views.remove,
        {"verb": "delete"},
        name="delete",
    ),
    path(
        "p/<slug:project>/comments/<int:comment>/restore/",
        views.remove,
        {"verb": "restore"},
        name="restore",
    ),
    path(
        "p/<slug:project>/discussions/<str:kind>/<path:anchor>/",
        views.discussion,
        name="discussion",
    ),
]
