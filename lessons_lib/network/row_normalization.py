r"""Normalization within a sample: layer, RMS, group and instance normalization.

Batch normalization takes mean and variance over the batch, these over values of one sample. They do
the same in training and evaluation, for a batch of any size, and need no running statistics.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from lessons_lib._validation import check_integer, check_interval
from lessons_lib.network._common import (
    FloatArray,
    after_forward,
    check_batch,
    check_grad,
    column_sums,
    float_dtype,
)
from lessons_lib.network.module import Module, Parameter

__all__ = ["GroupNorm", "InstanceNorm2d", "LayerNorm", "RMSNorm"]

_Saved = tuple[FloatArray, FloatArray]


def _mean(x: FloatArray) -> FloatArray:
    """Return the mean over the last axis; for many short rows BLAS is 4 times faster than mean."""
    size = x.shape[-1]
    weights: FloatArray = np.full(size, 1 / size, x.dtype)
    means: FloatArray = (x.reshape(-1, size) @ weights).reshape((*x.shape[:-1], 1))
    return means


def _mean_product(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the mean of the product over the last axis, without computing the product."""
    means: FloatArray = np.einsum("...i,...i->...", a, b)[..., None] / a.shape[-1]
    return means


def _standardize(x: FloatArray, eps: float) -> _Saved:
    """Return the standardized last axis, and one over its standard deviation."""
    return _rescale(x - _mean(x), eps)


def _rescale(x: FloatArray, eps: float) -> _Saved:
    """Return the last axis divided by its root mean square, and one over that."""
    inverse = 1 / np.sqrt(_mean_product(x, x) + eps)
    return x * inverse, inverse


def _back_through_rescale(grad: FloatArray, saved: _Saved) -> FloatArray:
    """Take out what only changes the size, then rescale the gradient."""
    normalized, inverse = saved
    result: FloatArray = normalized * _mean_product(grad, normalized)
    np.subtract(grad, result, out=result)
    result *= inverse
    return result


def _back_through_standardize(grad: FloatArray, saved: _Saved) -> FloatArray:
    """Take out what only changes the mean as well."""
    return _back_through_rescale(grad - _mean(grad), saved)


def _check_last_axis(layer: object, x: FloatArray, size: int, dtype: np.dtype[Any] | None) -> None:
    check_batch(layer, x, dtype=dtype)
    if x.ndim < 2 or x.shape[-1] != size:
        raise ValueError(
            f"{type(layer).__name__}: x must have {size} features on its last axis, "
            f"got shape {x.shape}"
        )


class LayerNorm(Module):
    r"""Standardize the features of each token, then scale and shift them.

    Over the :math:`d` values of the last axis,

    .. math::

        \hat x = \frac{x-\mu}{\sqrt{\sigma^2+\epsilon}}, \quad y = \gamma \hat x + \beta, \qquad
        \frac{\partial L}{\partial x} = \frac{1}{\sqrt{\sigma^2+\epsilon}}
        \Bigl(\tilde G - \overline{\tilde G} - \hat x\, \overline{\tilde G \hat x}\Bigr), \quad
        \tilde G = \gamma G,

    with the bars for means over the features. The last two terms say that a change of the mean or
    the size of :math:`x` changes nothing.

    Parameters
    ----------
    normalized_shape : int
        Number of features :math:`d`.
    eps : float, default=1e-5
        :math:`\epsilon`.
    elementwise_affine : bool, default=True
        Whether :math:`\gamma` and :math:`\beta` exist.
    bias : bool, default=True
        Whether :math:`\beta` does.
    dtype : float32 or float64, default=float64
        Type of the parameters, which the input must share.

    Attributes
    ----------
    weight, bias : Parameter of shape (normalized_shape,) or None
        :math:`\gamma`, from 1, and :math:`\beta`, from 0; penalties leave both alone.

    References
    ----------
    J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer Normalization", 2016.

    Examples
    --------
    >>> LayerNorm(3, eps=0)(np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])).round(3)
    array([[-1.225,  0.   ,  1.225],
           [-1.225,  0.   ,  1.225]])
    """

    def __init__(
        self,
        normalized_shape: int,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: DTypeLike = np.float64,
    ) -> None:
        super().__init__()
        self.normalized_shape = check_integer("normalized_shape", normalized_shape, 1)
        self.eps = check_interval("eps", eps)
        ones: FloatArray = np.ones(normalized_shape, float_dtype(dtype))
        affine, shift = elementwise_affine, elementwise_affine and bias
        self.weight = Parameter(ones, regularize=False) if affine else None
        self.bias = Parameter(0 * ones, regularize=False) if shift else None
        self._saved: _Saved | None = None

    def forward(self, x: FloatArray) -> FloatArray:
        """Normalize `x` of shape (n_samples, ..., normalized_shape)."""
        dtype = self.weight.data.dtype if self.weight is not None else None
        _check_last_axis(self, x, self.normalized_shape, dtype)
        self._saved = _standardize(x, self.eps)
        y = self._saved[0]
        if self.weight is not None:
            y = y * self.weight.data
        if self.bias is not None:
            y += self.bias.data
        return y

    def backward(self, grad: FloatArray) -> FloatArray:
        """Accumulate the gradients of scale and shift; return the gradient for the input."""
        saved = after_forward(self, self._saved)
        check_grad(self, grad, saved[0].shape)
        if self.bias is not None:
            self.bias.grad += column_sums(grad.reshape(-1, self.normalized_shape))
        if self.weight is not None:
            scaled = (grad * saved[0]).reshape(-1, self.normalized_shape)
            self.weight.grad += column_sums(scaled)
            grad = grad * self.weight.data
        return _back_through_standardize(grad, saved)

    def _describe(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}"


class RMSNorm(Module):
    r"""Divide the features of each token by their root mean square: layer norm without the mean.

    .. math::

        \hat x = \frac{x}{\sqrt{\overline{x^2}+\epsilon}}, \quad y = \gamma \hat x, \qquad
        \frac{\partial L}{\partial x} = \frac{1}{\sqrt{\overline{x^2}+\epsilon}}
        \Bigl(\tilde G - \hat x\, \overline{\tilde G \hat x}\Bigr), \quad \tilde G = \gamma G .

    Parameters
    ----------
    normalized_shape : int
        Number of features.
    eps : float or None, default=None
        :math:`\epsilon`; None means the spacing of floating-point numbers at 1.
    elementwise_affine : bool, default=True
        Whether :math:`\gamma` exists.
    dtype : float32 or float64, default=float64
        Type of the parameter, which the input must share.

    Attributes
    ----------
    weight : Parameter of shape (normalized_shape,) or None
        :math:`\gamma`, from 1; penalties leave it alone.

    References
    ----------
    B. Zhang, R. Sennrich, "Root Mean Square Layer Normalization", NeurIPS 2019, equation 4.

    Examples
    --------
    >>> RMSNorm(2)(np.array([[3.0, 4.0]])).round(4)
    array([[0.8485, 1.1314]])
    """

    def __init__(
        self,
        normalized_shape: int,
        eps: float | None = None,
        elementwise_affine: bool = True,
        *,
        dtype: DTypeLike = np.float64,
    ) -> None:
        super().__init__()
        self.normalized_shape = check_integer("normalized_shape", normalized_shape, 1)
        self.eps = None if eps is None else check_interval("eps", eps)
        ones: FloatArray = np.ones(normalized_shape, float_dtype(dtype))
        self.weight = Parameter(ones, regularize=False) if elementwise_affine else None
        self._saved: _Saved | None = None

    def forward(self, x: FloatArray) -> FloatArray:
        """Normalize `x` of shape (n_samples, ..., normalized_shape)."""
        dtype = self.weight.data.dtype if self.weight is not None else None
        _check_last_axis(self, x, self.normalized_shape, dtype)
        self._saved = _rescale(x, float(np.finfo(x.dtype).eps) if self.eps is None else self.eps)
        normalized = self._saved[0]
        return normalized if self.weight is None else normalized * self.weight.data

    def backward(self, grad: FloatArray) -> FloatArray:
        """Accumulate the gradient of the scale; return the gradient for the input."""
        saved = after_forward(self, self._saved)
        check_grad(self, grad, saved[0].shape)
        if self.weight is not None:
            scaled = (grad * saved[0]).reshape(-1, self.normalized_shape)
            self.weight.grad += column_sums(scaled)
            grad = grad * self.weight.data
        return _back_through_rescale(grad, saved)

    def _describe(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}"


class GroupNorm(Module):
    r"""Standardize groups of channels of each sample, then scale and shift every channel.

    Mean and variance are those of all values of a group's channels in one sample: with one group of
    all channels that is layer normalization of an image, with one channel a group it is instance
    normalization.

    Parameters
    ----------
    num_groups : int
        Number of groups, which divides the number of channels.
    num_channels : int
        Number of channels, axis 1 of the input.
    eps : float, default=1e-5
        Added to the variance.
    affine : bool, default=True
        Whether every channel has a scale and a shift.
    dtype : float32 or float64, default=float64
        Type of the parameters, which the input must share.

    Attributes
    ----------
    weight, bias : Parameter of shape (num_channels,) or None
        Scale, from 1, and shift, from 0; penalties leave both alone.

    References
    ----------
    Y. Wu, K. He, "Group Normalization", ECCV 2018.

    Examples
    --------
    >>> y = GroupNorm(2, 4)(np.arange(32.0).reshape(2, 4, 2, 2))
    >>> y[0, :2].mean().round(6), y[0, 2:].std().round(3)
    (np.float64(0.0), np.float64(1.0))
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        dtype: DTypeLike = np.float64,
    ) -> None:
        super().__init__()
        self.num_groups = check_integer("num_groups", num_groups, 1)
        self.num_channels = check_integer("num_channels", num_channels, 1)
        if num_channels % num_groups:
            raise ValueError(
                f"num_groups must divide num_channels, got {num_groups} and {num_channels}"
            )
        self.eps = check_interval("eps", eps)
        ones: FloatArray = np.ones(num_channels, float_dtype(dtype))
        self.weight = Parameter(ones, regularize=False) if affine else None
        self.bias = Parameter(0 * ones, regularize=False) if affine else None
        self._saved: _Saved | None = None
        self._shape: tuple[int, ...] = ()

    def forward(self, x: FloatArray) -> FloatArray:
        """Normalize `x` of shape (n_samples, num_channels, ...)."""
        dtype = self.weight.data.dtype if self.weight is not None else None
        check_batch(self, x, (2, 3, 4), self.num_channels, dtype)
        self._shape = x.shape
        self._saved = _standardize(x.reshape(len(x), self.num_groups, -1), self.eps)
        if self.weight is None or self.bias is None:
            return self._saved[0].reshape(x.shape)
        y = self._by_channel(self._saved[0]) * self.weight.data[:, None]
        return (y + self.bias.data[:, None]).reshape(x.shape)

    def backward(self, grad: FloatArray) -> FloatArray:
        """Accumulate the gradients of scale and shift; return the gradient for the input."""
        saved = after_forward(self, self._saved)
        check_grad(self, grad, self._shape)
        grad = self._by_channel(grad)
        if self.weight is not None and self.bias is not None:
            self.bias.grad += grad.sum(axis=(0, 2))
            self.weight.grad += (grad * self._by_channel(saved[0])).sum(axis=(0, 2))
            grad = grad * self.weight.data[:, None]
        return _back_through_standardize(grad.reshape(saved[0].shape), saved).reshape(self._shape)

    def _by_channel(self, values: FloatArray) -> FloatArray:
        return values.reshape(self._shape[0], self.num_channels, -1)

    def _describe(self) -> str:
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}"


class InstanceNorm2d(GroupNorm):
    """Standardize every channel of each image by itself.

    Parameters
    ----------
    num_features : int
        Number of channels, axis 1 of the input.
    eps, affine, dtype
        As in :class:`GroupNorm`, but `affine` is False by default, as in PyTorch.

    References
    ----------
    D. Ulyanov, A. Vedaldi, V. Lempitsky, "Instance Normalization: The Missing Ingredient for Fast
    Stylization", 2016.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        affine: bool = False,
        *,
        dtype: DTypeLike = np.float64,
    ) -> None:
        super().__init__(num_features, num_features, eps, affine, dtype=dtype)

    def forward(self, x: FloatArray) -> FloatArray:
        """Normalize images of shape (n_samples, num_features, height, width)."""
        check_batch(self, x, (4,))
        return super().forward(x)

    def _describe(self) -> str:
        return f"{self.num_channels}, eps={self.eps}"
