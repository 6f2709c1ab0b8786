"""Fusion methods: any subset of modalities in, and what is masked cannot be seen."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.methods import JOINT, build

DIMS = {"image": 5, "speech": 4, "text": 3}
K = 4
PRIOR = torch.tensor([0.4, 0.3, 0.2, 0.1]).log()


def made(name, dims=DIMS):
    torch.manual_seed(0)
    return build(name, dims, PRIOR, 8, 0.3, 0.2).eval()


def inputs(n=6, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(n, dim, generator=generator) for name, dim in DIMS.items()}


METHODS = ["image", "text", *JOINT]


@pytest.mark.parametrize("name", METHODS)
@settings(max_examples=25)
@given(
    mask=st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=5),
    junk=st.floats(-1e6, 1e6),
)
def test_masked_input_cannot_change_the_output(name, mask, junk):
    mask = torch.tensor(mask)
    x = inputs(len(mask))
    net = made(name)
    changed = {
        m: torch.where(mask[:, i, None], x[m], torch.tensor(junk)) for i, m in enumerate(DIMS)
    }
    broken = {
        m: torch.where(mask[:, i, None], x[m], torch.tensor(float("nan")))
        for i, m in enumerate(DIMS)
    }
    with torch.inference_mode():
        expected = net(x, mask)[0]
        assert torch.equal(net(changed, mask)[0], expected)
        assert torch.equal(net(broken, mask)[0], expected)
        assert torch.equal(net.represent(broken, mask), net.represent(x, mask))


@pytest.mark.parametrize("name", METHODS)
def test_a_sample_without_anything_gets_the_prior(name):
    with torch.inference_mode():
        logits = made(name)(inputs(), torch.zeros(6, 3, dtype=torch.bool))[0]
    assert torch.allclose(logits.softmax(-1), PRIOR.exp().expand(6, -1), atol=1e-6)


@pytest.mark.parametrize("name", METHODS)
def test_logits_and_representation_have_their_shapes(name):
    net, mask = made(name), torch.ones(6, 3, dtype=torch.bool)
    logits, aux = net(inputs(), mask)
    assert logits.shape == (6, K)
    assert net.represent(inputs(), mask).shape[0] == 6
    assert all(each.shape == (6, K) for each in aux.values())


def test_the_gate_gives_nothing_to_a_missing_modality():
    net, mask = made("gated"), torch.tensor([[True, False, True], [False, False, False]])
    weights = net.weights(net.tokens(inputs(2), mask), mask)
    assert weights[0, 1] == 0
    assert weights[0].sum().item() == pytest.approx(1)
    assert weights[1].sum() == 0
