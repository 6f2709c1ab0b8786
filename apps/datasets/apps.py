from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    name = "apps.datasets"

    def ready(self) -> None:
        from apps.jobs.handlers import Handler, register

        from .alignments.services import freeze_failed

        register("freeze", Handler("apps.datasets.alignments.job:run", failed=freeze_failed, stopped=freeze_failed))
