"""Batch normalization, in training and in evaluation mode."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from lessons_lib._validation import check_flag, check_integer, check_interval
from lessons_lib.network._common import (
    FloatArray,
    after_forward,
    check_batch,
    check_grad,
    column_sums,
    float_dtype,
)
from lessons_lib.network.module import Module, Parameter

__all__ = ["BatchNorm1d", "BatchNorm2d"]


class _BatchNorm(Module):
    r"""Standardize every channel over the batch, then scale and shift it.

    In training mode, with all :math:`m` values :math:`x_i` that a channel has in the batch,

    .. math::

        \mu = \frac1m\sum_i x_i, \quad
        \sigma^2 = \frac1m\sum_i (x_i-\mu)^2, \quad
        \hat x_i = \frac{x_i-\mu}{\sqrt{\sigma^2+\epsilon}}, \quad
        y_i = \gamma \hat x_i + \beta .

    Mean and variance depend on every :math:`x_i`, hence the last two of three terms in

    .. math::

        \frac{\partial L}{\partial\beta} = \sum_i G_i, \quad
        \frac{\partial L}{\partial\gamma} = \sum_i G_i \hat x_i, \quad
        \frac{\partial L}{\partial x_i} = \frac{\gamma}{\sqrt{\sigma^2+\epsilon}}
        \Bigl(G_i - \frac1m\frac{\partial L}{\partial\beta}
        - \frac{\hat x_i}{m}\frac{\partial L}{\partial\gamma}\Bigr) .

    In evaluation mode the running statistics replace :math:`\mu` and :math:`\sigma^2`. They do not
    depend on :math:`x`, so only the first term remains.
    """

    _buffer_names = ("running_mean", "running_var", "num_batches_tracked")
    _ndims: tuple[int, ...] = ()

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        dtype: DTypeLike = np.float64,
    ) -> None:
        super().__init__()
        self.num_features = check_integer("num_features", num_features, 1)
        self.eps = check_interval("eps", eps)
        if momentum is not None and not 0 <= momentum <= 1:
            raise ValueError(f"momentum must be None or in [0, 1], got {momentum!r}")
        self.momentum = momentum
        dtype = float_dtype(dtype)
        ones: FloatArray = np.ones(num_features, dtype)
        zeros: FloatArray = np.zeros(num_features, dtype)
        check_flag("track_running_stats", track_running_stats)
        self.weight = Parameter(ones, regularize=False) if check_flag("affine", affine) else None
        self.bias = Parameter(zeros, regularize=False) if affine else None
        self.running_mean = zeros if track_running_stats else None
        self.running_var = ones if track_running_stats else None
        self.num_batches_tracked = np.zeros((), np.int64) if track_running_stats else None
        self._saved: tuple[FloatArray, FloatArray, bool, tuple[int, ...]] | None = None

    def forward(self, x: FloatArray) -> FloatArray:
        """Normalize `x`: in training mode by its own statistics, else by the running ones."""
        dtype = self.weight.data.dtype if self.weight is not None else None
        check_batch(self, x, self._ndims, self.num_features, dtype)
        rows = _channels_as_columns(x)
        if self.training or self.running_mean is None or self.running_var is None:
            by_batch, m = True, self._check_several(rows)
            mean: FloatArray = column_sums(rows) / m
            centered = rows - mean
            var: FloatArray = column_sums(centered * centered) / m
            if self.training:
                self._update_running_statistics(mean, var * (m / (m - 1)))
        else:
            by_batch, centered, var = False, rows - self.running_mean, self.running_var
        inv_std = 1 / np.sqrt(var + self.eps)
        normalized = centered * inv_std
        self._saved = normalized, inv_std, by_batch, x.shape
        if self.weight is None or self.bias is None:
            return _channels_back(normalized, x.shape)
        y = normalized * self.weight.data + self.bias.data
        return _channels_back(y, x.shape)

    def backward(self, grad: FloatArray) -> FloatArray:
        """Accumulate the gradients of scale and shift; return the gradient for the input."""
        normalized, inv_std, by_batch, shape = after_forward(self, self._saved)
        check_grad(self, grad, shape)
        g = _channels_as_columns(grad)
        grad_bias = column_sums(g)
        grad_weight = column_sums(g * normalized)
        if by_batch:  # mean and variance moved with x
            g = g - grad_bias / len(g) - normalized * (grad_weight / len(g))
        if self.weight is None or self.bias is None:
            return _channels_back(g * inv_std, shape)
        self.bias.grad += grad_bias
        self.weight.grad += grad_weight
        return _channels_back(g * (self.weight.data * inv_std), shape)

    def _update_running_statistics(self, mean: FloatArray, unbiased_var: FloatArray) -> None:
        if self.running_mean is None or self.running_var is None:
            return
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        new = 1 / int(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean[:] = (1 - new) * self.running_mean + new * mean
        self.running_var[:] = (1 - new) * self.running_var + new * unbiased_var

    def _check_several(self, rows: FloatArray) -> int:
        """Return the number of rows, which must be at least two."""
        if len(rows) == 1:
            raise ValueError(
                f"{type(self).__name__}: a training batch needs more than one value per channel, "
                "got one; use larger batches, or drop_last=True if only the last one is so small"
            )
        return len(rows)

    def _describe(self) -> str:
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"


class BatchNorm1d(_BatchNorm):
    r"""Batch normalization of (n_samples, num_features) or (n_samples, num_features, length).

    Training standardizes every channel by the batch's mean and *biased* variance,

    .. math::

        y = \gamma\,\frac{x-\mu}{\sqrt{\sigma^2+\epsilon}} + \beta ,

    and keeps running statistics for evaluation, of the *unbiased* variance:

    .. math::

        \mu_\text{run} \leftarrow (1-\alpha)\,\mu_\text{run} + \alpha\,\mu, \qquad
        \sigma^2_\text{run} \leftarrow (1-\alpha)\,\sigma^2_\text{run}
        + \alpha\,\tfrac{m}{m-1}\,\sigma^2 ,

    with :math:`m` the number of values per channel in the batch.

    Parameters
    ----------
    num_features : int
        Number of channels, axis 1 of the input.
    eps : float, default=1e-5
        :math:`\epsilon`.
    momentum : float in [0, 1] or None, default=0.1
        :math:`\alpha`, the weight of the *new* value. (In Keras, `momentum` weighs the old value:
        0.99 there is 0.01 here.) None averages all batches so far with equal weights.
    affine : bool, default=True
        Whether :math:`\gamma` and :math:`\beta` exist.
    track_running_stats : bool, default=True
        If False there are no running statistics, and evaluation uses the batch's too.
    dtype : float32 or float64, default=float64
        Type of parameters and statistics, which the input must share.

    Attributes
    ----------
    weight, bias : Parameter of shape (num_features,) or None
        :math:`\gamma`, from 1, and :math:`\beta`, from 0; penalties leave both alone.
    running_mean, running_var : ndarray of shape (num_features,) or None
        The running statistics, from 0 and 1.
    num_batches_tracked : ndarray of shape () or None
        Number of training batches seen.

    References
    ----------
    S. Ioffe, C. Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing
    Internal Covariate Shift", ICML 2015, algorithms 1 and 2.

    Examples
    --------
    >>> layer = BatchNorm1d(1, eps=0)
    >>> layer.weight.data[:], layer.bias.data[:] = 2, 1
    >>> layer(np.array([[10.0], [20.0], [30.0], [40.0], [50.0]])).ravel().round(2)
    array([-1.83, -0.41,  1.  ,  2.41,  3.83])
    >>> layer.running_mean, layer.running_var  # 0.1 times 30; 0.9 plus 0.1 times 250
    (array([3.]), array([25.9]))
    """

    _ndims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Batch normalization of images (n_samples, num_features, height, width).

    Parameters, attributes and formulas are those of :class:`BatchNorm1d`; a channel's values are
    all its pixels in the batch.

    Examples
    --------
    >>> BatchNorm2d(3)(np.ones((2, 3, 4, 4))).shape
    (2, 3, 4, 4)
    """

    _ndims = (4,)


def _channels_as_columns(x: FloatArray) -> FloatArray:
    """Bring (n, channels, ...) into the form (n_values, channels)."""
    if x.ndim == 2:
        return x
    n, channels = x.shape[:2]
    return x.reshape(n, channels, -1).transpose(0, 2, 1).reshape(-1, channels)


def _channels_back(rows: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Undo :func:`_channels_as_columns`."""
    if len(shape) == 2:
        return rows
    n, channels = shape[:2]
    return rows.reshape(n, -1, channels).transpose(0, 2, 1).reshape(shape)
