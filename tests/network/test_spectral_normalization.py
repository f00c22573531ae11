"""Spectral normalization and power iteration (batch normalization is tested with the layers)."""

import numpy as np
import pytest

from lessons_lib.network import (
    SGD,
    Conv2d,
    Linear,
    ReLU,
    Sequential,
    SpectralNorm,
    gradient_check,
    power_iteration,
)


def test_power_iteration_finds_the_largest_singular_triple():
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((6, 4))
    left, values, right = np.linalg.svd(matrix)
    sigma, u, v = power_iteration(matrix, rng.standard_normal(4), n_iterations=200)
    assert sigma == pytest.approx(values[0], rel=1e-10)
    assert abs(u @ left[:, 0]) == pytest.approx(1)
    assert abs(v @ right[0]) == pytest.approx(1)
    rough, _, _ = power_iteration(matrix, rng.standard_normal(4))
    assert rough < sigma


def test_power_iteration_of_zero():
    sigma, u, v = power_iteration(np.zeros((2, 3)), np.ones(3))
    assert sigma == 0
    assert np.all(u == 0)
    assert np.all(v == 0)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (Linear(4, 3, random_state=0), (5, 4)),
        (Linear(4, 3, bias=False, random_state=0), (5, 4)),
        (Conv2d(2, 3, 3, padding=1, random_state=0), (2, 2, 4, 4)),
    ],
)
def test_spectral_norm_equals_torch(layer, shape):
    torch = pytest.importorskip("torch")
    if isinstance(layer, Linear):
        theirs = torch.nn.Linear(4, 3, bias=layer.bias is not None)
    else:
        theirs = torch.nn.Conv2d(2, 3, 3, padding=1)
    theirs = torch.nn.utils.parametrizations.spectral_norm(theirs.double(), n_power_iterations=2)
    ours = SpectralNorm(layer, n_power_iterations=2, random_state=0)
    state = theirs.parametrizations.weight
    state.original.data = torch.from_numpy(ours.weight.data.copy())
    if ours.bias is not None:
        theirs.bias.data = torch.from_numpy(ours.bias.data.copy())
    ours._u, ours._v = state[0]._u.numpy().copy(), state[0]._v.numpy().copy()
    rng = np.random.default_rng(1)
    for step in range(4):
        if step == 3:
            ours.eval()
            theirs.eval()
        ours.zero_grad()
        theirs.zero_grad()
        x = rng.standard_normal(shape)
        their_x = torch.from_numpy(x.copy()).requires_grad_()
        y, their_y = ours(x), theirs(their_x)
        np.testing.assert_allclose(y, their_y.detach(), atol=1e-10)
        grad = rng.standard_normal(y.shape)
        their_y.backward(torch.from_numpy(grad))
        np.testing.assert_allclose(ours.backward(grad), their_x.grad, atol=1e-10)
        np.testing.assert_allclose(ours.weight.grad, state.original.grad, atol=1e-10)
        np.testing.assert_allclose(ours._v, state[0]._v, atol=1e-10)
        if ours.bias is not None:
            np.testing.assert_allclose(ours.bias.grad, theirs.bias.grad, atol=1e-10)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (Linear(4, 3, random_state=0), (5, 4)),
        (Conv2d(2, 3, 2, random_state=0), (2, 2, 3, 3)),
    ],
)
def test_gradients_once_the_iteration_has_converged(layer, shape):
    # The vectors count as constants; at convergence their derivative does vanish.
    module = SpectralNorm(layer, n_power_iterations=300, random_state=0)
    x = np.random.default_rng(1).standard_normal(shape)
    module(x)
    errors = gradient_check(module, x)
    assert set(errors) == {"x", "weight", "bias"}
    assert max(errors.values()) < 1e-7
    assert max(gradient_check(module.eval(), x).values()) < 1e-7


def test_the_constrained_layer_stays_within_its_bound_during_training():
    rng = np.random.default_rng(0)
    norm = SpectralNorm(Linear(6, 6, random_state=rng), random_state=rng)
    free = Linear(6, 6, random_state=rng)
    for layer in (norm, free):
        optimizer = SGD(layer.parameters(), lr=0.1)
        for _ in range(200):
            x = rng.standard_normal((16, 6))
            optimizer.zero_grad()
            target = x * [5, 0, 0, 0, 0, 0]  # stretches the first direction
            layer.backward_parameters((layer(x) - target) / 16)
            optimizer.step()
    assert np.linalg.norm(free.weight.data, 2) == pytest.approx(5, abs=0.1)
    assert np.linalg.norm(norm.layer.weight.data, 2) == pytest.approx(1, abs=0.01)


def test_spectral_norm_is_one_module_with_its_own_state():
    norm = SpectralNorm(Linear(3, 2, random_state=0), random_state=0)
    model = Sequential(norm, ReLU())
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias"]
    assert set(model.state_dict()) == {"0.weight", "0.bias", "0._u", "0._v"}
    assert norm.weight.regularize
    assert "Linear(3, 2" in repr(model)
    model.to(np.float32)
    x = np.ones((4, 3), np.float32)
    y = model(x)
    assert y.dtype == np.float32
    assert model.backward(np.ones_like(y)).dtype == np.float32
    optimizer = SGD(model.parameters(), lr=0.1)
    before = norm.weight.data.copy()
    model.backward(np.ones_like(y))
    optimizer.step()
    assert np.any(norm.weight.data != before)


def test_bad_arguments():
    with pytest.raises(TypeError, match="layer must be a Linear or Conv2d, got ReLU"):
        SpectralNorm(ReLU())
    with pytest.raises(ValueError, match="n_power_iterations must"):
        SpectralNorm(Linear(2, 2), n_power_iterations=0)
    with pytest.raises(ValueError, match=r"one value per column, got shapes \(2, 3\) and \(2,\)"):
        power_iteration(np.ones((2, 3)), np.ones(2))
    with pytest.raises(ValueError, match="n_iterations must"):
        power_iteration(np.ones((2, 3)), np.ones(3), 0)
