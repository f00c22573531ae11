"""Fine-tuning under a constraint: a change of low rank."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from lessons_lib._validation import check_integer, check_interval
from lessons_lib.network._common import FloatArray, after_forward
from lessons_lib.network.layers import Linear, uniform_fan_in
from lessons_lib.network.module import Module, Parameter

__all__ = ["LoRALinear"]


class LoRALinear(Module):
    r"""A linear layer that may change only by a matrix of low rank.

    .. math::

        Y = X \Bigl(W + \frac{\alpha}{r} B A\Bigr)^{\!\top} + b, \qquad
        \frac{\partial L}{\partial B} = \frac{\alpha}{r}\, G^\top X A^\top, \quad
        \frac{\partial L}{\partial A} = \frac{\alpha}{r}\, B^\top G^\top X

    :math:`W` and :math:`b` stay as they are: they are no parameters of this layer but buffers.
    :math:`B` starts with zeros, so that nothing changes at first. The rank is a constraint, not a
    penalty: of the :math:`mn` directions in which a matrix could move, :math:`r(m+n)` numbers span
    what can be reached.

    Parameters
    ----------
    layer : Linear
        The trained layer; it belongs to this one from now on.
    r : int
        Rank, from 1 to the smaller side of the matrix.
    lora_alpha : float, default=1.0
        :math:`\alpha`.
    random_state : int, Generator or None, default=None
        Source of the initial values of `A`, see :func:`uniform_fan_in`.

    Attributes
    ----------
    lora_A : Parameter of shape (r, in_features)
        `A`.
    lora_B : Parameter of shape (out_features, r)
        `B`.

    References
    ----------
    E. J. Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022, equation 3.

    Examples
    --------
    >>> layer = LoRALinear(Linear(6, 4, random_state=0), r=1, random_state=0)
    >>> [(name, parameter.shape) for name, parameter in layer.named_parameters()]
    [('lora_A', (1, 6)), ('lora_B', (4, 1))]
    """

    def __init__(
        self,
        layer: Linear,
        r: int,
        lora_alpha: float = 1.0,
        *,
        random_state: int | np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(layer, Linear):
            raise TypeError(f"layer must be a Linear, got {type(layer).__name__}")
        self.layer = layer
        self.r = check_integer("r", r, 1)
        if r > min(layer.weight.shape):
            raise ValueError(f"r must be at most {min(layer.weight.shape)}, got {r!r}")
        self.lora_alpha = check_interval("lora_alpha", lora_alpha, open_low=True)
        dtype = layer.weight.data.dtype
        shape = (r, layer.in_features)
        start = uniform_fan_in(shape, layer.in_features, dtype=dtype, random_state=random_state)
        self.lora_A = Parameter(start)
        zeros: FloatArray = np.zeros((layer.out_features, r), dtype)
        self.lora_B = Parameter(zeros)
        self._saved: tuple[FloatArray, FloatArray] | None = None

    @property
    def scaling(self) -> float:
        """The factor of the change."""
        return self.lora_alpha / self.r

    def named_buffers(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Yield what stays: weight and bias."""
        for name, parameter in self.layer.named_parameters():
            yield name, parameter.data

    def forward(self, x: FloatArray) -> FloatArray:
        """Map rows `x` of shape (n_samples, in_features) to (n_samples, out_features)."""
        y = self.layer.forward(x)
        low = x @ self.lora_A.data.T
        self._saved = x, low
        y += self.scaling * (low @ self.lora_B.data.T)
        return y

    def backward_parameters(self, grad: FloatArray) -> None:
        """Accumulate the gradients of both factors."""
        x, low = after_forward(self, self._saved)
        self.lora_B.grad += self.scaling * (grad.T @ low)
        self.lora_A.grad += self.scaling * ((grad @ self.lora_B.data).T @ x)

    def backward(self, grad: FloatArray) -> FloatArray:
        """Accumulate the gradients; return the gradient for the input."""
        self.backward_parameters(grad)
        change = self.scaling * ((grad @ self.lora_B.data) @ self.lora_A.data)
        return grad @ self.layer.weight.data + change

    def merge(self) -> Linear:
        """Return an ordinary linear layer that computes the same."""
        merged = Linear(
            self.layer.in_features,
            self.layer.out_features,
            self.layer.bias is not None,
            dtype=self.layer.weight.data.dtype,
            random_state=0,
        )
        change = self.lora_B.data @ self.lora_A.data
        merged.weight.data = self.layer.weight.data + self.scaling * change
        if merged.bias is not None and self.layer.bias is not None:
            merged.bias.data = self.layer.bias.data
        return merged

    def to(self, dtype: DTypeLike) -> Self:
        """Convert to float32 or float64, with the layer inside."""
        self.layer.to(dtype)
        super().to(dtype)
        return self

    def _describe(self) -> str:
        return f"{self.layer!r}, r={self.r}, lora_alpha={self.lora_alpha}"
