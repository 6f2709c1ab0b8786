from django.urls import path

from . import views

app_name = "projects"
urlpatterns = [
    path("projects/new/", views.new, name="new"),
    path("invitations/<uuid:pk>/", views.join, name="join"),
    path("p/<slug:project>/members/", views.members, name="members"),
    path("p/<slug:project>/members/<int:pk>/", views.member, name="member"),
    path("p/<slug:project>/members/<int:pk>/remove/", views.remove_member, name="remove_member"),
    path("p/<slug:project>/members/invitations/<uuid:pk>/revoke/", views.revoke, name="revoke"),
    path("p/<slug:project>/disciplines/", views.disciplines, name="disciplines"),
    path("p/<slug:project>/disciplines/<str:code>/", views.discipline, name="discipline"),
    path("p/<slug:project>/settings/", views.settings, name="settings"),
]
