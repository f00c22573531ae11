"""Batch normalization against PyTorch, and what it refuses."""

import numpy as np
import pytest

from lessons_lib.network import (
    BatchNorm1d,
    BatchNorm2d,
)

from ..rounding import assert_close

RNG = np.random.default_rng


def compare_with_torch(ours, theirs, x, dtype=np.float64, condition=1.0):
    """Copy the parameters over; compare outputs, all gradients and buffers."""
    torch = pytest.importorskip("torch")
    theirs = theirs.to(torch.float32 if dtype == np.float32 else torch.float64)
    their_parameters = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        their_parameters[name].data = torch.from_numpy(parameter.data.copy())
    x = x.astype(dtype)
    their_x = torch.from_numpy(x.copy()).requires_grad_()
    y, their_y = ours(x), theirs(their_x)
    grad = RNG(1).standard_normal(y.shape).astype(dtype)
    their_y.backward(torch.from_numpy(grad))
    # No sum of these layers is longer than over all inputs or outputs.
    rounded = {"terms": x.size + y.size, "condition": condition, "dtype": dtype}
    grad_x = ours.backward(grad)
    assert y.dtype == grad_x.dtype == dtype
    assert_close(y, their_y.detach(), **rounded)
    assert_close(grad_x, their_x.grad, **rounded)
    for name, parameter in ours.named_parameters():
        assert parameter.grad.dtype == dtype
        assert_close(parameter.grad, their_parameters[name].grad, **rounded)
    their_buffers = dict(theirs.named_buffers())
    for name, buffer in ours.named_buffers():
        assert_close(buffer, their_buffers[name], **rounded)


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
