"""Norms of rows, groups and pictures against PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lessons_lib.network import (
    GroupNorm,
    InstanceNorm2d,
    LayerNorm,
    RMSNorm,
)
from tests.network.test_layers import compare_with_torch

RNG = np.random.default_rng


DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def scatter(module, seed=3):
    """Give all parameters values that no test can confuse."""
    rng = RNG(seed)
    for parameter in module.parameters():
        parameter.data = 0.5 * rng.standard_normal(parameter.shape)
    return module


@DTYPES
@pytest.mark.parametrize("shape", [(4, 6), (2, 3, 6)])
@pytest.mark.parametrize(
    ("ours", "name", "options"),
    [
        (LayerNorm, "LayerNorm", {}),
        (LayerNorm, "LayerNorm", {"eps": 0.1, "bias": False}),
        (LayerNorm, "LayerNorm", {"elementwise_affine": False}),
        (RMSNorm, "RMSNorm", {}),
        (RMSNorm, "RMSNorm", {"eps": 0.1}),
        (RMSNorm, "RMSNorm", {"elementwise_affine": False}),
    ],
    ids=str,
)
def test_norms_of_tokens_equal_torch(ours, name, options, shape, dtype):
    torch = pytest.importorskip("torch")
    layer = scatter(ours(6, **options, dtype=dtype))
    x = 3 + 2 * RNG(0).standard_normal(shape)
    compare_with_torch(layer, getattr(torch.nn, name)(6, **options), x, dtype)
    assert all(not parameter.regularize for parameter in layer.parameters())


@DTYPES
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize(("groups", "shape"), [(1, (3, 6)), (2, (3, 6, 5)), (3, (2, 6, 4, 3))])
def test_group_norm_equals_torch(groups, shape, affine, dtype):
    torch = pytest.importorskip("torch")
    layer = scatter(GroupNorm(groups, 6, affine=affine, dtype=dtype))
    x = 3 + 2 * RNG(0).standard_normal(shape)
    compare_with_torch(layer, torch.nn.GroupNorm(groups, 6, affine=affine), x, dtype)


@DTYPES
@pytest.mark.parametrize("affine", [True, False])
def test_instance_norm_equals_torch(affine, dtype):
    torch = pytest.importorskip("torch")
    layer = scatter(InstanceNorm2d(3, affine=affine, dtype=dtype))
    x = RNG(0).standard_normal((2, 3, 4, 5))
    compare_with_torch(layer, torch.nn.InstanceNorm2d(3, affine=affine), x, dtype)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.floats(0.1, 100), shift=st.floats(-100, 100))
def test_layer_norm_ignores_size_and_shift_and_the_gradient_knows(seed, size, shift):
    x = RNG(seed).standard_normal((3, 5))
    layer = LayerNorm(5, eps=0)
    y = layer(size * x + shift)
    np.testing.assert_allclose(y, LayerNorm(5, eps=0)(x), atol=1e-8)
    grad = layer.backward(RNG(1).standard_normal((3, 5)))
    np.testing.assert_allclose(grad.sum(axis=1), 0, atol=1e-9)
    np.testing.assert_allclose((grad * (size * x + shift)).sum(axis=1), 0, atol=1e-9)
