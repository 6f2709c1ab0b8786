from django.urls import path

from apps.datasets.views import manage, media, uploads

UPLOAD = "p/<slug:project>/data/uploads/<uuid:upload>/"
urlpatterns = [
    path("p/<slug:project>/data/new/", uploads.new, name="new"),
    path(UPLOAD, uploads.upload, name="upload"),
    path(f"{UPLOAD}add/", uploads.add, name="upload_add"),
    path(f"{UPLOAD}remove/", uploads.remove, name="upload_remove"),
    path(f"{UPLOAD}check/", uploads.check, name="upload_check"),
    path(f"{UPLOAD}columns/", uploads.columns, name="upload_columns"),
    path(f"{UPLOAD}about/", uploads.about, name="upload_about"),
    path(f"{UPLOAD}done/", uploads.done, name="upload_done"),
    path(f"{UPLOAD}cancel/", uploads.cancel, name="upload_cancel"),
    path(f"{UPLOAD}back/", uploads.back, name="upload_back"),
    path("p/<slug:project>/data/<slug:dataset>/change/", manage.change, name="change"),
    path("p/<slug:project>/data/<slug:dataset>/delete/", manage.delete, name="delete"),
    path("p/<slug:project>/data/<slug:dataset>/restore/", manage.restore, name="restore"),
    path("p/<slug:project>/media/<str:sha256>/", media.media, name="media"),
]
