from django.apps import AppConfig


class RegistryConfig(AppConfig):
    name = "apps.registry"

    def ready(self) -> None:
        from apps.discussions import anchors
        from apps.experiments import hooks

        from . import links, queries

        anchors.register("version", queries.find_versions)
        hooks.run_actions.append(links.run_actions)
        hooks.run_notes.append(links.run_notes)
