import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from apps.discussions.models import Notification
from apps.experiments.report import run_comparison
from apps.projects.models import Event, Role
from apps.projects.services import set_member
from apps.registry.models import ModelVersion
from apps.reviews import queries, services, version_comparison
from apps.reviews.models import Decision, Review
from apps.reviews.proposal import candidates
from fusion.schema.intervals import Interval
from fusion.schema.recipe import Recipe
from tests.experiments.answered_runs import answered_run
from tests.registry import factory

pytestmark = pytest.mark.django_db

APPROVE, CHANGES, COMMENT = (
    Decision.Verdict.APPROVE,
    Decision.Verdict.CHANGES,
    Decision.Verdict.COMMENT,
)


@pytest.fixture
def version(team) -> ModelVersion:
    """Trained on data of Vision, whose reviewer is the maintainer here, and Speech, whose reviewer
    is the reviewer.
    """
    made = factory.version(team.project, team.owner)
    for discipline, name in ((team.vision, "Handwriting"), (team.speech, "Recordings")):
        made.run.alignment.versions.add(factory.dataset(team.project, discipline, team.owner, name))
    return made


@pytest.fixture
def review(team, version) -> Review:
    return services.propose(
        team.owner,
        version,
        "Better on S3.",
        {team.vision: team.maintainer, team.speech: team.reviewer},
    )


def read(review: Review) -> queries.Gate:
    return queries.gate(queries.with_parts(Review.objects.filter(pk=review.pk)).get())


def told(user) -> list[tuple[str, str]]:
    return list(
        Notification.objects.filter(user=user).order_by("id").values_list("event__verb", "reason")
    )


def test_who_owns_data_of_the_run_is_proposed_with_a_person_who_may_review(team, version) -> None:
    found = {one.discipline.name: one for one in candidates(team.project, version)}
    assert found["Vision"].required
    assert found["Vision"].reviewers == [team.maintainer]
    assert found["Speech"].chosen == team.reviewer
    assert found["Speech"].datasets == ["Recordings"]


def test_the_lead_is_asked_where_there_is_one(team, version) -> None:
    second = team.people()["contributor"]
    set_member(team.owner, team.project, second, Role.REVIEWER, [team.speech])
    team.speech.lead = second
    team.speech.save()
    assert {one.discipline.name: one.chosen for one in candidates(team.project, version)}[
        "Speech"
    ] == second


def test_a_proposal_asks_the_reviewers_and_is_an_event(team, review) -> None:
    assert told(team.maintainer) == [("review.opened", "review")]
    assert told(team.reviewer) == [("review.opened", "review")]
    assert told(team.owner) == []
    assert Event.objects.first().data == {"disciplines": ["VI", "SP"]}


def test_only_maintainers_propose_and_a_reason_is_needed(team, version) -> None:
    with pytest.raises(PermissionDenied):
        services.propose(team.reviewer, version, "Good.", {team.speech: None})
    with pytest.raises(ValidationError, match="why it should be promoted"):
        services.propose(team.owner, version, " ", {team.speech: None})
    with pytest.raises(ValidationError, match="at least one discipline"):
        services.propose(team.owner, version, "Good.", {})
    with pytest.raises(ValidationError, match="cannot decide"):
        services.propose(team.owner, version, "Good.", {team.speech: team.viewer})


def test_one_version_has_one_open_review(team, version, review) -> None:
    with pytest.raises(ValidationError, match="Review 1 about this version is still open"):
        services.propose(team.owner, version, "Again.", {team.speech: None})


def test_the_headline_says_the_reason_and_who_is_awaited(team, review) -> None:
    assert read(review).headline == "Waiting: no discipline has decided yet."
    services.decide(team.maintainer, review, team.vision, CHANGES, "S3 is weak.")
    gate = read(review)
    assert gate.headline == "Not ready: Vision asks for changes; Speech has not decided."
    assert gate.waiting_on(team.viewer) == [str(team.reviewer), str(team.owner)]
    assert gate.waiting_on(team.owner) == ["you", str(team.reviewer)]
    assert Review.objects.get().state == Review.State.CHANGES


def test_a_person_decides_only_for_an_own_discipline(team, review) -> None:
    with pytest.raises(PermissionDenied, match="belongs to Vision"):
        services.decide(team.reviewer, review, team.vision, APPROVE, "Fine.")
    with pytest.raises(PermissionDenied):
        services.decide(team.contributor, review, team.vision, APPROVE, "Fine.")
    with pytest.raises(PermissionDenied):
        services.decide(team.viewer, review, team.vision, APPROVE, "Fine.")


def test_a_decision_needs_a_summary(team, review) -> None:
    with pytest.raises(ValidationError, match="summary"):
        services.decide(team.reviewer, review, team.speech, APPROVE, " ")


def test_a_comment_decides_nothing_and_leaves_the_turn(team, review) -> None:
    services.decide(team.reviewer, review, team.speech, COMMENT, "I listen to S3 first.")
    assert [one.discipline for one in read(review).waiting] == [team.speech, team.vision]
    assert queries.waiting_for(team.reviewer) == [review]


def test_answers_stand_beside_each_other_and_the_newest_counts(team, review) -> None:
    services.decide(team.reviewer, review, team.speech, CHANGES, "No.")
    services.decide(team.reviewer, review, team.speech, APPROVE, "Now yes.")
    column = next(one for one in read(review).columns if one.discipline == team.speech)
    assert [one.verdict for one in column.decisions] == [CHANGES, APPROVE]
    assert column.state == "approved"


def test_a_decision_tells_the_proposer_and_settles_the_request(team, review) -> None:
    services.decide(team.reviewer, review, team.speech, APPROVE, "Yes.")
    assert told(team.owner) == [("review.decided", "decision")]
    assert Notification.objects.get(user=team.reviewer, reason="review").done_at is not None
    assert Notification.objects.get(user=team.maintainer, reason="review").done_at is None


def test_asking_again_opens_the_turn_of_who_asked_and_keeps_approvals(team, review) -> None:
    services.decide(team.maintainer, review, team.vision, APPROVE, "Yes.")
    services.decide(team.reviewer, review, team.speech, CHANGES, "No.")
    with pytest.raises(ValidationError, match="what has changed"):
        services.ask_again(team.owner, review, "")
    services.ask_again(team.owner, review, "The card names S3 now.")
    gate = read(review)
    assert [one.state for one in gate.columns] == ["waiting", "approved"]
    assert queries.waiting_for(team.reviewer) == [review]
    assert told(team.reviewer)[-1] == ("review.asked_again", "review")
    services.decide(team.reviewer, review, team.speech, APPROVE, "Good.")
    assert read(review).ready


def approve_all(team, review: Review) -> None:
    services.decide(team.maintainer, review, team.vision, APPROVE, "Yes.")
    services.decide(team.reviewer, review, team.speech, APPROVE, "Yes.")


def test_promotion_needs_every_required_discipline(team, review) -> None:
    services.decide(team.maintainer, review, team.vision, APPROVE, "Yes.")
    with pytest.raises(ValidationError, match="Not every required discipline"):
        services.promote(team.owner, review)
    services.decide(team.reviewer, review, team.speech, APPROVE, "Yes.")
    assert Review.objects.get().state == Review.State.APPROVED
    with pytest.raises(PermissionDenied):
        services.promote(team.reviewer, review)
    services.promote(team.owner, review)
    review.version.refresh_from_db()
    assert review.version.alias == "staging"


def test_the_version_before_loses_staging_and_stays_in_the_history(team, review) -> None:
    approve_all(team, review)
    services.promote(team.owner, review)
    second = factory.version(team.project, team.owner, review.version.model)
    next_review = services.propose(team.owner, second, "Better.", {team.speech: team.reviewer})
    assert next_review.replaces == review.version
    services.decide(team.reviewer, next_review, team.speech, APPROVE, "Yes.")
    services.promote(team.owner, next_review)
    review.version.refresh_from_db()
    assert review.version.stage == "retired"
    assert Event.objects.filter(verb="review.promoted").first().data == {
        "replaced": "digit-fusion 1"
    }


def test_nothing_changes_after_the_end(team, review) -> None:
    approve_all(team, review)
    services.promote(team.owner, review)
    with pytest.raises(ValidationError, match="closed"):
        services.decide(team.reviewer, review, team.speech, CHANGES, "Too late.")
    with pytest.raises(ValidationError, match="closed"):
        services.withdraw(team.owner, review)
    with pytest.raises(ValidationError):
        services.promote(team.owner, review)


def test_withdrawing_takes_the_requests_back(team, review) -> None:
    services.withdraw(team.owner, review)
    assert queries.waiting_for(team.reviewer) == []
    assert Notification.objects.get(user=team.reviewer).done_at is not None
    with pytest.raises(PermissionDenied):
        services.withdraw(team.contributor, review)


def test_where_nobody_is_named_the_whole_discipline_is_awaited(team, version) -> None:
    review = services.propose(team.owner, version, "Good.", {team.speech: None})
    assert queries.waiting_for(team.reviewer) == [review]
    assert queries.waiting_for(team.maintainer) == []
    assert queries.waiting_for(team.viewer) == []


def test_that_the_proposer_decided_too_is_shown(team, version) -> None:
    set_member(team.owner, team.project, team.owner, Role.OWNER, [team.speech])
    review = services.propose(team.owner, version, "Good.", {team.speech: team.owner})
    services.decide(team.owner, review, team.speech, APPROVE, "My own.")
    assert read(review).columns[0].own_work


@pytest.mark.parametrize(
    ("before", "after", "lower", "words"),
    [
        ((0.70, 0.75), (0.76, 0.80), False, "better"),
        ((0.70, 0.75), (0.74, 0.80), False, "same"),
        ((0.76, 0.80), (0.70, 0.75), False, "worse"),
        ((0.01, 0.02), (0.03, 0.04), True, "worse"),
        ((0.03, 0.04), (0.01, 0.02), True, "better"),
        ((None, None), (0.9, 0.95), False, "same"),
    ],
)
def test_clearly_means_that_the_intervals_do_not_overlap(before, after, lower, words) -> None:
    one, other = (Interval(value=0.5, low=pair[0], high=pair[1]) for pair in (before, after))
    assert version_comparison.verdict(one, other, lower) == words


def test_the_difference_is_paired_where_both_answered_the_same_samples(
    team, settings, tmp_path
) -> None:
    settings.HOME = tmp_path
    before, after = answered_run(team, settings, 0.6), answered_run(team, settings, 0.9, 1)
    known = {one.label: one for one in version_comparison.figures(before, after)}
    score = known["Accuracy"]
    assert score.verdict == "better"
    assert 0 < score.paired.low < score.paired.value < score.paired.high
    assert known["Gain over the best single modality"].paired is None
    elsewhere = answered_run(team, settings, 0.9, 1, n=100)
    unpaired = version_comparison.figures(before, elsewhere)
    assert unpaired
    assert all(figure.paired is None for figure in unpaired)


def test_settings_that_differ_are_named_by_their_place_and_told_in_words(
    team, settings, tmp_path
) -> None:
    settings.HOME = tmp_path
    recipe = Recipe.parse(
        {
            "encoders": {"text": [{"name": "minilm-l6-v2", "layers": [4, 6]}]},
            "training": {"epochs": 20},
        }
    )
    before, after = (
        answered_run(team, settings, 0.6),
        answered_run(team, settings, 0.9, 1, recipe=recipe.model_dump(mode="json")),
    )
    found = {one.name: one.values for one in run_comparison.settings([before, after])}
    assert found["Epochs at most"][1] == "20"
    assert found["Encoder of text"][1] == "MiniLM L6 v2, layers 4 and 6"
    assert not {"title", "description"} & set(found)
