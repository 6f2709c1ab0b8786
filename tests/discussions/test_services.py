import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404

from apps.discussions import services
from apps.discussions.models import Comment, Notification
from apps.projects.models import Event

pytestmark = pytest.mark.django_db


def write(team, who: str, body: str, **more) -> Comment:
    return services.open_thread(
        getattr(team, who), team.project, "run", "31", "run 31", body, **more
    )


def reasons(user) -> list[str]:
    return list(Notification.objects.filter(user=user).values_list("reason", flat=True))


def test_a_comment_is_an_event_of_the_thing_it_stands_on(team) -> None:
    comment = write(team, "contributor", "S3 is weak.")
    event = Event.objects.first()
    assert (event.verb, event.target_type, event.target_id) == ("comment.added", "run", "31")
    assert event.data == {
        "thread": comment.thread_id,
        "comment": comment.pk,
        "excerpt": "S3 is weak.",
    }


def test_who_took_part_hears_of_a_reply_and_the_writer_does_not(team) -> None:
    first = write(team, "contributor", "S3 is weak.")
    services.reply(team.reviewer, first.thread, "It is.")
    assert reasons(team.contributor) == ["reply"]
    assert reasons(team.reviewer) == []


def test_a_mention_tells_the_person_once_and_as_a_mention(team) -> None:
    first = write(team, "reviewer", "S3 is weak.")
    services.reply(team.contributor, first.thread, f"@{team.reviewer.name} why?")
    assert reasons(team.reviewer) == ["mention"]


def test_whoever_made_the_thing_hears_of_a_comment_on_it(team) -> None:
    write(team, "contributor", "Nice.", people=[team.maintainer.pk, team.contributor.pk])
    assert reasons(team.maintainer) == ["comment"]
    assert reasons(team.contributor) == []


def test_somebody_who_left_the_project_hears_nothing(team) -> None:
    from apps.projects.services import remove_member

    first = write(team, "reviewer", "S3 is weak.")
    remove_member(team.owner, team.project, team.reviewer)
    services.reply(team.contributor, first.thread, "Why?")
    assert reasons(team.reviewer) == []


def test_an_answer_settles_the_mention(team) -> None:
    first = write(team, "contributor", f"@{team.reviewer.name} why?")
    services.reply(team.reviewer, first.thread, "Because.")
    assert Notification.objects.get(user=team.reviewer).done_at is not None


def test_a_viewer_cannot_write_and_an_outsider_learns_nothing(team) -> None:
    with pytest.raises(PermissionDenied):
        write(team, "viewer", "Hello")
    with pytest.raises(Http404):
        write(team, "outsider", "Hello")


def test_an_empty_comment_is_refused(team) -> None:
    with pytest.raises(ValidationError, match="Write something"):
        write(team, "contributor", "  \n ")


def test_only_the_author_changes_a_comment_and_only_a_new_mention_is_told(team) -> None:
    comment = write(team, "contributor", f"@{team.reviewer.name} why?")
    with pytest.raises(PermissionDenied):
        services.edit(team.owner, comment, "Never said")
    services.edit(team.contributor, comment, f"@{team.reviewer.name} and @{team.owner.name} why?")
    assert reasons(team.reviewer) == ["mention"]
    assert reasons(team.owner) == ["mention"]


def test_a_deleted_comment_keeps_its_place_and_can_come_back(team) -> None:
    comment = write(team, "contributor", "S3 is weak.")
    with pytest.raises(PermissionDenied):
        services.delete(team.reviewer, comment)
    services.delete(team.contributor, comment)
    assert Comment.objects.get(pk=comment.pk).deleted_at
    services.restore(team.contributor, comment)
    assert Comment.objects.get(pk=comment.pk).deleted_at is None


def test_a_maintainer_may_delete_what_another_wrote(team) -> None:
    comment = write(team, "contributor", "Rude words.")
    services.delete(team.maintainer, comment)
    assert Comment.objects.get(pk=comment.pk).deleted_at


def test_resolving_twice_is_one_event(team) -> None:
    thread = write(team, "contributor", "S3 is weak.").thread
    services.resolve(team.reviewer, thread)
    services.resolve(team.owner, thread)
    thread.refresh_from_db()
    assert thread.resolved_by == team.reviewer
    assert Event.objects.filter(verb="comment.resolved").count() == 1
    services.reopen(team.owner, thread)
    thread.refresh_from_db()
    assert thread.resolved_at is None
