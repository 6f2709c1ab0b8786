from django.urls import path

from . import views, views_samples

app_name = "workspace"
urlpatterns = [
    path("search/", views.search, name="search"),
    path("help/", views.help_page, name="help"),
    path("p/<slug:project>/samples/", views_samples.samples, name="samples"),
    path("p/<slug:project>/samples/<path:key>/", views_samples.sample, name="sample"),
]
