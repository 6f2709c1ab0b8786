import pytest
from django.urls import reverse

from apps.discussions import anchors, services
from apps.discussions.anchors import Anchor
from apps.discussions.models import Comment, Notification
from apps.projects.events import record

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def thing(monkeypatch) -> None:
    """Something to discuss that needs no training: the sample D00001."""

    def samples(project, ids):
        return {
            key: Anchor(key, f"/p/{project.slug}/samples/{key}/") for key in ids if key == "D00001"
        }

    monkeypatch.setitem(anchors.FINDERS, "sample", samples)


def url(team, key: str = "D00001") -> str:
    return reverse("discussions:discussion", args=[team.project.slug, "sample", key])


def comment_of(team, who: str = "contributor", body: str = "Five or nine?") -> Comment:
    return services.open_thread(
        getattr(team, who), team.project, "sample", "D00001", "D00001", body
    )


def test_without_javascript_a_comment_leads_back_to_its_place(team, client) -> None:
    client.force_login(team.contributor)
    answer = client.post(url(team), {"body": "Five or nine?"})
    assert answer.status_code == 302
    assert answer.url == f"/p/digits/samples/D00001/#c-{Comment.objects.get().pk}"


def test_with_htmx_the_list_alone_comes_back(team, client) -> None:
    client.force_login(team.contributor)
    answer = client.post(url(team), {"body": "Five **or** nine?"}, headers=HTMX)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "<html" not in text
    assert "<strong>or</strong>" in text
    assert f'id="c-{Comment.objects.get().pk}"' in text


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_an_empty_comment_is_answered_with_the_error_and_422(team, client, headers) -> None:
    client.force_login(team.contributor)
    answer = client.post(url(team), {"body": " "}, headers=headers)
    assert answer.status_code == 422
    assert "There is a problem" in answer.content.decode()


def test_a_refused_reply_stays_in_its_own_box(team, client) -> None:
    thread = comment_of(team).thread
    client.force_login(team.reviewer)
    answer = client.post(
        reverse("discussions:reply", args=[team.project.slug, thread.pk]),
        {"body": "x" * 10_001},
        headers=HTMX,
    )
    assert answer.status_code == 422
    assert answer.content.decode().count("There is a problem") == 1


def test_a_discussion_on_nothing_is_404(team, client) -> None:
    client.force_login(team.contributor)
    assert client.post(url(team, "D99999"), {"body": "Hello"}).status_code == 404


def test_an_outsider_gets_404_and_a_viewer_reads_but_cannot_write(team, client) -> None:
    comment_of(team)
    client.force_login(team.outsider)
    assert client.get(url(team)).status_code == 404
    client.force_login(team.viewer)
    page = client.get(url(team)).content.decode()
    assert "Five or nine?" in page
    assert "Viewers can read but not comment" in page
    assert "<textarea" not in page
    assert client.post(url(team), {"body": "Hello"}).status_code == 403


def test_a_thread_of_another_project_cannot_be_reached(team, client) -> None:
    from apps.projects.services import create_project

    other = create_project(team.outsider, "Other", "Another project.")
    thread = comment_of(team).thread
    client.force_login(team.outsider)
    assert (
        client.post(
            reverse("discussions:reply", args=[other.slug, thread.pk]), {"body": "Hello"}
        ).status_code
        == 404
    )


def test_resolve_and_reopen(team, client) -> None:
    thread = comment_of(team).thread
    client.force_login(team.reviewer)
    assert (
        "Resolved"
        in client.post(
            reverse("discussions:resolve", args=[team.project.slug, thread.pk]), headers=HTMX
        ).content.decode()
    )
    assert (
        client.post(reverse("discussions:reopen", args=[team.project.slug, thread.pk])).status_code
        == 302
    )


def test_a_deleted_comment_shows_its_place_but_not_its_words(team, client) -> None:
    comment = comment_of(team)
    client.force_login(team.contributor)
    client.post(reverse("discussions:delete", args=[team.project.slug, comment.pk]))
    page = client.get(url(team)).content.decode()
    assert "This comment was deleted" in page
    assert "Five or nine?" not in page
    client.post(reverse("discussions:restore", args=[team.project.slug, comment.pk]))
    assert "Five or nine?" in client.get(url(team)).content.decode()


def test_a_comment_can_be_changed_on_its_own_page(team, client) -> None:
    comment = comment_of(team)
    client.force_login(team.contributor)
    address = reverse("discussions:change", args=[team.project.slug, comment.pk])
    assert "Five or nine?" in client.get(address).content.decode()
    assert client.post(address, {"body": ""}).status_code == 422
    assert client.post(address, {"body": "Nine."}).url.endswith(f"#c-{comment.pk}")


def test_twenty_threads_cost_no_more_queries_than_one(
    team, client, django_assert_max_num_queries
) -> None:
    for n in range(20):
        services.reply(
            team.reviewer, comment_of(team, body=f"Question {n}, see run 1").thread, "Answer"
        )
    client.force_login(team.contributor)
    with django_assert_max_num_queries(25):
        client.get(url(team))


def test_the_people_behind_the_at_sign_are_the_members(team, client) -> None:
    client.force_login(team.contributor)
    people = client.get(reverse("discussions:members", args=[team.project.slug])).json()
    assert {one["name"] for one in people} == {
        str(user) for name, user in team.people().items() if name != "outsider"
    }
    assert people[0].keys() == {"handle", "name", "note"}


# Inbox


def ask(team, n: int = 1) -> None:
    for k in range(n):
        comment_of(team, body=f"@{team.reviewer.name} question {k}?")


def test_the_inbox_opens_on_what_needs_me_and_groups_by_object(
    team, client, django_assert_max_num_queries
) -> None:
    ask(team, 12)
    client.force_login(team.reviewer)
    with django_assert_max_num_queries(25):
        page = client.get("/inbox/")
    assert page.context["show"] == "needs"
    assert len(page.context["groups"]) == 1
    assert "question 3?" in page.content.decode()


def test_opening_one_does_not_mark_the_others_read(team, client) -> None:
    ask(team, 2)
    first = Notification.objects.filter(user=team.reviewer).first()
    client.force_login(team.reviewer)
    assert client.get(reverse("discussions:open", args=[first.pk])).status_code == 302
    assert list(Notification.objects.filter(user=team.reviewer, read_at=None)) == list(
        Notification.objects.filter(user=team.reviewer).exclude(pk=first.pk)
    )


def test_done_can_be_undone(team, client) -> None:
    ask(team, 2)
    client.force_login(team.reviewer)
    page = client.post("/inbox/done/", {"all": "1", "show": "needs"}, follow=True)
    assert not Notification.objects.filter(user=team.reviewer, done_at=None).exists()
    message = next(iter(page.context["messages"]))
    client.post(message.extra_tags.split("undo:")[1].split()[0])
    assert Notification.objects.filter(user=team.reviewer, done_at=None).count() == 2


def test_nobody_can_touch_the_notifications_of_another(team, client) -> None:
    ask(team)
    row = Notification.objects.get(user=team.reviewer)
    client.force_login(team.contributor)
    assert client.get(reverse("discussions:open", args=[row.pk])).status_code == 404
    client.post("/inbox/done/", {"id": row.pk})
    row.refresh_from_db()
    assert row.done_at is None


def test_an_empty_inbox_says_what_will_come(team, client) -> None:
    client.force_login(team.viewer)
    assert "Your inbox is empty" in client.get("/inbox/").content.decode()


def test_a_notification_that_is_no_comment_opens_the_page_of_its_object(team, client) -> None:
    event = record(team.project, team.owner, "run.finished", "run", 7, "Run 7")
    services.notify(event, [team.viewer], Notification.Reason.RUN)
    row = Notification.objects.get(user=team.viewer)
    client.force_login(team.viewer)
    answer = client.get(reverse("discussions:open", args=[row.pk]))
    assert answer.url == reverse("experiments:run", args=[team.project.slug, 7])
