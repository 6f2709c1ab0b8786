"""What rules, hierarchies and order do to probabilities; how rules are reported."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.evaluation.rule_report import report
from fusion.knowledge import Rule, rules_of
from fusion.tasks.bootstrap import Resampler
from fusion.training.knowledge_losses import (
    CONCEPT_WEIGHT,
    ORDER_WEIGHT,
    Terms,
    apply_rules,
    concept_losses,
    log_mass,
    no_label_left,
    ranked_probability_losses,
    rule_losses,
    rule_tensors,
)

LABELS = ["a", "b", "c", "d"]


def rule(**changes: object) -> Rule:
    return Rule.parse({"when": "t.x > 1"} | changes)


@st.composite
def cases(draw: st.DrawFn) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """log_p, fires, allowed, weights with every set of labels neither empty nor full."""
    n, k, r = draw(st.integers(1, 5)), draw(st.integers(2, 5)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    allowed = rng.random((r, k)) < 0.5
    one = rng.integers(k, size=r)
    allowed[np.arange(r), one] = True
    allowed[np.arange(r), (one + rng.integers(1, k, size=r)) % k] = False
    logits = torch.from_numpy(rng.normal(scale=3, size=(n, k)))
    weights = torch.from_numpy(rng.choice([0.1, 0.5, 1.0, 3.0, np.inf], size=r))
    return (
        logits.log_softmax(-1),
        torch.from_numpy(rng.random((n, r)) < 0.6),
        torch.from_numpy(allowed),
        weights,
    )


@settings(max_examples=80)
@given(cases())
def test_the_semantic_loss_is_zero_exactly_when_all_probability_obeys(
    case: tuple[torch.Tensor, ...],
) -> None:
    log_p, fires, allowed, weights = case
    legal = torch.stack([(allowed | ~row[:, None]).all(0) for row in fires])
    lawful = log_p.masked_fill(~legal, -torch.inf)[legal.any(1)].log_softmax(-1)
    if len(lawful):
        assert rule_losses(lawful, fires[legal.any(1)], allowed, weights).mean() == 0
    broken = bool((fires[:, :, None] & ~allowed).any())
    assert (rule_losses(log_p, fires, allowed, weights).mean() > 0) == broken


def test_the_semantic_loss_is_the_published_formula() -> None:
    p = torch.tensor([[0.1, 0.2, 0.3, 0.4], [0.7, 0.1, 0.1, 0.1]], dtype=torch.float64)
    allowed, weights = rule_tensors(
        [rule(label_in=["a", "b"], weight=0.5), rule(label_not_in=["d"], weight=2)], LABELS
    )
    fires = torch.tensor([[True, True], [False, True]])
    expected = -(0.5 * np.log(0.3) + 2 * np.log(0.6) + 2 * np.log(0.9)) / 2
    assert float(rule_losses(p.log(), fires, allowed, weights).mean()) == pytest.approx(expected)


def test_the_loss_has_a_gradient_however_sure_the_model_is() -> None:
    logits = torch.tensor([[200.0, 0, 0, 0], [0, 200.0, 0, 0], [0, 0, 0, 0]], requires_grad=True)
    allowed, weights = rule_tensors([rule(label="a", hard=True)], LABELS)
    rule_losses(
        logits.log_softmax(-1), torch.ones(3, 1, dtype=torch.bool), allowed, weights
    ).mean().backward()
    assert torch.isfinite(logits.grad).all()
    assert logits.grad[0].abs().max() == 0
    assert logits.grad[1, 0] < 0 < logits.grad[1, 1]


def test_descending_the_loss_makes_the_rule_hold() -> None:
    logits = torch.zeros(2, 4, requires_grad=True)
    allowed, weights = rule_tensors([rule(label_in=["a", "b"])], LABELS)
    fires = torch.tensor([[True], [False]])
    descent = torch.optim.SGD([logits], lr=5.0)
    for _ in range(100):
        descent.zero_grad()
        rule_losses(logits.log_softmax(-1), fires, allowed, weights).mean().backward()
        descent.step()
    p = logits.detach().softmax(-1)
    assert p[0, :2].sum() > 0.99
    assert p[0, 0] == pytest.approx(p[0, 1])
    assert torch.equal(p[1], torch.full((4,), 0.25))


@settings(max_examples=80)
@given(cases())
def test_rules_at_prediction_give_probabilities_that_obey_the_hard_ones(
    case: tuple[torch.Tensor, ...],
) -> None:
    log_p, fires, allowed, weights = case
    q = apply_rules(log_p, fires, allowed, weights).exp()
    assert torch.allclose(q.sum(-1), torch.ones(len(q), dtype=q.dtype))
    left = ~no_label_left(fires, allowed, weights)
    for row, label in (fires & weights.isinf() & left[:, None]).nonzero():
        assert q[row][~allowed[label]].sum() == 0
    idle = ~fires.any(1)
    assert torch.equal(apply_rules(log_p, fires, allowed, weights)[idle], log_p[idle])


@settings(max_examples=60)
@given(cases())
def test_weighted_rules_solve_posterior_regularisation(case: tuple[torch.Tensor, ...]) -> None:
    """q minimises KL(q || p) + sum of w q(what the rule forbids): no distribution near it or far
    from it does better.
    """
    log_p, fires, allowed, weights = case
    weights = torch.where(weights.isinf(), 2.0, weights)

    def cost(q: torch.Tensor) -> torch.Tensor:
        forbidden = (q[:, None, :] * ~allowed).sum(-1)
        return (q * (q.clamp_min(1e-300).log() - log_p)).sum(-1) + (
            fires * weights * forbidden
        ).sum(-1)

    q = apply_rules(log_p, fires, allowed, weights).exp()
    rng = torch.Generator().manual_seed(0)
    for spread in (1e-3, 0.1, 3.0):
        other = (
            q.clamp_min(1e-12).log() + spread * torch.randn(q.shape, generator=rng, dtype=q.dtype)
        ).softmax(-1)
        assert (cost(q) <= cost(other) + 1e-9).all()


def test_a_weight_divides_the_odds_of_what_the_rule_forbids_by_its_exponential() -> None:
    log_p = torch.tensor([[0.25, 0.25, 0.25, 0.25]], dtype=torch.float64).log()
    allowed, weights = rule_tensors([rule(label="a", weight=0.5)], LABELS)
    q = apply_rules(log_p, torch.tensor([[True]]), allowed, weights).exp()[0]
    assert float(q[1] / q[0]) == pytest.approx(np.exp(-0.5))


def test_where_hard_rules_leave_no_label_they_are_passed_over_and_named() -> None:
    rules = [rule(label="a", hard=True), rule(label="b", hard=True), rule(label="c", weight=1)]
    tensors = rule_tensors(rules, LABELS)
    log_p = torch.tensor([[0.4, 0.3, 0.2, 0.1]]).log().expand(2, 2, 4)
    fires = torch.tensor([[True, True, True], [True, False, False]])
    q = apply_rules(log_p, fires, *tensors).exp()
    assert no_label_left(fires, *tensors).tolist() == [True, False]
    assert q.shape == (2, 2, 4)
    assert torch.isfinite(q).all()
    assert q[0, 0, 2] / q[0, 0, 0] == pytest.approx(np.e / 2, rel=1e-5)
    assert q[0, 1].tolist() == [1, 0, 0, 0]


def test_a_rule_that_allows_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        rule_tensors([rule(label="z")], LABELS)


def test_no_rules_change_nothing() -> None:
    log_p, fires = torch.randn(3, 4).log_softmax(-1), torch.zeros(3, 0, dtype=torch.bool)
    assert rule_losses(log_p, fires, *rule_tensors([], LABELS)).mean() == 0
    assert torch.equal(apply_rules(log_p, fires, *rule_tensors([], LABELS)), log_p)


def test_a_concept_is_as_probable_as_its_labels_together() -> None:
    log_p = torch.tensor([[0.1, 0.2, 0.3, 0.4], [1e-30, 0.0, 0.0, 1.0]], dtype=torch.float64).log()
    sets = torch.tensor(
        [[True, True, False, False], [True, True, True, True], [True, False, False, False]]
    )
    mass = log_mass(log_p, sets)
    assert mass[0].exp().tolist() == pytest.approx([0.3, 1, 0.1])
    assert mass[1].tolist() == pytest.approx([np.log(1e-30), 0, np.log(1e-30)])


def test_the_ranked_probability_loss_counts_how_far_away_the_answer_is() -> None:
    sure = torch.eye(4).clamp_min(1e-30).log()
    losses = [
        float(ranked_probability_losses(sure[k : k + 1], torch.tensor([0]))) for k in range(4)
    ]
    assert losses == pytest.approx([0, 1 / 3, 2 / 3, 1])


def test_each_rule_is_reported_with_who_obeys_it_and_who_does_not() -> None:
    rules = rules_of(
        [
            {"name": "long", "discipline": "SP", "when": "t.x > 1", "label_in": ["a", "b"]},
            {"when": "t.x > 9", "label": "a"},
        ]
    )
    fires = [[True, True, True, False, True], [False] * 5]
    y = np.array([0, 1, 3, 2, -1])
    p = np.eye(4)[[0, 2, 3, 0, 1]] * 0.6 + 0.1
    first, second = report(
        rules, fires, y, LABELS, ["k0", "k1", "k2", "k3", "k4"], p, Resampler(np.arange(5), 200)
    )
    assert (first.rule.title, second.rule.title) == ("long", "t.x > 9")
    assert (first.n_covered, first.n_labelled, first.n_labels_break, first.n_answers_break) == (
        4,
        3,
        1,
        2,
    )
    assert first.labels_obey.value == pytest.approx(2 / 3)
    assert first.labels_obey.low < 2 / 3 < first.labels_obey.high
    assert (first.labels_obey_elsewhere, first.answers_obey.value) == (0, 0.5)
    assert first.mass == pytest.approx((0.8 + 0.2 + 0.2 + 0.8) / 4)
    assert (first.labels_break, first.answers_break) == (["k2"], ["k1", "k2"])
    assert (second.n_covered, second.labels_obey, second.answers_obey) == (0, None, None)
    assert report(rules, fires, y, LABELS, list("abcde"))[0].answers_obey is None


def test_a_report_refuses_arrays_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="do not fit together"):
        report([rule(label="a")], [[True]], np.array([0]), LABELS, ["k"], np.ones((2, 4)))


def test_a_concept_costs_nothing_when_all_probability_lies_under_it() -> None:
    sets = torch.tensor([[True, True, False, False]])
    inside = torch.tensor([[0.3, 0.7, 0.0, 0.0]], dtype=torch.float64).log()
    apart = torch.tensor([[0.3, 0.1, 0.4, 0.2]], dtype=torch.float64).log()
    one, other = torch.tensor([1]), torch.tensor([3])
    assert concept_losses(inside, one, sets).tolist() == [0]
    assert concept_losses(apart, one, sets).tolist() == pytest.approx([-np.log(0.4)])
    assert concept_losses(apart, other, sets).tolist() == [0]


def test_what_knowledge_adds_is_the_sum_of_its_parts_for_any_leading_axes() -> None:
    log_p = torch.randn(2, 3, 5, 4, dtype=torch.float64).log_softmax(-1)
    y, fires = torch.randint(4, (3, 5)), torch.rand(3, 5, 1) < 0.5
    rules, sets = (
        rule_tensors([rule(label="a", weight=2)], LABELS),
        torch.tensor([[True, False, True, False]]),
    )
    order = torch.tensor([3, 1, 0, 2])
    found = Terms(rules, sets, order).losses(log_p, y, fires)
    assert found.shape == (2, 3, 5)
    places = order.argsort()
    for at in np.ndindex(2, 3, 5):
        sample, own = log_p[at][None], y[at[1:]][None]
        expected = (
            rule_losses(sample, fires[at[1:]][None], *rules).mean()
            + CONCEPT_WEIGHT * concept_losses(sample, own, sets)[0]
        )
        expected += ORDER_WEIGHT * ranked_probability_losses(sample[:, order], places[own]).mean()
        assert float(found[at]) == pytest.approx(float(expected))
