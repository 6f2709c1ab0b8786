"""Data sets for pages and the API, in a bounded number of queries."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import OuterRef, QuerySet, Subquery

from apps.projects.models import Project

from .models import Blob, BlobUse, DataSet, Upload, Version

INPUT_KINDS = ("image", "audio", "text", "series")
OPEN_UPLOADS = (
    Upload.State.CHECKING,
    Upload.State.READY,
    Upload.State.IMPORTING,
    Upload.State.FAILED,
)


def newest_versions(project: Project) -> list[Version]:
    """The newest version of each data set of the project, data before annotations, in the order of
    the list.
    """
    newest = (
        Version.objects.filter(dataset=OuterRef("dataset")).order_by("-number").values("pk")[:1]
    )
    versions = Version.objects.filter(
        dataset__project=project, dataset__deleted_at=None, pk=Subquery(newest)
    )
    ordered = versions.select_related("dataset__discipline", "table").order_by(
        "-dataset__kind", "dataset__created_at", "dataset__pk"
    )
    return sorted(ordered, key=lambda version: version.dataset.kind == DataSet.Kind.ANNOTATION)


def datasets_of(project: Project, deleted: bool = False) -> QuerySet[DataSet]:
    rows = DataSet.objects.filter(project=project, deleted_at__isnull=not deleted)
    return rows.select_related("project", "discipline")


def n_datasets(project: Project) -> int:
    return datasets_of(project).count()


def versions_of(dataset: DataSet) -> QuerySet[Version]:
    return dataset.versions.select_related("created_by", "dataset__discipline", "table")


def kinds_of(version: Version) -> list[str]:
    """The inputs that a version brings: image, audio, text, series, or table where it holds only
    values.
    """
    kinds = {spec["kind"] for spec in version.columns}
    inputs = [kind for kind in INPUT_KINDS if kind in kinds]
    return inputs or ["table"]


def blob_of(project: Project, sha256: str) -> Blob | None:
    """Return the file with this digest; None where no version of the project holds it."""
    uses = BlobUse.objects.filter(project=project, blob__sha256=sha256)
    use = uses.select_related("blob").first()
    return use.blob if use else None


def n_found(version: Version, code: str) -> int:
    """Return the number of findings of this code in the version."""
    return sum(
        group["count"] for group in version.report.get("groups", []) if group["code"] == code
    )


@dataclass(frozen=True)
class ListRow:
    """One line of the list of data sets."""

    dataset: DataSet
    version: Version | None
    kinds: list[str]
    share: float | None
    """Of the project's samples, how many this data set tells about."""
    set_aside: int

    @property
    def percent(self) -> float:
        return 100 * (self.share or 0.0)


def dataset_list(project: Project, filters: dict[str, str]) -> list[ListRow]:
    versions = {version.dataset_id: version for version in newest_versions(project)}
    most = max(
        (
            version.n_rows
            for version in versions.values()
            if version.dataset.kind == DataSet.Kind.DATA
        ),
        default=0,
    )
    rows = [
        _list_row(dataset, versions.get(dataset.pk), most)
        for dataset in datasets_of(project).order_by("created_at", "pk")
    ]
    return sorted_rows([row for row in rows if _matches(row, filters)], filters.get("sort", ""))


def _list_row(dataset: DataSet, version: Version | None, most: int) -> ListRow:
    if version is None:
        return ListRow(dataset, None, [], None, 0)
    samples = version.statistics.get("samples") or version.n_rows
    share = min(1.0, samples / most) if most else None
    return ListRow(dataset, version, kinds_of(version), share, n_found(version, "broken_file"))


def _matches(row: ListRow, filters: dict[str, str]) -> bool:
    text = filters.get("q", "").strip().lower()
    about = f"{row.dataset.name} {row.dataset.description} {row.dataset.licence}".lower()
    return (
        text in about
        and filters.get("discipline", "") in ("", row.dataset.discipline.code)
        and (not filters.get("modality") or filters["modality"] in row.kinds)
        and filters.get("kind", "") in ("", row.dataset.kind)
    )


SORTS = {
    "name": lambda row: row.dataset.name.lower(),
    "samples": lambda row: row.version.n_rows if row.version else 0,
    "updated": lambda row: row.version.created_at.timestamp() if row.version else 0.0,
    "owner": lambda row: row.dataset.discipline.name.lower(),
}


def sorted_rows(rows: Iterable[ListRow], sort: str) -> list[ListRow]:
    order = SORTS.get(sort.lstrip("-"))
    return sorted(rows, key=order, reverse=sort.startswith("-")) if order else list(rows)


def open_uploads(project: Project) -> list[Upload]:
    """Return uploads on their way, waiting or failed; they stand above the list until they are
    done.
    """
    rows = Upload.objects.filter(project=project, state__in=OPEN_UPLOADS).select_related(
        "check_job", "import_job", "created_by"
    )
    uploads = list(rows[:10])
    for upload in uploads:
        upload.title = _title(upload)
    return uploads


def _title(upload: Upload) -> str:
    """Return the name that the person gave, else that of the first file."""
    files = [file.get("name", "") for file in upload.files]
    return str(
        upload.options.get("name") or (files[0] if files else "") or upload.get_source_display()
    )
