"""Fits that are trained as one: none feels the others, and the optimizer, schedule and whitening
are the ones that they say they are.
"""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from fusion.core.progress import Progress
from fusion.features.whitening import Whitening
from fusion.methods import JOINT, build
from fusion.pipeline.run import train
from fusion.schema.recipe import Training
from fusion.training import fit_runner
from fusion.training.fit_runner import of_similar_size
from fusion.training.loop import Hooks, Samples, Watch, batches, fit
from fusion.training.optimizer import AdamW, one_cycle

RECIPE = Training(epochs=3, hidden_dim=8)
DIMS = {"a": 5, "b": 4}


def samples(n, seed):
    g = torch.Generator().manual_seed(seed)
    x = {name: torch.randn(n, dim, generator=g) for name, dim in DIMS.items()}
    return Samples(x, torch.rand(n, 2, generator=g) > 0.1, torch.randint(3, (n,), generator=g))


def trained(method, parts, epochs=3):
    torch.manual_seed(0)
    nets = [build(method, DIMS, torch.zeros(3), 8, 0.2, 0.2) for _ in parts]
    watches = [Watch(net, epochs) for net in range(len(parts))]
    fit(nets, parts, RECIPE, 4, watches, Hooks())
    return watches


@pytest.mark.parametrize("method", ["a", *JOINT])
def test_a_fit_does_not_feel_what_stands_beside_it(method):
    first = trained(method, [samples(50, 1), samples(60, 2)])
    other = trained(method, [samples(50, 1), samples(60, 3)])
    assert first[0].history == other[0].history
    assert all(
        torch.equal(value, other[0].weights[name]) for name, value in first[0].weights.items()
    )
    assert first[1].history != other[1].history


def test_a_fit_that_ends_before_the_others_keeps_its_weights_of_that_epoch():
    def both(second):
        torch.manual_seed(0)
        nets = [build("gated", DIMS, torch.zeros(3), 8, 0.2, 0.2) for _ in range(2)]
        watches = [Watch(0, 1), Watch(1, second)]
        fit(nets, [samples(50, 1), samples(50, 2)], RECIPE, 4, watches, Hooks())
        return watches[0].weights

    assert all(torch.equal(value, both(3)[name]) for name, value in both(1).items())


def test_every_sample_counts_once_an_epoch():
    seen = [[], []]
    for rows, counts in batches([0, 100], [37, 50], 4):
        for net in range(2):
            seen[net] += rows[net][counts[net] > 0].tolist()
    assert sorted(seen[0]) == list(range(37))
    assert sorted(seen[1]) == list(range(100, 150))


def test_the_optimizer_steps_as_those_of_torch():
    torch.manual_seed(0)
    begin, x, y = torch.randn(5, 3), torch.randn(20, 5), torch.randn(20, 3)
    ours, theirs = torch.nn.Parameter(begin.clone()), torch.nn.Parameter(begin.clone())
    optimizer = AdamW([ours], 3e-3, 0.05, 31)
    reference = torch.optim.AdamW([theirs], 3e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(reference, 3e-3, total_steps=31)
    for step in range(30):
        rate, momentum = one_cycle(step, 31, 3e-3)
        assert reference.param_groups[0]["lr"] == pytest.approx(rate)
        assert reference.param_groups[0]["betas"][0] == pytest.approx(momentum)
        reference.zero_grad()
        ((x @ theirs - y) ** 2).mean().backward()
        reference.step()
        schedule.step()
    for _ in range(30):
        optimizer.step(((x @ ours - y) ** 2).mean())
    assert torch.allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize("shape", [(40, 90), (200, 30)])
def test_whitening_finds_the_principal_directions(shape):
    x = (np.random.default_rng(0).normal(size=shape) * np.linspace(1, 4, shape[1])).astype(
        np.float32
    )
    found = Whitening.fit(x, 6)
    exact = PCA(6, svd_solver="full").fit((x - found.mean) / found.scale)
    cosine = (found.components * exact.components_.T).sum(0) / np.linalg.norm(
        found.components, axis=0
    )
    np.testing.assert_allclose(np.abs(cosine), 1, atol=1e-3)
    expected = exact.explained_variance_ / (
        exact.explained_variance_ + 0.05 * exact.explained_variance_[0]
    )
    np.testing.assert_allclose(found(x).var(0, ddof=1), expected, rtol=1e-3)


@pytest.mark.parametrize("n", [0, 1, 4, 60])
def test_the_number_of_directions_does_not_depend_on_the_number_of_rows(n):
    x = np.random.default_rng(0).normal(size=(60, 30)).astype(np.float32)
    out = Whitening.fit(x[:n], 10)(x)
    assert out.shape == (60, 10)
    assert np.isfinite(out).all()


def test_a_missing_number_counts_as_the_mean():
    x = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)
    x[3, 2], x[:, 4] = np.nan, np.nan
    found = Whitening.fit(x, 0)
    assert found.mean[2] == pytest.approx(np.nanmean(x[:, 2]), abs=1e-5)
    assert (found(x)[3, 2], found(x)[:, 4].any()) == (0, False)


def test_fits_of_about_the_same_size_stand_together():
    assert of_similar_size([600, 900, 0, 620, 880, 1200]) == [[2], [0, 3], [4, 1], [5]]


def test_inner_folds_of_the_same_rows_are_fitted_once(toy, small, tmp_path, monkeypatch):
    fits = []
    real = fit_runner.fit
    monkeypatch.setattr(
        fit_runner, "fit", lambda nets, *rest: (fits.append(len(nets)), real(nets, *rest))[1]
    )
    train(toy(), small(), tmp_path, None, Progress())
    names, inner, outer = 3, 3, 3 + 1
    assert sum(fits) <= names * (inner + outer) < names * (3 * 2 + outer)
