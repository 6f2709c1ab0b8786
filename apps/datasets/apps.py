from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    name = "apps.datasets"

    def ready(self) -> None:
        from apps.datasets import anchors
        from apps.datasets.alignments.services import freeze_failed
        from apps.datasets.uploads.services import upload_failed, upload_stopped
        from apps.discussions import anchors as talk
        from apps.jobs.handlers import Handler, register

        register(
            "freeze",
            Handler(
                "apps.datasets.alignments.job:run", failed=freeze_failed, stopped=freeze_failed
            ),
        )
        talk.register("dataset", anchors.find_datasets)
        talk.register("sample", anchors.find_samples)
        register(
            "check",
            Handler(
                "apps.datasets.ingest.jobs:check", failed=upload_failed, stopped=upload_stopped
            ),
        )
        register(
            "import",
            Handler(
                "apps.datasets.ingest.jobs:import_", failed=upload_failed, stopped=upload_stopped
            ),
        )
