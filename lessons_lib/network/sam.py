"""Sharpness-aware minimization: the gradient where the loss is worst nearby."""

from __future__ import annotations

import math

import numpy as np

from lessons_lib._validation import check_interval
from lessons_lib.network._common import FloatArray
from lessons_lib.network.optimizers import Optimizer

__all__ = ["SAM"]


class SAM(Optimizer):
    r"""Step by the gradient at the worst point within a small ball.

    .. math::

        \min_w \max_{\lVert \delta \rVert_2 \le \rho} L(w + \delta), \qquad
        \delta = \rho\, \frac{\nabla L(w)}{\lVert \nabla L(w) \rVert_2}, \qquad
        g = \nabla L(w + \delta)

    The inner maximum is taken along the gradient, and :math:`g` goes to another optimizer, which
    makes its step from :math:`w`. Each step needs two gradients of the same batch:

    ``backward`` → ``first_step()`` → ``zero_grad()`` → ``backward`` → ``step()``,

    which :func:`fit` does for this optimizer. Costs twice the time of the other one.

    Parameters
    ----------
    base_optimizer : Optimizer
        What makes the steps; its parameter groups are used.
    rho : float, default=0.05
        :math:`\rho`, at least 0. With 0 it is the other optimizer.

    References
    ----------
    P. Foret, A. Kleiner, H. Mobahi, B. Neyshabur, "Sharpness-Aware Minimization for Efficiently
    Improving Generalization", ICLR 2021, algorithm 1.

    Examples
    --------
    >>> from lessons_lib.network import SGD, Parameter
    >>> w = Parameter([1.0])
    >>> optimizer = SAM(SGD([w], lr=0.1), rho=0.5)
    >>> w.grad = 2 * w.data  # of the loss w^2
    >>> optimizer.first_step()
    >>> w.data
    array([1.5])
    >>> optimizer.zero_grad()
    >>> w.grad = 2 * w.data
    >>> optimizer.step()
    >>> w.data
    array([0.7])
    """

    def __init__(self, base_optimizer: Optimizer, rho: float = 0.05) -> None:
        if not isinstance(base_optimizer, Optimizer):
            raise TypeError(
                f"base_optimizer must be an Optimizer, got {type(base_optimizer).__name__}"
            )
        self.base_optimizer = base_optimizer
        self.rho = check_interval("rho", rho)
        self.param_groups = base_optimizer.param_groups
        self._flats = base_optimizer._flats
        self._before: list[FloatArray] | None = None

    def first_step(self) -> None:
        """Move to where the loss is worst, given the gradients here."""
        for flat in self._flats:
            flat.settle()
        norm = math.sqrt(sum(float(flat.grad @ flat.grad) for flat in self._flats))
        self._before = [flat.data.copy() for flat in self._flats]
        for flat in self._flats:
            flat.data += (self.rho / norm if norm > 0 else 0.0) * flat.grad

    def step(self) -> None:
        """Move back, and let the other optimizer make a step with the gradients from there."""
        if self._before is None:
            raise RuntimeError("SAM: step was called before first_step; it needs both gradients")
        for flat, before in zip(self._flats, self._before, strict=True):
            np.copyto(flat.data, before)
        self._before = None
        self.base_optimizer.step()

    def __repr__(self) -> str:
        return f"SAM({self.base_optimizer!r}, rho={self.rho})"
