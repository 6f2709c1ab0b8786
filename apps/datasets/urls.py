from django.urls import path

from apps.datasets.uploads import urls
from apps.datasets.views import alignments, browse

PROJECT = "p/<slug:project>/"

app_name = "datasets"
urlpatterns = [
    *urls.urlpatterns,
    path(f"{PROJECT}data/", browse.dataset_list, name="list"),
    path(f"{PROJECT}data/<slug:slug>/", browse.dataset, name="dataset"),
    path(f"{PROJECT}data/<slug:slug>/<slug:tab>/", browse.dataset_tab, name="dataset_tab"),
    path(f"{PROJECT}alignments/", alignments.alignment_list, name="alignments"),
    path(f"{PROJECT}alignments/new/", alignments.new_alignment, name="new_alignment"),
    path(f"{PROJECT}alignments/<int:number>/", alignments.alignment, name="alignment"),
]
