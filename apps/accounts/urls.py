from django.urls import path

from . import views

app_name = "accounts"
urlpatterns = [
    path("me/", views.profile, name="profile"),
    path("me/tokens/", views.tokens, name="tokens"),
    path("me/tokens/<str:digest>/revoke/", views.revoke_token, name="revoke_token"),
    path("demo/sign-in/", views.demo_sign_in, name="demo_sign_in"),
]
