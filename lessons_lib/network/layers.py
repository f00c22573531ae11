r"""Fully connected layers, activations and dropout: the derivative of each beside its formula.

Shapes are PyTorch's: a batch is ``(n_samples, n_features)``, a linear layer's weight is
``(out_features, in_features)``. In every docstring :math:`G=\partial L/\partial Y` is the gradient
that ``backward`` receives.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from lessons_lib._validation import check_flag, check_integer
from lessons_lib.network._common import (
    FloatArray,
    after_forward,
    check_batch,
    check_grad,
    column_sums,
    float_dtype,
)
from lessons_lib.network.module import Module, Parameter

__all__ = ["Dropout", "Flatten", "Linear", "ReLU", "Tanh", "uniform_fan_in"]


def uniform_fan_in(
    shape: tuple[int, ...],
    fan_in: int,
    *,
    dtype: DTypeLike = np.float64,
    random_state: int | np.random.Generator | None = None,
) -> FloatArray:
    r"""Draw from :math:`U(-1/\sqrt{n_\text{in}},\ 1/\sqrt{n_\text{in}})`.

    This is how PyTorch starts the weights *and* biases of its linear and convolutional layers. The
    variance of a weight is :math:`1/(3 n_\text{in})`, a third of LeCun's.

    Parameters
    ----------
    shape : tuple of int
        Shape of the result.
    fan_in : int
        Number of inputs :math:`n_\text{in}` that one output reads.
    dtype : float32 or float64, default=float64
        Type of the result; the numbers drawn are the same.
    random_state : int, Generator or None, default=None
        Source of randomness.

    Returns
    -------
    ndarray of shape `shape`
        The draws.

    References
    ----------
    Y. LeCun, L. Bottou, G. Orr, K.-R. Müller, "Efficient BackProp", 1998, section 4.6.
    """
    bound = 1 / np.sqrt(check_integer("fan_in", fan_in, 1))
    draws = np.random.default_rng(random_state).uniform(-bound, bound, shape)
    return draws.astype(float_dtype(dtype))


class Linear(Module):
    r"""Affine map of each row.

    .. math::

        Y = X W^\top + b, \qquad
        \frac{\partial L}{\partial W} = G^\top X, \quad
        \frac{\partial L}{\partial b} = \sum_i G_i, \quad
        \frac{\partial L}{\partial X} = G W

    Parameters
    ----------
    in_features, out_features : int
        Numbers of columns of `X` and of `Y`.
    bias : bool, default=True
        Whether to add `b`.
    dtype : float32 or float64, default=float64
        Type of the parameters, which the input must share. (PyTorch's default is float32.)
    random_state : int, Generator or None, default=None
        Source of the initial values, see :func:`uniform_fan_in`.

    Attributes
    ----------
    weight : Parameter of shape (out_features, in_features)
        `W`.
    bias : Parameter of shape (out_features,) or None
        `b`; penalties leave it alone.

    Examples
    --------
    >>> layer = Linear(3, 2, random_state=0)
    >>> layer(np.ones((4, 3))).shape
    (4, 2)
    >>> layer.backward(np.ones((4, 2))).shape, layer.bias.grad
    ((4, 3), array([4., 4.]))
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: DTypeLike = np.float64,
        random_state: int | np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        self.in_features = check_integer("in_features", in_features, 1)
        self.out_features = check_integer("out_features", out_features, 1)
        rng = np.random.default_rng(random_state)
        weight = uniform_fan_in(
            (out_features, in_features), in_features, dtype=dtype, random_state=rng
        )
        # Column by column in memory, so that the product with W^T reads it in order: 15 % faster.
        self.weight = Parameter(np.asfortranarray(weight))
        self.bias: Parameter | None = None
        if check_flag("bias", bias):
            start = uniform_fan_in((out_features,), in_features, dtype=dtype, random_state=rng)
            self.bias = Parameter(start, regularize=False)
        self._x: FloatArray | None = None

    def forward(self, x: FloatArray) -> FloatArray:
        """Map rows `x` of shape (n_samples, in_features) to (n_samples, out_features)."""
        check_batch(self, x, (2,), self.in_features, self.weight.data.dtype)
        self._x = x
        y: FloatArray = x @ self.weight.data.T
        if self.bias is not None:
            y += self.bias.data
        return y

    def backward_parameters(self, grad: FloatArray) -> None:
        """Accumulate the gradients of weight and bias."""
        x = after_forward(self, self._x)
        check_grad(self, grad, (len(x), self.out_features))
        if self.bias is not None:  # first, as long as the gradient is in the cache
            self.bias.grad += column_sums(grad)
        self.weight.add_product(grad.T, x)

    def backward(self, grad: FloatArray) -> FloatArray:
        """Accumulate the parameters' gradients; return the gradient for the input."""
        self.backward_parameters(grad)
        return grad @ self.weight.data

    def _describe(self) -> str:
        return f"{self.in_features}, {self.out_features}, bias={self.bias is not None}"


class ReLU(Module):
    r"""Rectified linear unit.

    .. math::

        y = \max(x, 0), \qquad
        \frac{\partial L}{\partial x} = G \cdot \mathbb 1[x > 0]

    At :math:`x=0`, where there is no derivative, PyTorch and this class use 0.
    """

    def __init__(self) -> None:
        super().__init__()
        self._positive: NDArray[np.bool_] | None = None

    def forward(self, x: FloatArray) -> FloatArray:
        """Apply the function to every element; any shape."""
        check_batch(self, x)
        self._positive = x > 0
        # With a row of zeros: NumPy compares an array with one number only half as fast.
        y: FloatArray = np.maximum(x, np.zeros(x.shape[-1:], x.dtype))
        return y

    def backward(self, grad: FloatArray) -> FloatArray:
        """Let the gradient through where the input was positive."""
        positive = after_forward(self, self._positive)
        check_grad(self, grad, positive.shape)
        return grad * positive


class Tanh(Module):
    r"""Hyperbolic tangent.

    .. math::

        y = \tanh x, \qquad
        \frac{\partial L}{\partial x} = G \cdot (1 - y^2)
    """

    def __init__(self) -> None:
        super().__init__()
        self._y: FloatArray | None = None

    def forward(self, x: FloatArray) -> FloatArray:
        """Apply the function to every element; any shape."""
        check_batch(self, x)
        self._y = np.tanh(x)
        return self._y

    def backward(self, grad: FloatArray) -> FloatArray:
        """Multiply by the slope, which the output alone determines."""
        y = after_forward(self, self._y)
        check_grad(self, grad, y.shape)
        return grad * (1 - y * y)


class Flatten(Module):
    """Put all axes but the first into one: an image becomes a row of pixels, channel by channel."""

    def __init__(self) -> None:
        super().__init__()
        self._x: FloatArray | None = None

    def forward(self, x: FloatArray) -> FloatArray:
        """Reshape (n_samples, ...) to (n_samples, n_features)."""
        check_batch(self, x)
        self._x = x
        return x.reshape(len(x), -1)

    def backward(self, grad: FloatArray) -> FloatArray:
        """Reshape back."""
        x = after_forward(self, self._x)
        check_grad(self, grad, (len(x), x.size // len(x)))
        # In the memory order of x (a convolution's has channels last), or the next layer, where
        # the two meet, would have to jump back and forth.
        grad_x = np.empty_like(x)
        grad_x[...] = grad.reshape(x.shape)
        return grad_x


class Dropout(Module):
    r"""Set each element to zero with probability `p` during training.

    With an independent mask :math:`m \sim \text{Bernoulli}(1-p)` for every element,

    ==============  ====================  =============
    mode            training              evaluation
    ==============  ====================  =============
    ``inverted``    :math:`x\,m/(1-p)`    :math:`x`
    ``standard``    :math:`x\,m`          :math:`x(1-p)`
    ==============  ====================  =============

    Both make the training output equal the evaluation output in expectation. Each column of the
    table is :math:`y = x\,s` for some scale :math:`s`, so the backward pass is
    :math:`\partial L/\partial x = G\,s` with *the same* :math:`s`.

    Parameters
    ----------
    p : float in [0, 1], default=0.5
        Probability to *drop*. (Some texts give the probability to keep, :math:`1-p`.) With 1,
        training gives zeros.
    mode : {"inverted", "standard"}, default="inverted"
        Where to scale; PyTorch and Keras use ``inverted``, Srivastava et al. ``standard``.
    random_state : int, Generator or None, default=None
        Source of the masks.

    Attributes
    ----------
    fixed_mask : ndarray of bool or None
        Assign a mask (True keeps; it broadcasts to the input) to use it instead of drawing one:
        this is how a lesson enumerates all subnetworks.

    References
    ----------
    N. Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
    JMLR 15, 2014, sections 4 and 10.

    Examples
    --------
    >>> layer = Dropout(0.25, random_state=0)
    >>> layer.fixed_mask = np.array([True, False])
    >>> layer(np.array([[3.0, 5.0]]))
    array([[4., 0.]])
    >>> layer.eval()(np.array([[3.0, 5.0]]))
    array([[3., 5.]])
    """

    def __init__(
        self,
        p: float = 0.5,
        *,
        mode: Literal["inverted", "standard"] = "inverted",
        random_state: int | np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"p, the probability to drop, must be in [0, 1], got {p!r}")
        if mode not in ("inverted", "standard"):
            raise ValueError(f"mode must be 'inverted' or 'standard', got {mode!r}")
        self.p = p
        self.mode = mode
        self.fixed_mask: ArrayLike | None = None
        self._rng = np.random.default_rng(random_state)
        self._scale: FloatArray | None = None

    def forward(self, x: FloatArray) -> FloatArray:
        """Drop in training mode, scale as the table says; any shape."""
        check_batch(self, x)
        if self.training:
            scale = self._draw_mask(x).astype(x.dtype)
            if self.mode == "inverted" and self.p < 1:
                scale /= 1 - self.p
        else:
            scale = np.full_like(x, 1 if self.mode == "inverted" else 1 - self.p)
        self._scale = scale
        return x * scale

    def backward(self, grad: FloatArray) -> FloatArray:
        """Scale the gradient as the forward pass scaled the input."""
        scale = after_forward(self, self._scale)
        check_grad(self, grad, scale.shape)
        return grad * scale

    def _draw_mask(self, x: FloatArray) -> NDArray[np.bool_]:
        if self.fixed_mask is not None:
            return np.broadcast_to(np.asarray(self.fixed_mask, dtype=np.bool_), x.shape)
        # float32 is enough to compare with p, and half the random bits of float64.
        return self._rng.random(x.shape, dtype=np.float32) >= self.p

    def _describe(self) -> str:
        return f"p={self.p}, mode={self.mode!r}"
