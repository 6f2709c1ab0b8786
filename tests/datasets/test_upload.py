"""Facts about the wizard: files arrive whole or not at all, nothing changes before the person says
so.
"""

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from apps.datasets import services as dataset_services
from apps.datasets.models import DataSet, Upload, Version
from apps.datasets.uploads import services
from apps.datasets.uploads.handler import LimitedUploadHandler
from apps.datasets.uploads.upload_folder import workspace_of
from apps.jobs.work import perform
from apps.projects.models import Event

pytestmark = pytest.mark.django_db


def page(name: str, upload: Upload) -> str:
    return reverse(f"datasets:{name}", args=[upload.project.slug, upload.pk])


def sent(files: dict[str, bytes], **fields: str) -> dict[str, Any]:
    return {
        "files": [SimpleUploadedFile(name, content) for name, content in files.items()],
        "complete": "1",
        **fields,
    }


def test_the_whole_way_by_pages(
    team: Any, as_: Any, small: dict[str, bytes], django_assert_max_num_queries: Any
) -> None:
    client = as_(team.contributor)
    response = client.post(reverse("datasets:new", args=[team.project.slug]), {"source": "table"})
    upload = Upload.objects.get()
    assert response.url == page("upload_add", upload)
    assert client.post(page("upload_add", upload), sent(small, check="1")).url == page(
        "upload_check", upload
    )
    assert client.get(page("upload_check", upload)).status_code == 200
    perform(str(Upload.objects.get().check_job_id))
    with django_assert_max_num_queries(25):
        report = client.get(page("upload_check", upload)).content.decode()
    assert "1 broken file" in report
    assert "images/D3.png" in report
    assert not DataSet.objects.exists()
    columns = client.get(page("upload_columns", upload))
    choices = {"key": "id"} | {
        bound.html_name: bound.value() for _column, bound in columns.context["form"].rows()
    }
    assert client.post(page("upload_columns", upload), choices).url == page("upload_about", upload)
    about = {"name": "Faces", "discipline": team.vision.pk, "description": "", "licence": "CC0"}
    assert client.post(page("upload_about", upload), about).url == page("upload_done", upload)
    perform(str(Upload.objects.get().import_job_id))
    with django_assert_max_num_queries(25):
        done = client.get(page("upload_done", upload)).content.decode()
    assert "Faces" in done
    dataset = DataSet.objects.get()
    assert (dataset.slug, dataset.licence, dataset.discipline) == ("faces", "CC0", team.vision)


def test_another_key_column_is_checked_again(
    team: Any, as_: Any, bring: Any, small: dict[str, bytes]
) -> None:
    upload = bring("table", small, imports=False)
    client = as_(team.contributor)
    form = client.get(page("upload_columns", upload)).context["form"]
    choices = {bound.html_name: bound.value() for _column, bound in form.rows()} | {"key": "age"}
    assert client.post(page("upload_columns", upload), choices).url == page("upload_check", upload)
    upload.refresh_from_db()
    assert upload.state == Upload.State.CHECKING
    perform(str(upload.check_job_id))
    upload.refresh_from_db()
    assert upload.report["tables"][0]["key"] == "age"


def test_a_new_version_of_a_data_set(
    team: Any, as_: Any, bring: Any, small: dict[str, bytes]
) -> None:
    dataset = bring("table", small).versions.get().dataset
    client = as_(team.contributor)
    client.post(reverse("datasets:new", args=[team.project.slug]), {"dataset": dataset.slug})
    upload = Upload.objects.first()
    client.post(page("upload_add", upload), sent(small, check="1"))
    perform(str(Upload.objects.get(pk=upload.pk).check_job_id))
    assert client.post(page("upload_about", upload), {"note": ""}).status_code == 422
    client.post(page("upload_about", upload), {"note": "The same again."})
    perform(str(Upload.objects.get(pk=upload.pk).import_job_id))
    assert list(dataset.versions.values_list("number", "note")) == [(2, "The same again."), (1, "")]
    assert Event.objects.filter(verb="version.added", target_id=dataset.slug).count() == 1


def test_a_body_that_broke_off_is_refused(team: Any, as_: Any, small: dict[str, bytes]) -> None:
    upload = services.begin_upload(team.contributor, team.project, "table")
    data = sent(small)
    del data["complete"]
    response = as_(team.contributor).post(page("upload_add", upload), data)
    assert response.status_code == 422
    assert "did not arrive whole" in response.content.decode()
    assert Upload.objects.get().files == []


def test_an_upload_over_the_limit_is_refused_in_words(
    team: Any, as_: Any, small: dict[str, bytes], settings: Any
) -> None:
    settings.UPLOAD_LIMIT_BYTES = 2_000
    upload = services.begin_upload(team.contributor, team.project, "table")
    response = as_(team.contributor).post(page("upload_add", upload), sent(small))
    assert response.status_code == 422
    assert "larger than what fits" in response.content.decode()
    assert not list(workspace_of(upload.pk).folder.rglob("0*"))


def test_a_program_over_the_limit_is_refused_before_the_disk_is_full(
    rf: Any, settings: Any
) -> None:
    settings.UPLOAD_LIMIT_BYTES = 2_000
    handler = LimitedUploadHandler(rf.put("/"))
    handler.handle_raw_input(None, {}, 3_000, None)
    with pytest.raises(RequestDataTooBig):
        handler.new_file(None, "a.zip", "application/zip", 3_000, None)


def test_a_file_may_be_removed_and_replaced(team: Any, as_: Any) -> None:
    upload = services.begin_upload(team.contributor, team.project, "table")
    client = as_(team.contributor)
    client.post(page("upload_add", upload), sent({"a.csv": b"id\n1\n", "b.zip": b"x"}))
    client.post(page("upload_add", upload), sent({"a.csv": b"id\n1\n2\n"}))
    client.post(page("upload_remove", upload), {"name": "b.zip"})
    assert [(file["name"], file["size"]) for file in Upload.objects.get().files] == [("a.csv", 7)]


@pytest.mark.parametrize("name", ["../../etc/passwd", "..\\..\\x.csv", "/abs/t.csv"])
def test_the_name_of_a_file_is_never_a_path(team: Any, as_: Any, name: str) -> None:
    from apps.datasets.uploads.receive import receive_file

    upload = services.begin_upload(team.contributor, team.project, "table")
    receive_file(team.contributor, upload, name, SimpleUploadedFile("t.csv", b"id\n1\n"))
    file = Upload.objects.get().files[0]
    assert "/" not in file["name"]
    assert workspace_of(upload.pk).part(file["part"]).read_bytes() == b"id\n1\n"


def test_cancelling_removes_the_files(
    team: Any,
    as_: Any,
    bring: Any,
    small: dict[str, bytes],
    django_capture_on_commit_callbacks: Any,
) -> None:
    upload = bring("table", small, imports=False)
    with django_capture_on_commit_callbacks(execute=True):
        as_(team.contributor).post(page("upload_cancel", upload))
    assert Upload.objects.get().state == Upload.State.CANCELLED
    assert not workspace_of(upload.pk).folder.exists()


def test_a_failed_check_leads_back_to_the_files(team: Any, as_: Any, bring: Any) -> None:
    upload = bring("table", {"notes.txt": b"\x00\x01\x02"}, imports=False)
    client = as_(team.contributor)
    assert (
        "cannot" in client.get(page("upload_check", upload)).content.decode()
        or upload.check_job.error
    )
    assert client.post(page("upload_back", upload)).url == page("upload_add", upload)


def test_who_may_not_add_data(team: Any, as_: Any, bring: Any, small: dict[str, bytes]) -> None:
    upload = bring("table", small, imports=False)
    names = (
        "upload_add",
        "upload_check",
        "upload_columns",
        "upload_about",
        "upload_done",
        "upload_cancel",
        "upload_back",
        "upload_remove",
    )
    addresses = [
        reverse("datasets:new", args=[team.project.slug]),
        *(page(name, upload) for name in names),
    ]
    for person, status in ((team.viewer, 403), (team.reviewer, 403), (team.outsider, 404)):
        client = as_(person)
        assert {client.post(address).status_code for address in addresses} == {status}
        assert {client.get(address).status_code for address in addresses} == {status}


def test_an_upload_of_another_project_is_not_there(team: Any, as_: Any, person: Any) -> None:
    from apps.projects.services import create_project

    other = create_project(team.contributor, "Other", "Another one.")
    upload = services.begin_upload(team.contributor, other, "table")
    assert (
        as_(team.contributor)
        .get(reverse("datasets:upload", args=[team.project.slug, upload.pk]))
        .status_code
        == 404
    )


def test_bad_choices_are_answered_with_422(
    team: Any, as_: Any, bring: Any, small: dict[str, bytes]
) -> None:
    client = as_(team.contributor)
    assert (
        client.post(
            reverse("datasets:new", args=[team.project.slug]), {"source": "magic"}
        ).status_code
        == 422
    )
    upload = bring("table", small, imports=False)
    assert client.post(page("upload_columns", upload), {"key": "nothing"}).status_code == 422
    response = client.post(page("upload_about", upload), {"name": ""})
    assert response.status_code == 422
    assert "There is a problem" in response.content.decode()


def test_a_data_set_is_renamed_deleted_and_brought_back(
    team: Any, as_: Any, bring: Any, small: dict[str, bytes]
) -> None:
    dataset = bring("table", small).versions.get().dataset
    client = as_(team.maintainer)
    form = {
        "name": "Faces and voices",
        "discipline": team.speech.pk,
        "description": "New words",
        "licence": "",
    }
    client.post(reverse("datasets:change", args=[team.project.slug, dataset.slug]), form)
    dataset.refresh_from_db()
    assert (dataset.name, dataset.discipline, dataset.slug) == (
        "Faces and voices",
        team.speech,
        "people",
    )
    assert Event.objects.get(verb="dataset.changed").data["changes"]["name"] == [
        "People",
        "Faces and voices",
    ]
    client.post(reverse("datasets:delete", args=[team.project.slug, dataset.slug]))
    dataset.refresh_from_db()
    assert dataset.deleted_at
    assert Version.objects.filter(dataset=dataset).exists()
    client.post(reverse("datasets:restore", args=[team.project.slug, dataset.slug]))
    dataset.refresh_from_db()
    assert dataset.deleted_at is None


def test_only_maintainers_delete(team: Any, as_: Any, bring: Any, small: dict[str, bytes]) -> None:
    dataset = bring("table", small).versions.get().dataset
    assert (
        as_(team.contributor)
        .post(reverse("datasets:delete", args=[team.project.slug, dataset.slug]))
        .status_code
        == 403
    )
    assert (
        as_(team.outsider)
        .post(reverse("datasets:delete", args=[team.project.slug, dataset.slug]))
        .status_code
        == 404
    )


def test_an_address_is_not_given_twice(team: Any) -> None:
    first = dataset_services.create_dataset
    from django.db import transaction

    with transaction.atomic():
        slugs = [first(team.project, team.owner, "New", team.vision).slug for _n in range(2)]
    assert slugs == ["new-2", "new-3"]


def test_no_heavy_library_in_the_web_process() -> None:
    import subprocess
    import sys

    code = (
        "import django, sys; django.setup(); import apps.datasets.views.uploads, "
        "apps.datasets.views.media, apps.datasets.uploads.receive;"
        "print([m for m in ('pyarrow', 'torch', 'scipy', 'sklearn', 'soundfile', 'PIL') if m in "
        "sys.modules])"
    )
    root = Path(__file__).parents[2]
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip().splitlines()[-1] == "[]"


def test_the_way_values_are_written_is_told_and_can_be_chosen(
    bring: Any, team: Any, as_: Any
) -> None:
    content = 'id,x,grade\na,"1,234",Mild\nb,"2,345",mild\nc,"3,456",mild\n'
    upload = bring("table", {"t.csv": content.encode()}, imports=False, kinds={"grade": "label"})
    client = as_(team.contributor)
    page_of_check = client.get(page("upload_check", upload)).content.decode()
    assert "1 column writes numbers with a mark between thousands" in page_of_check
    assert "Mild, mild" in page_of_check
    shown = client.get(page("upload_columns", upload))
    assert "The comma in the numbers of x" in shown.content.decode()
    client.post(
        page("upload_columns", upload),
        {"key": "id", "kind_0": "number", "kind_1": "label", "decimal_0": ",", "join_1": "on"},
    )
    perform(str(Upload.objects.get().check_job_id))
    upload.refresh_from_db()
    assert [group["code"] for group in upload.report["groups"]] == [
        "decimal_comma",
        "joined_values",
    ]
    previews = [column["preview"] for column in upload.report["tables"][0]["columns"]]
    assert previews == [["1.234", "2.345", "3.456"], ["mild"]]
