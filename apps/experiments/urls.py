from django.urls import path

from .views import comparing, encoders, new, runs

app_name = "experiments"
BASE = "p/<slug:project>/runs/"
urlpatterns = [
    path("encoders/", encoders.listing, name="encoders"),
    path(BASE, runs.listing, name="runs"),
    path(f"{BASE}new/", new.new_run, name="new_run"),
    path(f"{BASE}compare/", comparing.compare, name="compare"),
    path(f"{BASE}<int:number>/", runs.run, name="run"),
    path(f"{BASE}<int:number>/recipe/", runs.recipe, name="recipe"),
    path(f"{BASE}<int:number>/map.csv", runs.map_csv, name="map_csv"),
    path(f"{BASE}<int:number>/stop/", runs.stop, name="stop"),
    path(f"{BASE}<int:number>/again/", runs.again, name="again"),
    path(f"{BASE}<int:number>/rename/", runs.rename, name="rename"),
    path(f"{BASE}<int:number>/delete/", runs.delete, name="delete"),
    path(f"{BASE}<int:number>/restore/", runs.restore, name="restore"),
    path(f"{BASE}<int:number>/<slug:tab>/", runs.run, name="tab"),
]
