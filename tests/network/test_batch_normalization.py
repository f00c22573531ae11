"""Batch normalization against PyTorch, and what it refuses."""

import numpy as np
import pytest

from lessons_lib.network import (
    BatchNorm1d,
    BatchNorm2d,
)

from .against_torch import compare_with_torch

RNG = np.random.default_rng


BATCH_NORM_CASES = [
    (BatchNorm1d, "BatchNorm1d", (6, 3)),
    (BatchNorm1d, "BatchNorm1d", (4, 3, 5)),
    (BatchNorm2d, "BatchNorm2d", (4, 3, 2, 5)),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("cls", "name", "shape"), BATCH_NORM_CASES)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"eps": 0.1, "momentum": 0.7},
        {"momentum": None},
        {"affine": False},
        {"track_running_stats": False},
    ],
    ids=str,
)
def test_batch_norm_equals_torch(cls, name, shape, options, dtype):
    torch = pytest.importorskip("torch")
    ours, theirs = cls(3, **options, dtype=dtype), getattr(torch.nn, name)(3, **options)
    rng = RNG(0)
    for parameter in ours.parameters():
        parameter.data = rng.standard_normal(3)
    rest = tuple(axis for axis in range(len(shape)) if axis != 1)
    for _ in range(3):  # the running statistics move on from batch to batch
        x = 3 + 2 * rng.standard_normal(shape)
        ours.zero_grad()
        theirs.zero_grad()
        # Centering leaves the rounding of x, and dividing by the deviation magnifies it.
        condition = np.abs(x).max() / x.std(axis=rest).min()
        compare_with_torch(ours, theirs, x, dtype, condition)
    ours.eval()
    theirs.eval()
    ours.zero_grad()
    theirs.zero_grad()
    compare_with_torch(ours, theirs, rng.standard_normal(shape), dtype, condition)


def test_batch_norm_stores_the_unbiased_variance_but_normalizes_by_the_biased():
    x = np.array([[10.0], [20.0], [30.0], [40.0], [50.0]])
    layer = BatchNorm1d(1, eps=0, momentum=1)
    assert layer(x).std() == pytest.approx(1)
    assert layer.running_var == pytest.approx(x.var(ddof=1))


@pytest.mark.parametrize("layer", [BatchNorm1d(2), BatchNorm2d(2)])
def test_batch_norm_refuses_a_batch_of_one_in_training(layer):
    x = np.ones((1, 2) if isinstance(layer, BatchNorm1d) else (1, 2, 1, 1))
    with pytest.raises(ValueError, match="needs more than one value per channel"):
        layer(x)
    assert layer.eval()(x).shape == x.shape
