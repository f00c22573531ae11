r"""Penalties as small objects; solvers know nothing else about them.

A penalty :math:`\Omega` is added to a smooth loss :math:`f`. Solvers of every kind need only:

- ``value``: :math:`\Omega(w)`, to report the objective;
- ``subgradient``: one element of :math:`\partial\Omega(w)`, for (sub)gradient descent;
- ``prox``: :math:`\arg\min_u \tfrac12\lVert u-v\rVert^2 + \eta\,\Omega(u)`, for proximal methods;
- ``subdiff_distance``: how far :math:`-\nabla f(w)` is from :math:`\partial\Omega(w)`, feature by
  feature. It is zero everywhere exactly at a minimum of :math:`f + \Omega`;
- ``alpha_max``: the strength from which on the minimum is at zero.

The intercept must not be penalized. Either it is not among the coefficients at all (center the
data, as the estimators do), or it is the coefficient of a column of ones, and ``penalized`` marks
that column with False.

Examples
--------
>>> import numpy as np
>>> from lessons_lib.penalties import L1, L2
>>> w = np.array([3.0, -0.5, 2.0])
>>> print(L1(1.0).value(w), L2(1.0).value(w))
5.5 6.625
>>> print(L1(1.0).prox(w, 1.0), L2(1.0).prox(w, 1.0))
[2. 0. 1.] [ 1.5  -0.25  1.  ]
>>> bias_last = np.array([True, True, False])
>>> print(L1(1.0, penalized=bias_last).value(w))
3.5
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from lessons_lib._validation import FloatArray, check_interval

__all__ = ["L1", "L2", "ElasticNet", "Penalty", "PenaltyParts", "soft_threshold"]


def soft_threshold(values: FloatArray, threshold: float | FloatArray) -> FloatArray:
    r"""Shrink every value toward zero by ``threshold``, and stop at zero.

    .. math:: S_t(v) = \operatorname{sign}(v)\,\max(|v| - t,\, 0)

    It is the proximal operator of :math:`t\lVert\cdot\rVert_1`.

    Parameters
    ----------
    values : ndarray
        Any shape.
    threshold : float or ndarray
        Non-negative, broadcast against ``values``.

    Returns
    -------
    ndarray
        Of the shape of ``values``.

    References
    ----------
    D. L. Donoho and I. M. Johnstone, "Ideal Spatial Adaptation by Wavelet Shrinkage",
    Biometrika 81 (1994), section 2.3.

    Examples
    --------
    >>> import numpy as np
    >>> print(soft_threshold(np.array([-3.0, 0.5, 2.0]), 1.0))
    [-2.  0.  1.]
    """
    # Subtracting the part within the threshold, rather than multiplying by the sign, gives no -0.
    shrunk: FloatArray = values - np.clip(values, -threshold, threshold)
    return shrunk


class PenaltyParts(NamedTuple):
    r"""Any penalty here, written coefficient by coefficient.

    .. math:: \Omega(w) = \sum_j l_{1j}|w_j| + \tfrac12 l_{2j}(w_j - c_j)^2

    Attributes
    ----------
    l1, l2, center : ndarrays of shape (n_features,)
    """

    l1: FloatArray
    l2: FloatArray
    center: FloatArray


class Penalty(Protocol):
    """What a solver may ask of a penalty."""

    def value(self, coef: FloatArray) -> float:
        """Return the penalty at ``coef``."""

    def subgradient(self, coef: FloatArray) -> FloatArray:
        """Return one subgradient at ``coef``; the gradient where there is one."""

    def prox(self, coef: FloatArray, step: float) -> FloatArray:
        """Return the proximal point of ``coef`` for the penalty times ``step``."""

    def subdiff_distance(self, coef: FloatArray, gradient: FloatArray) -> FloatArray:
        """Return the distance of ``-gradient`` from the subdifferential, feature by feature."""

    def alpha_max(self, gradient: FloatArray) -> float:
        """Return the smallest strength at which zero is the solution."""

    def parts(self, n_features: int) -> PenaltyParts:
        """Return the penalty coefficient by coefficient."""


def _check_penalized(penalized: NDArray[np.bool_] | None) -> None:
    """Raise unless ``penalized`` is None or a boolean vector."""
    if penalized is None:
        return
    if not isinstance(penalized, np.ndarray) or penalized.dtype != bool or penalized.ndim != 1:
        raise TypeError(f"penalized must be a boolean vector or None, got {penalized!r}.")


def _spread(
    strength: float, penalized: NDArray[np.bool_] | None, shape: tuple[int, ...]
) -> float | FloatArray:
    """Return the strength for each coefficient: ``strength`` if penalized, else 0."""
    if penalized is None:
        return strength
    if penalized.shape != shape:
        raise ValueError(
            f"penalized has shape {penalized.shape}, but there are coefficients of shape {shape}."
        )
    return np.where(penalized, strength, 0.0)


def _largest_penalized(gradient: FloatArray, penalized: NDArray[np.bool_] | None) -> float:
    """Return the largest absolute gradient among the penalized features."""
    return float(np.max(np.abs(gradient) * _spread(1.0, penalized, gradient.shape), initial=0.0))


@dataclass(frozen=True, eq=False)
class L1:
    r"""The lasso penalty.

    .. math:: \Omega(w) = \alpha \lVert w \rVert_1

    Parameters
    ----------
    alpha : float
        Strength :math:`\alpha \ge 0`.
    penalized : ndarray of bool of shape (n_features,), optional
        False where a coefficient, such as the bias, is left alone. Default: all are penalized.

    Raises
    ------
    TypeError, ValueError
        If ``alpha`` is not a non-negative number or ``penalized`` not a boolean vector.

    References
    ----------
    R. Tibshirani, "Regression Shrinkage and Selection via the Lasso", JRSS B 58 (1996), eq. 1.
    """

    alpha: float
    penalized: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        check_interval("alpha", self.alpha)
        _check_penalized(self.penalized)

    def value(self, coef: FloatArray) -> float:
        """Return the penalty at ``coef``, ndarray of shape (n_features,)."""
        return float(np.sum(_spread(self.alpha, self.penalized, coef.shape) * np.abs(coef)))

    def subgradient(self, coef: FloatArray) -> FloatArray:
        r"""Return :math:`\alpha\operatorname{sign}(w)`: at zero, 0 out of :math:`[-\alpha,\alpha]`.

        Its length does not depend on the size of ``coef``: a constant push toward zero.
        """
        result: FloatArray = _spread(self.alpha, self.penalized, coef.shape) * np.sign(coef)
        return result

    def prox(self, coef: FloatArray, step: float) -> FloatArray:
        r"""Return :math:`S_{\eta\alpha}(w)` with :math:`\eta` = ``step``: exact zeros appear."""
        return soft_threshold(coef, step * _spread(self.alpha, self.penalized, coef.shape))

    def subdiff_distance(self, coef: FloatArray, gradient: FloatArray) -> FloatArray:
        r"""Return the distance of :math:`-g` from :math:`\partial\Omega(w)`, feature by feature.

        .. math:: |g_j + \alpha\operatorname{sign}(w_j)| \text{ if } w_j \ne 0,
                  \quad \max(|g_j| - \alpha, 0) \text{ if } w_j = 0

        Parameters
        ----------
        coef : ndarray of shape (n_features,)
        gradient : ndarray of shape (n_features,)
            Gradient :math:`g` of the smooth loss at ``coef``.

        Returns
        -------
        ndarray of shape (n_features,)
            Zero everywhere exactly at a minimum (the KKT conditions).
        """
        alpha = _spread(self.alpha, self.penalized, coef.shape)
        at_zero = np.maximum(np.abs(gradient) - alpha, 0.0)
        return np.where(coef == 0, at_zero, np.abs(gradient + alpha * np.sign(coef)))

    def alpha_max(self, gradient: FloatArray) -> float:
        r"""Return :math:`\max_j |g_j|`: for this strength and above, zero is the solution.

        Parameters
        ----------
        gradient : ndarray of shape (n_features,)
            Gradient of the smooth loss where the penalized coefficients are zero (and others, if
            there are any, at their optimum). For the squared loss it is :math:`-X^\top y/n`.

        Returns
        -------
        float
            The strength.
        """
        return _largest_penalized(gradient, self.penalized)

    def parts(self, n_features: int) -> PenaltyParts:
        """Return the penalty coefficient by coefficient."""
        zeros = np.zeros(n_features)
        return PenaltyParts(zeros + _spread(self.alpha, self.penalized, zeros.shape), zeros, zeros)


@dataclass(frozen=True, eq=False)
class L2:
    r"""The ridge penalty, around zero or around given coefficients.

    .. math:: \Omega(w) = \tfrac{\alpha}{2} \lVert w - c \rVert_2^2

    With pretrained weights as the center :math:`c` it is the L2-SP penalty of transfer learning.

    Parameters
    ----------
    alpha : float
        Strength :math:`\alpha \ge 0`.
    penalized : ndarray of bool of shape (n_features,), optional
        False where a coefficient, such as the bias, is left alone. Default: all are penalized.
    center : ndarray of shape (n_features,), optional
        Coefficients toward which to shrink. Default: zero.

    Raises
    ------
    TypeError, ValueError
        If ``alpha`` is not a non-negative number or ``penalized`` not a boolean vector.

    References
    ----------
    X. Li, Y. Grandvalet and F. Davoine, "Explicit Inductive Bias for Transfer Learning with
    Convolutional Networks", ICML (2018), eq. 2.
    """

    alpha: float
    penalized: NDArray[np.bool_] | None = None
    center: FloatArray | None = None

    def __post_init__(self) -> None:
        check_interval("alpha", self.alpha)
        _check_penalized(self.penalized)

    def _offset(self, coef: FloatArray) -> FloatArray:
        """Return ``coef`` seen from the center."""
        if self.center is None:
            return coef
        if self.center.shape != coef.shape:
            raise ValueError(
                f"center has shape {self.center.shape}, but there are coefficients of shape "
                f"{coef.shape}."
            )
        return coef - self.center

    def value(self, coef: FloatArray) -> float:
        """Return the penalty at ``coef``, ndarray of shape (n_features,)."""
        alpha = _spread(self.alpha, self.penalized, coef.shape)
        return 0.5 * float(np.sum(alpha * self._offset(coef) ** 2))

    def gradient(self, coef: FloatArray) -> FloatArray:
        r"""Return :math:`\alpha(w - c)`: a push toward the center in proportion to the distance."""
        result: FloatArray = _spread(self.alpha, self.penalized, coef.shape) * self._offset(coef)
        return result

    def subgradient(self, coef: FloatArray) -> FloatArray:
        """Return the gradient, the only subgradient there is."""
        return self.gradient(coef)

    def prox(self, coef: FloatArray, step: float) -> FloatArray:
        r"""Return :math:`c + (w - c)/(1 + \eta\alpha)` with :math:`\eta` = ``step``."""
        shrinkage = 1.0 + step * _spread(self.alpha, self.penalized, coef.shape)
        offset = self._offset(coef)
        return coef - offset + offset / shrinkage

    def subdiff_distance(self, coef: FloatArray, gradient: FloatArray) -> FloatArray:
        r"""Return :math:`|g_j + \alpha(w_j - c_j)|`, feature by feature.

        Parameters
        ----------
        coef : ndarray of shape (n_features,)
        gradient : ndarray of shape (n_features,)
            Gradient :math:`g` of the smooth loss at ``coef``.

        Returns
        -------
        ndarray of shape (n_features,)
            Zero everywhere exactly at a minimum.
        """
        distance: FloatArray = np.abs(gradient + self.gradient(coef))
        return distance

    def alpha_max(self, gradient: FloatArray) -> float:
        r"""Return infinity: a finite strength never makes a coefficient exactly zero.

        Parameters
        ----------
        gradient : ndarray of shape (n_features,)
            Gradient of the smooth loss at the center.

        Returns
        -------
        float
            Infinity, or 0.0 if the gradient vanishes there anyway.
        """
        return np.inf if _largest_penalized(gradient, self.penalized) > 0 else 0.0

    def parts(self, n_features: int) -> PenaltyParts:
        """Return the penalty coefficient by coefficient."""
        zeros = np.zeros(n_features)
        l2 = zeros + _spread(self.alpha, self.penalized, zeros.shape)
        return PenaltyParts(zeros, l2, -self._offset(zeros))


@dataclass(frozen=True, eq=False)
class ElasticNet:
    r"""A mixture of the L1 and the L2 penalty: the penalty of the house objective.

    .. math::

        \Omega(w) = \alpha\big(\rho \lVert w \rVert_1 + \tfrac{1-\rho}{2} \lVert w \rVert_2^2\big)

    Parameters
    ----------
    alpha : float
        Strength :math:`\alpha \ge 0`.
    l1_ratio : float
        Mixture :math:`\rho` between 0 (ridge) and 1 (lasso).
    penalized : ndarray of bool of shape (n_features,), optional
        False where a coefficient, such as the bias, is left alone. Default: all are penalized.

    Raises
    ------
    TypeError, ValueError
        If ``alpha`` is not a non-negative number, ``l1_ratio`` not in [0, 1], or ``penalized`` not
        a boolean vector.

    References
    ----------
    H. Zou and T. Hastie, "Regularization and Variable Selection via the Elastic Net", JRSS B 67
    (2005), eq. 3; the mixture is written as in J. Friedman, T. Hastie and R. Tibshirani,
    "Regularization Paths for Generalized Linear Models via Coordinate Descent", J. Stat. Softw.
    33 (2010), eq. 2.
    """

    alpha: float
    l1_ratio: float
    penalized: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        check_interval("alpha", self.alpha)
        check_interval("l1_ratio", self.l1_ratio, 0.0, 1.0)
        _check_penalized(self.penalized)

    @property
    def _l1(self) -> L1:
        """The L1 part."""
        return L1(self.alpha * self.l1_ratio, self.penalized)

    @property
    def _l2(self) -> L2:
        """The L2 part."""
        return L2(self.alpha * (1.0 - self.l1_ratio), self.penalized)

    def value(self, coef: FloatArray) -> float:
        """Return the penalty at ``coef``, ndarray of shape (n_features,)."""
        return self._l1.value(coef) + self._l2.value(coef)

    def subgradient(self, coef: FloatArray) -> FloatArray:
        r"""Return :math:`\alpha\rho\operatorname{sign}(w) + \alpha(1-\rho)w`."""
        return self._l1.subgradient(coef) + self._l2.gradient(coef)

    def prox(self, coef: FloatArray, step: float) -> FloatArray:
        r"""Threshold, then shrink: :math:`S_{\eta\alpha\rho}(w) / (1 + \eta\alpha(1-\rho))`."""
        return self._l2.prox(self._l1.prox(coef, step), step)

    def subdiff_distance(self, coef: FloatArray, gradient: FloatArray) -> FloatArray:
        r"""Return the distance of :math:`-g` from :math:`\partial\Omega(w)`, feature by feature.

        The L2 part is smooth, so it may as well be counted with the loss: the result is that of
        the L1 part with :math:`g + \alpha(1-\rho)w` as the gradient.

        Parameters
        ----------
        coef : ndarray of shape (n_features,)
        gradient : ndarray of shape (n_features,)
            Gradient :math:`g` of the smooth loss at ``coef``.

        Returns
        -------
        ndarray of shape (n_features,)
            Zero everywhere exactly at a minimum (the KKT conditions).
        """
        return self._l1.subdiff_distance(coef, gradient + self._l2.gradient(coef))

    def alpha_max(self, gradient: FloatArray) -> float:
        r"""Return :math:`\max_j |g_j| / \rho`: for this strength and above, zero is the solution.

        Parameters
        ----------
        gradient : ndarray of shape (n_features,)
            Gradient of the smooth loss where the penalized coefficients are zero (and others, if
            there are any, at their optimum). For the squared loss it is :math:`-X^\top y/n`.

        Returns
        -------
        float
            The strength; infinity for ``l1_ratio=0`` unless the gradient vanishes.
        """
        largest = _largest_penalized(gradient, self.penalized)
        if self.l1_ratio == 0:
            return self._l2.alpha_max(gradient)
        return largest / self.l1_ratio

    def parts(self, n_features: int) -> PenaltyParts:
        """Return the penalty coefficient by coefficient."""
        zeros = np.zeros(n_features)
        alpha = zeros + _spread(self.alpha, self.penalized, zeros.shape)
        return PenaltyParts(alpha * self.l1_ratio, alpha * (1.0 - self.l1_ratio), zeros)
