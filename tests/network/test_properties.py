"""Whatever a batch looks like: layers and losses see numbers, not memory, and change no input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lessons_lib.network import (
    BatchNorm1d,
    BatchNorm2d,
    BCEWithLogitsLoss,
    Conv2d,
    CrossEntropyLoss,
    Dropout,
    Flatten,
    Linear,
    MaxPool2d,
    MSELoss,
    Parameter,
    ReLU,
    SpectralNorm,
    Tanh,
    clip_grad_norm_,
    clip_grad_value_,
)

FEW = settings(max_examples=15, derandomize=True, deadline=None)
NUMBERS = st.floats(-1e3, 1e3, width=32)
ROWS = st.integers(2, 6).flatmap(lambda n: arrays(np.float64, (n, 4), elements=NUMBERS))
IMAGES = st.integers(2, 3).flatmap(lambda n: arrays(np.float64, (n, 2, 4, 3), elements=NUMBERS))

LAYERS = [
    (lambda: Linear(4, 3, random_state=0), ROWS),
    (lambda: SpectralNorm(Linear(4, 3, random_state=0), random_state=0), ROWS),
    (lambda: BatchNorm1d(4), ROWS),
    (lambda: BatchNorm1d(4).eval(), ROWS),
    (ReLU, ROWS),
    (Tanh, IMAGES),
    (lambda: Dropout(0.5, random_state=0), IMAGES),
    (Flatten, IMAGES),
    (lambda: Conv2d(2, 3, 2, stride=(2, 1), padding=1, random_state=0), IMAGES),
    (lambda: MaxPool2d(2, stride=1, padding=1), IMAGES),
    (lambda: BatchNorm2d(2), IMAGES),
]


def forms(x):
    """Return the same numbers in many forms of memory."""
    read_only = x.copy()
    read_only.flags.writeable = False
    return [
        np.asfortranarray(x),
        read_only,
        np.repeat(x, 2, axis=-1)[..., ::2],
        x[::-1].copy()[::-1],
    ]


@pytest.mark.parametrize(("make", "inputs"), LAYERS, ids=[repr(make()) for make, _ in LAYERS])
@FEW
@given(data=st.data())
def test_layers_do_not_mind_memory(make, inputs, data):
    x = data.draw(inputs)
    layer = make()
    expected = layer(x)
    grad = np.cos(np.arange(expected.size)).reshape(expected.shape)
    expected_grad = layer.backward(grad)
    assert np.isfinite(expected).all()
    assert expected_grad.shape == x.shape
    for form, grad_form in zip(forms(x), forms(grad), strict=True):
        before = form.copy()
        layer = make()
        np.testing.assert_allclose(layer(form), expected, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(layer.backward(grad_form), expected_grad, rtol=1e-7, atol=1e-9)
        np.testing.assert_array_equal(form, before)
    single = make().to(np.float32)
    y = single(x.astype(np.float32))
    assert y.dtype == np.float32
    assert single.backward(grad.astype(np.float32)).dtype == np.float32


@FEW
@given(
    z=st.integers(1, 5).flatmap(
        lambda n: arrays(np.float64, (n, 3), elements=st.floats(-1e150, 1e150))
    ),
    smoothing=st.sampled_from([0.0, 0.1, 1.0]),
    shift=st.sampled_from([0.0, 1.0, -3.0]),
)
def test_losses_of_any_logits(z, smoothing, shift):
    labels = np.arange(len(z)) % 3
    cross_entropy = CrossEntropyLoss(label_smoothing=smoothing)
    before = z.copy()
    value = cross_entropy(z, labels)
    grad = cross_entropy.backward()
    assert value >= 0
    assert np.isfinite(value)
    np.testing.assert_allclose(grad.sum(axis=1), 0, atol=1e-12)
    one_hot = np.eye(3)[labels]
    assert cross_entropy(z, one_hot) == pytest.approx(value, rel=1e-12)
    if np.abs(z).max() < 1e3:
        assert cross_entropy(z + shift, labels) == pytest.approx(value, rel=1e-9, abs=1e-9)
    # Two classes are one logit.
    two = CrossEntropyLoss()(np.column_stack([np.zeros(len(z)), z[:, 0]]), labels % 2)
    binary = BCEWithLogitsLoss()(z[:, 0].copy(), (labels % 2).astype(float))
    assert two == pytest.approx(binary, rel=1e-12)
    assert MSELoss()(z, z) == 0
    np.testing.assert_array_equal(z, before)


@FEW
@given(
    grad=arrays(np.float64, 4, elements=st.floats(-1e150, 1e150)),
    limit=st.floats(1e-3, 1e3),
    norm_type=st.sampled_from([1.0, 2.0, 3.0, np.inf]),
)
def test_clipping_never_lengthens(grad, limit, norm_type):
    parameter = Parameter(np.zeros(4))
    parameter.grad = grad
    norm = clip_grad_norm_(parameter, limit, norm_type)
    assert np.isfinite(norm)
    assert np.linalg.norm(parameter.grad, norm_type) <= min(limit, norm) * (1 + 1e-9)
    assert np.all(parameter.grad * grad >= 0)
    parameter.grad = grad
    clip_grad_value_(parameter, limit)
    np.testing.assert_array_equal(parameter.grad, np.clip(grad, -limit, limit))
