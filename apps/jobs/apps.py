from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "apps.jobs"

    def ready(self) -> None:
        from apps.jobs.job_feed import job_feed
        from apps.projects.live import register

        register(job_feed)
