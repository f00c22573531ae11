r"""Gradient descent on least squares without stepping: which part is learned by which step.

The squared loss is the house's, :math:`\frac{1}{2n}\lVert y - Xw\rVert_2^2`, so that its curvature
along the singular direction :math:`i` of ``X`` is :math:`h_i = s_i^2/n`. Early stopping is a filter
of these directions, as ridge is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lessons_lib._validation import FloatArray, check_data, check_interval
from lessons_lib.linear.ridge import Spectrum

__all__ = ["descent_filter", "descent_path"]


def descent_filter(curvatures: ArrayLike, learning_rate: float, n_steps: ArrayLike) -> FloatArray:
    r"""Return the part of least squares that gradient descent from zero has learned.

    .. math:: f_i(t) = 1 - (1 - \eta h_i)^t

    Parameters
    ----------
    curvatures : array-like of shape (n_directions,)
        :math:`h_i = s_i^2/n`, not negative.
    learning_rate : float
        Step length :math:`\eta > 0`. Above :math:`2/\max h_i` the descent diverges.
    n_steps : array-like of shape (n_times,)
        Numbers of steps :math:`t \ge 0`.

    Returns
    -------
    ndarray of shape (n_directions, n_times)
        Between 0 and 1 if :math:`\eta h_i \le 1`.

    Raises
    ------
    ValueError
        If an argument is negative, or the learning rate is too large to converge.

    References
    ----------
    A. Ali, J. Z. Kolter, R. J. Tibshirani, "A Continuous-Time View of Early Stopping for Least
    Squares Regression", AISTATS 2019.

    Examples
    --------
    >>> descent_filter([1.0, 0.5], learning_rate=0.5, n_steps=[0, 1, 2])
    array([[0.    , 0.5   , 0.75  ],
           [0.    , 0.25  , 0.4375]])
    """
    h = np.asarray(curvatures, dtype=np.float64)
    steps = np.asarray(n_steps, dtype=np.float64)
    _check_descent(h, learning_rate, steps)
    remaining: FloatArray = (1.0 - learning_rate * h[:, None]) ** steps
    return 1.0 - remaining


def _check_descent(h: FloatArray, learning_rate: float, steps: FloatArray) -> None:
    check_interval("learning_rate", learning_rate, open_low=True)
    if h.ndim != 1 or not (h >= 0).all() or steps.ndim != 1 or not (steps >= 0).all():
        raise ValueError(
            f"curvatures and n_steps must be sequences of numbers that are not negative, got "
            f"{h!r} and {steps!r}."
        )
    if h.size and learning_rate * h.max() > 2:
        raise ValueError(
            f"learning_rate must be at most 2 / max(curvatures) = {2 / h.max():g}, got "
            f"{learning_rate:g}: gradient descent would diverge."
        )


def descent_path(
    X: ArrayLike, y: ArrayLike, n_steps: ArrayLike, *, learning_rate: float | None = None
) -> tuple[FloatArray, float]:
    r"""Compute where gradient descent from zero is after many numbers of steps, without stepping.

    .. math:: w(t) = \sum_i v_i\, \frac{1 - (1 - \eta s_i^2/n)^t}{s_i}\, u_i^\top y

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Used as it is: center it if the model has an intercept.
    y : array-like of shape (n_samples,)
    n_steps : array-like of shape (n_times,)
        Numbers of steps.
    learning_rate : float, optional
        Step length :math:`\eta`. Default: one over the largest curvature.

    Returns
    -------
    coefs : ndarray of shape (n_features, n_times)
        One column for each number of steps.
    learning_rate : float
        The step length used.

    Raises
    ------
    ValueError
        If the data are not finite numbers of matching shapes, or as in :func:`descent_filter`.
    """
    X, y = check_data(X, y)
    spectrum = Spectrum.from_svd(X, y)
    curvatures = spectrum.squared / len(y)
    rate = 1.0 / float(curvatures.max()) if learning_rate is None else learning_rate
    learned = descent_filter(curvatures, rate, n_steps)
    full = spectrum.projections / spectrum.squared  # least squares, direction by direction
    return spectrum.basis @ (learned * full[:, None]), rate
