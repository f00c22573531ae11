"""The tools that take batch normalization apart, against PyTorch and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from lessons_lib.network import (
    BatchNorm1d,
    GhostBatchNorm1d,
    ShiftingNoise,
    gradient_check,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def ghost(n_features, ghost_size, rng):
    layer = GhostBatchNorm1d(n_features, ghost_size, momentum=0.3)
    layer.weight.data = 0.5 + rng.random(n_features)
    layer.bias.data = rng.normal(size=n_features)
    return layer


def test_each_ghost_batch_equals_pytorch(rng):
    torch = pytest.importorskip("torch")
    x, g = rng.normal(2, 3, (2, 12, 3))
    layer = ghost(3, 4, rng)
    y, grad_x = layer(x), layer.backward(g)
    weight = torch.tensor(layer.weight.data.copy(), requires_grad=True)
    bias = torch.tensor(layer.bias.data.copy(), requires_grad=True)
    means, variances = [], []
    for k in range(3):  # rows k, k + 3, k + 6, k + 9
        mean, var = torch.zeros(3).double(), torch.zeros(3).double()
        part = torch.tensor(x[k::3], requires_grad=True)
        out = torch.nn.functional.batch_norm(
            part, mean, var, weight, bias, training=True, momentum=1.0
        )
        out.backward(torch.tensor(g[k::3]))
        np.testing.assert_allclose(y[k::3], out.detach().numpy(), atol=1e-10)
        np.testing.assert_allclose(grad_x[k::3], part.grad.numpy(), atol=1e-10)
        means.append(mean.numpy())
        variances.append(var.numpy())
    np.testing.assert_allclose(layer.weight.grad, weight.grad.numpy(), atol=1e-10)
    np.testing.assert_allclose(layer.bias.grad, bias.grad.numpy(), atol=1e-10)
    np.testing.assert_allclose(layer.running_mean, 0.3 * np.mean(means, axis=0), atol=1e-10)
    expected = 0.7 + 0.3 * np.mean(variances, axis=0)
    np.testing.assert_allclose(layer.running_var, expected, atol=1e-10)


def test_one_ghost_batch_is_batch_normalization(rng):
    x, g = rng.normal(1, 2, (2, 6, 4))
    layer, whole = ghost(4, 6, rng), BatchNorm1d(4, momentum=0.3)
    whole.weight.data, whole.bias.data = layer.weight.data, layer.bias.data
    np.testing.assert_allclose(layer(x), whole(x), atol=1e-12)
    np.testing.assert_allclose(layer.backward(g), whole.backward(g), atol=1e-12)
    np.testing.assert_allclose(layer.running_var, whole.running_var, atol=1e-12)
    np.testing.assert_allclose(layer.eval()(x), whole.eval()(x), atol=1e-12)
    np.testing.assert_allclose(layer.backward(g), whole.backward(g), atol=1e-12)


@pytest.mark.parametrize("training", [True, False])
def test_gradients(rng, training):
    x = rng.normal(size=(8, 3))
    for module in (ghost(3, 4, rng), ShiftingNoise(0.5, random_state=1)):
        assert max(gradient_check(module.train(training), x).values()) < 1e-8


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.ones((4, 2)), r"shape \(n, 3\), got \(4, 2\)"),
        (np.ones(3), r"shape \(n, 3\), got \(3,\)"),
        (np.ones((5, 3)), "multiple of ghost_size=4, got 5"),
        (np.ones((0, 3)), "multiple of ghost_size=4, got 0"),
    ],
)
def test_ghost_batches_refuse(x, message):
    with pytest.raises(ValueError, match=message):
        GhostBatchNorm1d(3, 4)(x)


def test_bad_arguments():
    with pytest.raises(ValueError, match="ghost_size must be at least 2"):
        GhostBatchNorm1d(3, 1)
    with pytest.raises(ValueError, match="momentum"):
        GhostBatchNorm1d(3, 2, momentum=1.5)
    with pytest.raises(ValueError, match="size"):
        ShiftingNoise(1.5)
    with pytest.raises(RuntimeError, match="before forward"):
        GhostBatchNorm1d(3, 2).backward(np.ones((2, 3)))


def test_shifting_noise_is_the_same_for_all_rows_and_new_in_every_step():
    layer = ShiftingNoise(0.4, random_state=0)
    x = np.vstack([np.zeros(500), np.ones(500), 2 * np.ones(500)])
    first, second = layer(x), layer(x)
    shift, scale = first[0], first[1] - first[0]
    np.testing.assert_allclose(first[2], shift + 2 * scale, atol=1e-12)
    for values in (shift, scale - 1):
        assert np.all(np.abs(values) <= 0.4)
        assert np.ptp(values) > 0.7
    assert not np.allclose(first, second)
    assert layer.eval()(x) is x
