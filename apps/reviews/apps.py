from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    name = "apps.reviews"

    def ready(self) -> None:
        from apps.discussions import anchors
        from apps.experiments import hooks as runs
        from apps.registry import hooks as versions

        from . import links

        anchors.register("review", links.find_reviews)
        runs.run_notes.append(links.run_notes)
        versions.version_actions.append(links.version_actions)
        versions.approvals.append(links.approvals)
        versions.in_review.append(links.open_reviews)
