from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "apps.jobs"

    def ready(self) -> None:
        from apps.projects.live import register

        from .live import job_feed

        register(job_feed)
