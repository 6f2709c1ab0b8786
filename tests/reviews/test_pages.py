import pytest
from django.urls import reverse

from apps.reviews import services
from apps.reviews.models import Decision, Review
from tests.registry import factory

pytestmark = pytest.mark.django_db

TABS = ("review", "changes", "evidence", "conversation")


@pytest.fixture
def review(team) -> Review:
    first = factory.version(team.project, team.owner, score=0.80)
    review = services.propose(team.owner, first, "The first.", {team.speech: team.reviewer})
    services.decide(team.reviewer, review, team.speech, Decision.Verdict.APPROVE, "Yes.")
    services.promote(team.owner, review)
    second = factory.version(team.project, team.owner, first.model)
    second.run.alignment.versions.add(
        factory.dataset(team.project, team.speech, team.owner, "Recordings")
    )
    return services.propose(
        team.owner,
        second,
        "Better on S3.",
        {team.vision: team.maintainer, team.speech: team.reviewer},
    )


def url(review: Review, name: str = "review") -> str:
    return reverse(f"reviews:{name}", args=[review.project.slug, review.number])


@pytest.mark.parametrize("tab", TABS)
def test_each_tab_is_closed_to_outsiders_and_open_to_viewers(team, client, review, tab) -> None:
    client.force_login(team.outsider)
    assert client.get(url(review, tab)).status_code == 404
    client.force_login(team.viewer)
    assert client.get(url(review, tab)).status_code == 200


@pytest.mark.parametrize("tab", TABS)
def test_each_tab_takes_few_queries(
    team, client, review, tab, django_assert_max_num_queries
) -> None:
    services.decide(team.maintainer, review, team.vision, Decision.Verdict.CHANGES, "S3 is weak.")
    client.force_login(team.reviewer)
    with django_assert_max_num_queries(25):
        client.get(url(review, tab))


def test_the_list_takes_few_queries_and_puts_mine_first(
    team, client, review, django_assert_max_num_queries
) -> None:
    for _n in range(4):
        version = factory.version(team.project, team.owner, review.version.model)
        services.propose(team.owner, version, "Newer.", {team.vision: team.maintainer})
    client.force_login(team.reviewer)
    with django_assert_max_num_queries(25):
        page = client.get(reverse("reviews:list", args=[team.project.slug]))
    assert page.context["rows"][0].review == review
    waiting = client.get(reverse("reviews:list", args=[team.project.slug]), {"show": "waiting"})
    assert [row.review for row in waiting.context["rows"]] == [review]


def test_viewers_decide_nothing(team, client, review) -> None:
    client.force_login(team.viewer)
    assert "your-review" not in client.get(url(review)).content.decode()
    for verb in ("decide", "promote", "withdraw", "ask_again"):
        assert (
            client.post(url(review, verb), {"summary": "Yes.", "verdict": "approve"}).status_code
            == 403
        )


def test_a_reviewer_approves_on_the_page(team, client, review) -> None:
    client.force_login(team.reviewer)
    assert "Your turn" in client.get(url(review)).content.decode()
    data = {"discipline": team.speech.pk, "verdict": "approve", "summary": "Good enough."}
    assert client.post(url(review, "decide"), data).status_code == 302
    assert "Good enough." in client.get(url(review)).content.decode()


@pytest.mark.parametrize(
    "data",
    [{"verdict": "approve"}, {"summary": "Good."}, {"verdict": "perhaps", "summary": "Good."}],
)
def test_half_a_decision_is_answered_with_422(team, client, review, data) -> None:
    client.force_login(team.reviewer)
    answer = client.post(url(review, "decide"), {"discipline": team.speech.pk, **data})
    assert answer.status_code == 422
    assert "There is a problem" in answer.content.decode()
    assert not review.decisions.exists()


def test_comment_only_needs_no_verdict(team, client, review) -> None:
    client.force_login(team.reviewer)
    client.post(
        url(review, "decide"),
        {"discipline": team.speech.pk, "summary": "I listen first.", "comment": "1"},
    )
    assert review.decisions.get().verdict == "comment"


def test_a_reviewer_of_no_required_discipline_gets_no_form(team, client, review) -> None:
    review.requirements.filter(discipline=team.speech).delete()
    client.force_login(team.reviewer)
    assert 'id="your-review"' not in client.get(url(review)).content.decode()
    data = {"discipline": team.speech.pk, "verdict": "approve", "summary": "Good."}
    assert client.post(url(review, "decide"), data).status_code == 403


def test_what_changed_says_clearly_better_only_without_overlap(team, client, review) -> None:
    client.force_login(team.viewer)
    page = client.get(url(review, "changes"))
    figures = {one.label: one.verdict for one in page.context["figures"]}
    assert figures["Macro-F1"] == "better"
    assert figures["Calibration, ECE"] == "same"
    assert "/runs/compare/?run=" in page.content.decode()


def test_the_proposal_form_preselects_who_owns_the_data(team, client, review) -> None:
    services.withdraw(team.owner, review)
    client.force_login(team.owner)
    address = f"{reverse('reviews:new', args=[team.project.slug])}?version={review.version.key}"
    page = client.get(address)
    assert {
        row["candidate"].discipline.name: row["required"].value()
        for row in page.context["form"].rows()
    } == {
        "Speech": True,
        "Vision": False,
    }
    assert client.post(address, {}).status_code == 422
    data = {
        "reason": "Again.",
        f"required-{team.speech.pk}": "on",
        f"reviewer-{team.speech.pk}": team.reviewer.pk,
    }
    made = client.post(address, data)
    assert made.url == url(Review.objects.get(reason="Again."))
    assert client.get(address).url == made.url


def test_the_card_names_who_approved_and_offers_the_way_to_staging(team, client, review) -> None:
    client.force_login(team.owner)
    services.decide(team.reviewer, review, team.speech, Decision.Verdict.APPROVE, "Hears S3 now.")
    page = client.get(review.version.get_absolute_url()).content.decode()
    assert "Hears S3 now." in page
    assert f"Open review {review.number}" in page
    services.withdraw(team.owner, review)
    assert "Propose for Staging" in client.get(review.version.get_absolute_url()).content.decode()


def test_promote_on_the_page(team, client, review) -> None:
    services.decide(team.maintainer, review, team.vision, Decision.Verdict.APPROVE, "Yes.")
    services.decide(team.reviewer, review, team.speech, Decision.Verdict.APPROVE, "Yes.")
    client.force_login(team.maintainer)
    assert "Promote to Staging" in client.get(url(review)).content.decode()
    client.post(url(review, "promote"))
    assert "Staging" in client.get(review.version.model.get_absolute_url()).content.decode()
    review.refresh_from_db()
    assert review.state == "promoted"


def test_an_empty_list_says_what_to_do(team, client) -> None:
    client.force_login(team.owner)
    assert (
        "No review is open"
        in client.get(reverse("reviews:list", args=[team.project.slug])).content.decode()
    )
