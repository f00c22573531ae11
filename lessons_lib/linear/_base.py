"""What every linear estimator shares: input checks, centering, prediction."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from lessons_lib._validation import FloatArray, explain_left_out
from lessons_lib.penalties import ElasticNet

__all__ = ["CenteredData", "LinearModel", "center", "check_weights"]


# Beyond these magnitudes squares and their products could overflow or vanish.
_SMALLEST, _LARGEST = 2.0**-200, 2.0**200
# A strength that is larger than this after a change of units is as good as infinite.
_HUGE = 1e300


class CenteredData(NamedTuple):
    r"""Data with the column means removed, and what it takes to undo that.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
        In units of ``X_scale``.
    y : ndarray of shape (n_samples,) or (n_samples, n_targets)
        In units of ``y_scale``.
    X_mean : ndarray of shape (n_features,)
    y_mean : float or ndarray of shape (n_targets,)
        The means, in the same units.
    X_scale, y_scale : float
        Powers of two; 1 unless the data are so large or small that their squares leave the range
        of floating-point numbers.
    total_weight : float
        Mean of the sample weights.
    unpenalized : ndarray of shape (n_samples,) or None
        Direction of the intercept, of length 1: rows for which it is 1, times the roots of the
        weights. The columns of ``X`` and ``y`` are orthogonal to it.
    """

    X: FloatArray
    y: FloatArray
    X_mean: FloatArray
    y_mean: Any
    X_scale: float = 1.0
    y_scale: float = 1.0
    total_weight: float = 1.0
    unpenalized: FloatArray | None = None

    def l1(self, strength: Any) -> Any:
        """Return the strength of an L1 penalty in the units of the centered data."""
        return np.minimum(strength / self.X_scale / self.y_scale, _HUGE)

    def l2(self, strength: Any) -> Any:
        """Return the strength of an L2 penalty in the units of the centered data."""
        return np.minimum(strength / self.X_scale / self.X_scale, _HUGE)

    def penalty(self, alpha: float, l1_ratio: float) -> ElasticNet:
        """Return a penalty in the units of the centered data."""
        if self.X_scale == self.y_scale == 1.0:
            return ElasticNet(alpha, l1_ratio)
        l1, l2 = self.l1(alpha * l1_ratio), self.l2(alpha * (1.0 - l1_ratio))
        total = float(l1 + l2)
        return ElasticNet(total, float(l1) / total if total > 0 else l1_ratio)

    def solution(self, coefs: FloatArray) -> tuple[FloatArray, Any]:
        """Return coefficients (..., n_features) and intercepts in the units of the data given."""
        if self.X_scale == self.y_scale == 1.0:
            return coefs, self.y_mean - coefs @ self.X_mean
        unit = self.y_scale / self.X_scale
        with np.errstate(over="ignore", under="ignore"):
            scaled = coefs * unit
        lost = (scaled == 0) & (coefs != 0)
        if not np.isfinite(scaled).all() or lost.any():
            raise ValueError(
                f"X has values as large as {2 * self.X_scale:.1g} and y {2 * self.y_scale:.1g}, so "
                "that coefficients leave the range of floating-point numbers: use other units."
            )
        return scaled, (self.y_mean - coefs @ self.X_mean) * self.y_scale


def _unit(values: FloatArray) -> float:
    """Return 1, or where magnitudes are extreme a power of two close to the largest of them."""
    largest = max(float(values.max()), -float(values.min()))
    if largest == 0 or _SMALLEST <= largest <= _LARGEST:
        return 1.0
    return float(2.0 ** min(np.floor(np.log2(largest)), 1022.0))


def _remove_constants(X: FloatArray) -> None:
    """Set centered columns that are constant but for rounding errors to zero, in place."""
    suspects = np.flatnonzero(X[0] == X[-1])
    if len(suspects):
        columns = X[:, suspects]
        X[:, suspects[(columns == columns[0]).all(axis=0)]] = 0.0


def center(
    X: FloatArray,
    y: FloatArray,
    fit_intercept: bool,
    sample_weight: FloatArray | None = None,
) -> CenteredData:
    r"""Remove the column means, which fits an unpenalized intercept exactly.

    For any ``coef`` the best intercept is :math:`b = \bar y - \bar x^\top w`. Put back into the
    objective it leaves the same problem in :math:`X - \bar x` and :math:`y - \bar y`, without
    an intercept. With weights :math:`v_i` of mean 1 the means are weighted, and rows multiplied by
    :math:`\sqrt{v_i}` turn the weighted squared loss into a plain one.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,) or (n_samples, n_targets)
    fit_intercept : bool
        If False the means that are removed are zero.
    sample_weight : ndarray of shape (n_samples,), optional
        From `check_weights`. Samples of weight zero are left out.

    Returns
    -------
    CenteredData
        New arrays; the inputs are not changed.
    """
    weights, total = None, 1.0
    if sample_weight is not None:
        X, y, weights, total = _positive_weights(X, y, sample_weight)
    X_unit, y_unit = _unit(X), _unit(y)
    if X_unit != 1.0:
        X = X / X_unit
    if y_unit != 1.0:
        y = y / y_unit
    X_mean, y_mean = np.zeros(X.shape[1]), np.zeros(y.shape[1:])[()]
    if fit_intercept:
        if weights is None:
            X_mean, y_mean = X.sum(axis=0) / len(X), y.sum(axis=0) / len(y)
        else:
            X_mean, y_mean = weights @ X / len(X), weights @ y / len(y)
        X, y = X - X_mean, y - y_mean
        _remove_constants(X)
        _remove_constants(y.reshape(len(y), -1))
    roots = np.ones(len(X)) if weights is None else np.sqrt(weights)
    if weights is not None:
        X, y = roots[:, None] * X, (roots * y.T).T
    unpenalized = roots / np.sqrt(len(X)) if fit_intercept else None
    return CenteredData(X, y, X_mean, y_mean, X_unit, y_unit, total, unpenalized)


def _positive_weights(
    X: FloatArray, y: FloatArray, sample_weight: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, float]:
    """Leave out samples of weight zero; return the other weights over their mean, and the mean."""
    kept = sample_weight > 0
    if not kept.any():
        raise ValueError("sample_weight must be positive for at least one sample, got only zeros.")
    if not kept.all():
        X, y, sample_weight = X[kept], y[kept], sample_weight[kept]
    largest = float(sample_weight.max())  # the sum could overflow
    mean = float((sample_weight / largest).mean())
    return X, y, sample_weight / largest / mean, largest * mean


def check_weights(sample_weight: ArrayLike | None, X: FloatArray) -> FloatArray | None:
    """Return sample weights as a vector of finite, non-negative floats, or None.

    Parameters
    ----------
    sample_weight : float or array-like of shape (n_samples,), optional
        What the caller passed.
    X : ndarray of shape (n_samples, n_features)

    Returns
    -------
    ndarray of shape (n_samples,) or None
        None where all weights are 1.

    Raises
    ------
    ValueError
        If a weight is negative or not finite, or their number is not that of the samples.
    """
    if sample_weight is None:
        return None
    weights: FloatArray = _check_sample_weight(
        sample_weight, X, dtype=np.float64, ensure_non_negative=True
    )
    return weights


class LinearModel(RegressorMixin, BaseEstimator):  # type: ignore[misc, unused-ignore]
    """Base class: a prediction that is linear in the features."""

    coef_: FloatArray
    intercept_: Any
    n_features_in_: int
    # Parameters of scikit-learn's class of the same name that are left out, and why.
    _left_out: ClassVar[dict[str, str]] = {}

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Refuse parameters that are left out with the reason."""
        explain_left_out(cls.__name__, cls._left_out, kwargs)
        new: Self = super().__new__(cls)
        return new

    def _set_solution(self, coef: FloatArray, data: CenteredData) -> None:
        """Store the coefficients and the intercept that belongs to them."""
        self.coef_, self.intercept_ = data.solution(coef)

    def predict(self, X: ArrayLike) -> FloatArray:
        r"""Predict :math:`\hat y = Xw + b`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets)
            Predictions, in the units of ``y`` and in float64, whatever the type of ``X``.
        """
        check_is_fitted(self)
        features: FloatArray = validate_data(self, X, reset=False, dtype=np.float64)
        prediction: FloatArray = features @ self.coef_.T + self.intercept_
        return prediction
