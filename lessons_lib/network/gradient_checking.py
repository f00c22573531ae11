r"""Numerical gradients, the judge of every hand-derived backward pass."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lessons_lib.network._common import FloatArray
from lessons_lib.network.losses import Loss
from lessons_lib.network.module import Module

__all__ = ["gradient_check", "numerical_gradient"]


def numerical_gradient(
    function: Callable[[], float], array: FloatArray, eps: float = 1e-5
) -> FloatArray:
    r"""Differentiate a function that reads an array, element by element.

    .. math::

        \frac{\partial f}{\partial a_i}
        \approx \frac{f(a + \epsilon e_i) - f(a - \epsilon e_i)}{2\epsilon}

    with an error of order :math:`\epsilon^2` from the formula and :math:`10^{-16}/\epsilon` from
    rounding.

    Parameters
    ----------
    function : callable
        Returns :math:`f(a)` for the values now in `array`.
    array : ndarray of float64
        :math:`a`; it is changed during the call, and the same afterwards.
    eps : float, default=1e-5
        :math:`\epsilon`.

    Returns
    -------
    ndarray
        The gradient, with the shape of `array`.

    Examples
    --------
    >>> a = np.array([1.0, 2.0])
    >>> numerical_gradient(lambda: float(a @ a), a).round(6)
    array([2., 4.])
    """
    gradient = np.empty_like(array)
    for index in np.ndindex(array.shape):
        saved = array[index]
        array[index] = saved + eps
        above = function()
        array[index] = saved - eps
        below = function()
        array[index] = saved
        gradient[index] = (above - below) / (2 * eps)
    return gradient


def gradient_check(
    module: Module | Loss,
    x: FloatArray,
    target: NDArray[Any] | None = None,
    *,
    eps: float = 1e-5,
    random_state: int | np.random.Generator | None = 0,
) -> dict[str, float]:
    r"""Compare a backward pass with numerical derivatives.

    A module's output :math:`y` is reduced to the number :math:`\langle r, y\rangle` with random
    :math:`r`, whose gradient for :math:`y` is :math:`r`. Every evaluation works on a fresh copy of
    the module, so that dropout draws the same mask each time and running statistics stay. The
    input must keep a distance of more than `eps` from kinks, such as zero for ReLU.

    Parameters
    ----------
    module : Module or Loss
        What to check, in its present mode.
    x : ndarray of float64
        Input, or prediction.
    target : ndarray or None, default=None
        The target, for a loss only.
    eps : float, default=1e-5
        Step of :func:`numerical_gradient`.
    random_state : int, Generator or None, default=0
        Source of :math:`r`.

    Returns
    -------
    dict of float
        For ``x`` and for each parameter, the largest difference, divided by the largest numerical
        derivative if that is above 1. Right gradients give about 1e-9, wrong ones more than 1e-3.

    Examples
    --------
    >>> from lessons_lib.network import Linear, Sequential, Tanh
    >>> model = Sequential(Linear(3, 2, random_state=0), Tanh())
    >>> errors = gradient_check(model, np.arange(6.0).reshape(2, 3))
    >>> sorted(errors), max(errors.values()) < 1e-8
    (['0.bias', '0.weight', 'x'], True)
    """
    x = np.array(x)
    parameters = dict(module.named_parameters()) if isinstance(module, Module) else {}
    if any(array.dtype != np.float64 for array in (x, *(p.data for p in parameters.values()))):
        raise TypeError("gradient_check needs float64: float32 is too coarse for differences")

    if isinstance(module, Loss):
        if target is None:
            raise ValueError("gradient_check of a loss needs a target")
        module(x, target)
        analytic = {"x": module.backward()}
        return {"x": _error(analytic["x"], numerical_gradient(lambda: module(x, target), x, eps))}

    worker = copy.deepcopy(module)
    worker.zero_grad()
    r = np.random.default_rng(random_state).standard_normal(worker(x).shape)
    worker = copy.deepcopy(module)
    worker.zero_grad()
    worker(x)
    analytic = {"x": worker.backward(r)}
    analytic.update((name, parameter.grad) for name, parameter in worker.named_parameters())

    def reduced_output() -> float:
        return float(np.vdot(r, copy.deepcopy(module)(x)))

    arrays = {"x": x, **{name: parameter.data for name, parameter in parameters.items()}}
    return {
        name: _error(analytic[name], numerical_gradient(reduced_output, array, eps))
        for name, array in arrays.items()
    }


def _error(analytic: FloatArray, numerical: FloatArray) -> float:
    return float(np.abs(analytic - numerical).max() / max(1.0, np.abs(numerical).max()))
