"""Spectral normalization: a layer whose weights have the largest singular value 1."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import DTypeLike

from lessons_lib._validation import check_integer
from lessons_lib.network._common import (
    FloatArray,
)
from lessons_lib.network.convolution import Conv2d
from lessons_lib.network.layers import Linear
from lessons_lib.network.module import Module, Parameter

__all__ = ["SpectralNorm", "power_iteration"]


def power_iteration(
    matrix: FloatArray, v: FloatArray, n_iterations: int = 1, eps: float = 1e-12
) -> tuple[float, FloatArray, FloatArray]:
    r"""Estimate the largest singular value of a matrix, from a start for its right vector.

    .. math::

        u \leftarrow \frac{W v}{\|W v\|}, \qquad
        v \leftarrow \frac{W^\top u}{\|W^\top u\|}, \qquad
        \sigma = u^\top W v

    The angle of the vectors shrinks by :math:`(\sigma_2/\sigma_1)^2` an iteration, the error of
    :math:`\sigma` by the square of that. A weight changes little in one training step, so a single
    iteration that starts where the last one ended is enough.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, n_columns)
        `W`.
    v : ndarray of shape (n_columns,)
        Start, such as random normal numbers or the `v` returned before.
    n_iterations : int, default=1
        Number of updates of both vectors.
    eps : float, default=1e-12
        Lower bound of the norms, against division by zero.

    Returns
    -------
    sigma : float
        Estimate of the largest singular value, never above it.
    u : ndarray of shape (n_rows,)
        Left singular vector.
    v : ndarray of shape (n_columns,)
        Right singular vector.

    References
    ----------
    T. Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR 2018,
    algorithm 1.

    Examples
    --------
    >>> sigma, u, v = power_iteration(np.diag([3.0, 1.0]), np.array([0.6, 0.8]), n_iterations=20)
    >>> round(sigma, 12)
    3.0
    """
    if matrix.ndim != 2 or v.shape != (matrix.shape[1],):
        raise ValueError(
            "power_iteration needs a matrix and a vector with one value per column, "
            f"got shapes {matrix.shape} and {v.shape}"
        )
    for _ in range(check_integer("n_iterations", n_iterations, 1)):
        u = _normalize(matrix @ v, eps)
        v = _normalize(matrix.T @ u, eps)
    return float(u @ matrix @ v), u, v


def _normalize(vector: FloatArray, eps: float) -> FloatArray:
    return vector / max(float(np.sqrt(vector @ vector)), eps)


class SpectralNorm(Module):
    r"""Divide a layer's weight by its largest singular value, so that it cannot stretch its input.

    .. math::

        \bar W = \frac{W}{\sigma}, \quad \sigma = u^\top W v, \qquad
        \frac{\partial L}{\partial W} = \frac1\sigma
        \bigl(\bar G - \langle \bar G, \bar W\rangle\, u v^\top\bigr),

    where :math:`\bar G=\partial L/\partial\bar W` is what the layer computes, and :math:`u, v` come
    from :func:`power_iteration`, one step per training batch, and count as constants. A
    convolution's kernel is taken as the matrix (out_channels, in_channels × rows × columns), whose
    norm is not that of the convolution itself. The estimate is never above the true value, so the
    bound is kept only as far as the iteration has converged: slowly if :math:`\sigma_2` is near
    :math:`\sigma_1`.

    Parameters
    ----------
    layer : Linear or Conv2d
        The layer to constrain; it belongs to the wrapper from now on.
    n_power_iterations : int, default=1
        Power iterations per forward pass in training mode.
    eps : float, default=1e-12
        Lower bound of the norms in the iteration.
    random_state : int, Generator or None, default=None
        Source of the start vector, which 15 iterations bring near its place.

    Attributes
    ----------
    weight : Parameter
        The free weight `W` that the optimizer changes; ``layer.weight.data`` is :math:`\bar W`.
    bias : Parameter or None
        The layer's bias.
    sigma : float
        The current estimate of the largest singular value of `W`.

    References
    ----------
    T. Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR 2018,
    equations 8 and 12.

    Examples
    --------
    >>> layer = SpectralNorm(Linear(5, 4, random_state=0), random_state=0)
    >>> _ = [layer(np.ones((1, 5))) for _ in range(50)]
    >>> float(np.linalg.norm(layer.layer.weight.data, 2).round(6))
    1.0
    """

    _buffer_names = ("_u", "_v")

    def __init__(
        self,
        layer: Linear | Conv2d,
        n_power_iterations: int = 1,
        eps: float = 1e-12,
        *,
        random_state: int | np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(layer, Linear | Conv2d):
            raise TypeError(f"layer must be a Linear or Conv2d, got {type(layer).__name__}")
        self.n_power_iterations = check_integer("n_power_iterations", n_power_iterations, 1)
        self.eps = eps
        self.layer = layer
        self.weight = Parameter(layer.weight.data)
        self.bias = layer.bias
        rng = np.random.default_rng(random_state)
        start = rng.standard_normal((self._matrix.shape[1],)).astype(self.weight.data.dtype)
        self.sigma, self._u, self._v = power_iteration(self._matrix, start, 15, eps)

    @property
    def _matrix(self) -> FloatArray:
        return self.weight.data.reshape(len(self.weight.data), -1)

    def forward(self, x: FloatArray) -> FloatArray:
        """Apply the layer with the normalized weight."""
        if self.training:
            _, self._u, self._v = power_iteration(
                self._matrix, self._v, self.n_power_iterations, self.eps
            )
        self.sigma = float(self._u @ self._matrix @ self._v)
        self.layer.weight.data = self.weight.data / self.sigma
        return self.layer.forward(x)

    def backward(self, grad: FloatArray) -> FloatArray:
        """Accumulate the parameters' gradients; return the gradient for the input."""
        self.layer.weight.zero_grad()
        grad_x = self.layer.backward(grad)
        self._accumulate_weight_grad()
        return grad_x

    def backward_parameters(self, grad: FloatArray) -> None:
        """Accumulate the gradients of weight and bias."""
        self.layer.weight.zero_grad()
        self.layer.backward_parameters(grad)
        self._accumulate_weight_grad()

    def _accumulate_weight_grad(self) -> None:
        normalized = self.layer.weight
        along = float(np.vdot(normalized.grad, normalized.data))
        direction = np.outer(self._u, self._v).reshape(self.weight.shape)
        self.weight.grad += (normalized.grad - along * direction) / self.sigma

    def to(self, dtype: DTypeLike) -> Self:
        """Convert to float32 or float64, with the layer inside."""
        self.layer.to(dtype)
        super().to(dtype)
        return self

    def _describe(self) -> str:
        return f"{self.layer!r}, n_power_iterations={self.n_power_iterations}"
