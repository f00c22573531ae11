r"""Tools to take the effects of batch normalization apart.

Batch normalization changes several things at once. Each piece here changes one of them:
:class:`GhostBatchNorm1d` the number of rows behind the statistics but not the batch of the
gradient, :class:`ShiftingNoise` the stability of what the next layer receives but not the
normalization before it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lessons_lib._validation import check_integer, check_interval
from lessons_lib.network._common import column_sums
from lessons_lib.network.module import Module, Parameter

__all__ = ["GhostBatchNorm1d", "ShiftingNoise"]

FloatArray = NDArray[np.floating[Any]]


class GhostBatchNorm1d(Module):
    r"""Batch normalization whose statistics come from parts of the batch.

    In training the batch of :math:`n` rows is dealt out to :math:`g = n/m` *ghost batches* of
    :math:`m` rows (row :math:`i` goes to number :math:`i \bmod g`), and each is normalized by its
    own mean and biased variance. The gradient is still that of all :math:`n` rows, so :math:`m`
    changes the noise of the statistics and nothing else. The running statistics receive the
    averages over the ghost batches.

    Parameters
    ----------
    num_features : int
        Number of columns.
    ghost_size : int
        :math:`m`, at least 2; it must divide the number of rows of every training batch.
    eps : float, default=1e-5
        Added to the variance.
    momentum : float in [0, 1], default=0.1
        Weight of the new value in the running statistics.

    Attributes
    ----------
    weight, bias : Parameter of shape (num_features,)
        Scale and shift; penalties leave both alone.
    running_mean, running_var : ndarray of shape (num_features,)
        For evaluation; the variance is unbiased.

    References
    ----------
    E. Hoffer, I. Hubara, D. Soudry, "Train longer, generalize better: closing the generalization
    gap in large batch training of neural networks", NeurIPS 2017, algorithm 1.

    Examples
    --------
    >>> layer = GhostBatchNorm1d(1, ghost_size=2, eps=0)
    >>> layer(np.array([[1.0], [10.0], [3.0], [50.0]])).ravel()
    array([-1., -1.,  1.,  1.])
    """

    _buffer_names = ("running_mean", "running_var")

    def __init__(
        self, num_features: int, ghost_size: int, eps: float = 1e-5, momentum: float = 0.1
    ) -> None:
        super().__init__()
        check_integer("num_features", num_features, 1)
        self.ghost_size = check_integer("ghost_size", ghost_size, 2)
        self.eps = check_interval("eps", eps)
        self.momentum = check_interval("momentum", momentum, 0, 1)
        self.weight = Parameter(np.ones(num_features), regularize=False)
        self.bias = Parameter(np.zeros(num_features), regularize=False)
        self.running_mean: FloatArray = np.zeros(num_features)
        self.running_var: FloatArray = np.ones(num_features)
        self._saved: tuple[FloatArray, FloatArray, bool] | None = None

    def forward(self, x: FloatArray) -> FloatArray:
        """Normalize each ghost batch in training mode, else by the running statistics."""
        if x.ndim != 2 or x.shape[1] != self.weight.size:
            raise ValueError(f"x must have shape (n, {self.weight.size}), got {x.shape}")
        if self.training:
            if len(x) == 0 or len(x) % self.ghost_size:
                raise ValueError(
                    f"the rows of x must be a multiple of ghost_size={self.ghost_size}, "
                    f"got {len(x)}"
                )
            # Ghost batches side by side, each in columns of its own: a view, no copy.
            columns = x.reshape(self.ghost_size, -1)
            mean: FloatArray = column_sums(columns) / len(columns)
            centered = columns - mean
            var: FloatArray = column_sums(centered * centered) / len(columns)
            self._update_running_statistics(mean, var)
        else:
            centered, var = x - self.running_mean, self.running_var
        inv_std = 1 / np.sqrt(var + self.eps)
        normalized = centered * inv_std
        self._saved = normalized, inv_std, self.training
        y: FloatArray = normalized.reshape(x.shape) * self.weight.data + self.bias.data
        return y

    def backward(self, grad: FloatArray) -> FloatArray:
        """Accumulate the gradients of scale and shift; return the gradient for the input."""
        if self._saved is None:
            raise RuntimeError("GhostBatchNorm1d: backward was called before forward")
        normalized, inv_std, by_batch = self._saved
        self.bias.grad += column_sums(grad)
        self.weight.grad += column_sums(grad * normalized.reshape(grad.shape))
        g: FloatArray = (grad * self.weight.data).reshape(normalized.shape)
        if by_batch:  # within each ghost batch, mean and variance moved with x
            m = len(g)
            g = g - column_sums(g) / m - normalized * (column_sums(g * normalized) / m)
        return (g * inv_std).reshape(grad.shape)

    def _update_running_statistics(self, mean: FloatArray, var: FloatArray) -> None:
        unbiased = var * (self.ghost_size / (self.ghost_size - 1))
        for running, new in ((self.running_mean, mean), (self.running_var, unbiased)):
            average = new.reshape(-1, self.weight.size).mean(axis=0)
            running += self.momentum * (average - running)

    def _describe(self) -> str:
        return f"{self.weight.size}, ghost_size={self.ghost_size}"


class ShiftingNoise(Module):
    r"""Scale and shift every unit by random numbers that are new in every training step.

    .. math::

        y_{ij} = s_j x_{ij} + a_j, \qquad s_j \sim U(1 - c,\ 1 + c), \quad a_j \sim U(-c,\ c)

    All rows of the batch share :math:`s` and :math:`a`: from step to step the distribution that
    the next layer receives jumps. In evaluation mode nothing happens.

    Parameters
    ----------
    size : float in [0, 1]
        :math:`c`.
    random_state : int, Generator or None, default=None
        Source of randomness.

    References
    ----------
    S. Santurkar, D. Tsipras, A. Ilyas, A. Madry, "How Does Batch Normalization Help
    Optimization?", NeurIPS 2018, section 2.1 (there with noise that differs between rows, too).

    Examples
    --------
    >>> layer = ShiftingNoise(0.5, random_state=0)
    >>> y = layer(np.array([[0.0], [1.0]]))
    >>> bool(0.5 <= y[1, 0] - y[0, 0] <= 1.5)
    True
    """

    def __init__(
        self, size: float, *, random_state: int | np.random.Generator | None = None
    ) -> None:
        super().__init__()
        self.size = check_interval("size", size, 0, 1)
        self._rng = np.random.default_rng(random_state)
        self._scale: FloatArray | float = 1.0

    def forward(self, x: FloatArray) -> FloatArray:
        """Scale and shift the columns in training mode."""
        if not self.training:
            self._scale = 1.0
            return x
        self._scale = self._rng.uniform(1 - self.size, 1 + self.size, x.shape[1])
        shifted: FloatArray = x * self._scale + self._rng.uniform(-self.size, self.size, x.shape[1])
        return shifted

    def backward(self, grad: FloatArray) -> FloatArray:
        """Scale the gradient as the forward pass scaled the input."""
        scaled: FloatArray = grad * self._scale
        return scaled

    def _describe(self) -> str:
        return f"size={self.size}"
