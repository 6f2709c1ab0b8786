from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "apps.api"

    def ready(self) -> None:
        from . import schema  # noqa: F401  tells drf-spectacular of the bearer token
