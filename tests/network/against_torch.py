"""Compare a layer with PyTorch's: outputs, and the gradients of inputs and parameters."""

import numpy as np
import pytest

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
