from django.apps import AppConfig


class ExperimentsConfig(AppConfig):
    name = "apps.experiments"

    def ready(self) -> None:
        from apps.discussions import anchors
        from apps.jobs.handlers import Handler, register

        from . import links, services

        register(
            "run",
            Handler(
                "apps.experiments.worker.training:run",
                failed=services.run_failed,
                stopped=services.run_stopped,
            ),
        )
        anchors.register("run", links.find_runs)
