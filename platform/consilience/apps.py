from django.apps import AppConfig


class ConsilienceConfig(AppConfig):
    name = "consilience"

    def ready(self) -> None:
        # without it `delay` publishes to amqp://localhost and the job waits for the sweep
        from . import celery  # noqa: F401
