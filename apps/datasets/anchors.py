"""Anchors of discussions: a data set, and a sample that any data set has."""

from collections.abc import Collection

from django.urls import reverse

from apps.datasets.browsing.duck import CannotRead, ask_one
from apps.datasets.browsing.frames import frame_of_versions
from apps.datasets.queries import datasets_of, newest_versions
from apps.discussions.anchors import Anchor
from apps.projects.models import Project


def find_datasets(project: Project, slugs: Collection[str]) -> dict[str, Anchor]:
    datasets = datasets_of(project).filter(slug__in=list(slugs))
    return {
        dataset.slug: Anchor(
            dataset.name,
            reverse("datasets:dataset_tab", args=[project.slug, dataset.slug, "discussion"]),
            _people(dataset),
        )
        for dataset in datasets
    }


def _people(dataset: object) -> tuple[int, ...]:
    creator = getattr(dataset, "created_by_id", None)
    return (creator,) if creator else ()


def find_samples(project: Project, keys: Collection[str]) -> dict[str, Anchor]:
    versions = newest_versions(project)
    if not versions:
        return {}
    frame = frame_of_versions(versions)
    sql = (
        f"SELECT {frame.key}::VARCHAR AS key FROM t0 WHERE {frame.key}::VARCHAR IN (SELECT "
        "unnest(?::VARCHAR[]))"
    )
    try:
        rows = ask_one(frame.files, sql, [list(keys)])
    except CannotRead:
        return {}
    return {
        row["key"]: Anchor(row["key"], reverse("workspace:sample", args=[project.slug, row["key"]]))
        for row in rows
    }
