from . import upload_urls

app_name = "datasets"
urlpatterns = [*upload_urls.urlpatterns]
