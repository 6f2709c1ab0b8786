from django.apps import AppConfig


class ConsilienceConfig(AppConfig):
    name = "consilience"

    def ready(self) -> None:
        from . import celery  # noqa: F401  without it `delay` publishes to amqp://localhost and the job waits for the sweep
