from django.urls import path

from apps.datasets.views import manage, media, uploads

one = "p/<slug:project>/data/uploads/<uuid:upload>/"
urlpatterns = [
    path("p/<slug:project>/data/new/", uploads.new, name="new"),
    path(one, uploads.upload, name="upload"),
    path(f"{one}add/", uploads.add, name="upload_add"),
    path(f"{one}remove/", uploads.remove, name="upload_remove"),
    path(f"{one}check/", uploads.check, name="upload_check"),
    path(f"{one}columns/", uploads.columns, name="upload_columns"),
    path(f"{one}about/", uploads.about, name="upload_about"),
    path(f"{one}done/", uploads.done, name="upload_done"),
    path(f"{one}cancel/", uploads.cancel, name="upload_cancel"),
    path(f"{one}back/", uploads.back, name="upload_back"),
    path("p/<slug:project>/data/<slug:dataset>/change/", manage.change, name="change"),
    path("p/<slug:project>/data/<slug:dataset>/delete/", manage.delete, name="delete"),
    path("p/<slug:project>/data/<slug:dataset>/restore/", manage.restore, name="restore"),
    path("p/<slug:project>/media/<str:sha256>/", media.media, name="media"),
]
