"""Facts about serving bytes: only to members, never as a page, with ranges for players."""

from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse

from apps.datasets.blobs import register_blobs
from apps.datasets.models import Blob

from .conftest import picture, recording

pytestmark = pytest.mark.django_db


@pytest.fixture
def blobs(bring: Any, small: dict[str, bytes]) -> dict[str, Blob]:
    bring("table", small)
    return {
        kind: Blob.objects.filter(kind=kind).order_by("pk").first()
        for kind in ("image", "audio", "table")
    }


def url(team: Any, blob: Blob, query: str = "") -> str:
    return reverse("datasets:media", args=[team.project.slug, blob.sha256]) + query


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def test_a_picture_is_served_redrawn_and_cannot_act_as_a_page(
    team: Any, blobs: dict[str, Blob], as_: Any, django_assert_max_num_queries: Any
) -> None:
    client = as_(team.viewer)
    with django_assert_max_num_queries(10):
        response = client.get(url(team, blobs["image"], "?size=thumb"))
    assert (response.status_code, response["Content-Type"]) == (200, "image/webp")
    assert body(response)[8:12] == b"WEBP"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "private" in response["Cache-Control"]


def test_an_unchanged_picture_is_not_sent_again(
    team: Any, blobs: dict[str, Blob], as_: Any
) -> None:
    client = as_(team.viewer)
    tag = client.get(url(team, blobs["image"]))["ETag"]
    assert client.get(url(team, blobs["image"]), headers={"If-None-Match": tag}).status_code == 304


def test_the_original_is_a_download(team: Any, blobs: dict[str, Blob], as_: Any) -> None:
    response = as_(team.viewer).get(url(team, blobs["image"], "?original=1"))
    assert response["Content-Disposition"].startswith("attachment")
    assert "no-store" in response["Cache-Control"]
    assert body(response) in {picture(number) for number in range(1, 7)}
    assert (
        as_(team.viewer).get(url(team, blobs["table"]))["Content-Disposition"].endswith('.parquet"')
    )


def test_a_player_may_seek(team: Any, blobs: dict[str, Blob], as_: Any) -> None:
    client, blob = as_(team.viewer), blobs["audio"]
    whole = client.get(url(team, blob))
    content = body(whole)
    assert (whole["Content-Type"], whole["Accept-Ranges"], len(content)) == (
        "audio/wav",
        "bytes",
        blob.size,
    )
    for asked, part in (
        ("bytes=10-19", content[10:20]),
        ("bytes=100-", content[100:]),
        ("bytes=-7", content[-7:]),
    ):
        response = client.get(url(team, blob), headers={"Range": asked})
        assert (response.status_code, body(response)) == (206, part)
    assert client.get(url(team, blob), headers={"Range": f"bytes={blob.size}-"}).status_code == 416
    assert client.get(url(team, blob), headers={"Range": "lines=1-2"}).status_code == 200


def test_outsiders_and_strange_digests_get_the_same_404(
    team: Any, blobs: dict[str, Blob], as_: Any
) -> None:
    assert as_(team.outsider).get(url(team, blobs["image"])).status_code == 404
    content = recording(99)
    import hashlib

    sha = hashlib.sha256(content).hexdigest()
    default_storage.save(f"{sha[:2]}/{sha[2:4]}/{sha}", ContentFile(content))
    Blob.objects.create(sha256=sha, size=len(content), kind="audio", media_type="audio/wav")
    address = reverse("datasets:media", args=[team.project.slug, sha])
    assert as_(team.viewer).get(address).status_code == 404
    register_blobs(
        team.project, [Blob(sha256=sha, size=len(content), kind="audio", media_type="audio/wav")]
    )
    assert as_(team.viewer).get(address).status_code == 200
