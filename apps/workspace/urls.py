from django.urls import path

from . import views

app_name = "workspace"
urlpatterns = [
    path("search/", views.search, name="search"),
    path("help/", views.help_page, name="help"),
]
