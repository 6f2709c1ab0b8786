"""Learning tasks: beliefs that multiply, answers that a person can read."""

import numpy as np
import pytest
from scipy.special import softmax

from fusion.tasks import task_of

PRIOR = np.log([0.4, 0.3, 0.2, 0.1])
RNG = np.random.default_rng(0)


def test_late_fusion_multiplies_likelihoods_and_not_priors():
    task, outputs = task_of("classification", list("abcd")), RNG.normal(size=(6, 3, 4))
    mask = np.tile([True, True, False], (6, 1))
    parts = softmax(outputs / 1.5, axis=-1)
    expected = parts[:, 0] * parts[:, 1] / np.exp(PRIOR)
    found = task.answers(task.product(task.beliefs(outputs, 1.5), mask, PRIOR))
    np.testing.assert_allclose(found, expected / expected.sum(1, keepdims=True))


def test_the_order_of_modalities_does_not_matter_and_nothing_at_all_is_the_prior():
    task, outputs = task_of("classification", list("abcd")), RNG.normal(size=(6, 3, 4))
    mask = RNG.random((6, 3)) > 0.4
    mask[0] = False
    found = task.product(task.beliefs(outputs), mask, PRIOR)
    np.testing.assert_allclose(task.product(task.beliefs(outputs[:, ::-1]), mask[:, ::-1], PRIOR), found)
    assert task.answers(found)[0] == pytest.approx(np.exp(PRIOR))
