"""What every linear estimator shares: input checks, centering, prediction."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from lessons_lib._validation import FloatArray

__all__ = ["CenteredData", "LinearModel", "center"]


class CenteredData(NamedTuple):
    """Data with the column means removed, and those means.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,) or (n_samples, n_targets)
    X_mean : ndarray of shape (n_features,)
    y_mean : float or ndarray of shape (n_targets,)
    """

    X: FloatArray
    y: FloatArray
    X_mean: FloatArray
    y_mean: Any


def center(X: FloatArray, y: FloatArray, fit_intercept: bool) -> CenteredData:
    r"""Remove the column means, which fits an unpenalized intercept exactly.

    For any ``coef`` the best intercept is :math:`b = \bar y - \bar x^\top w`. Put back into the
    objective it leaves the same problem in :math:`X - \bar x` and :math:`y - \bar y`, without
    an intercept.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,) or (n_samples, n_targets)
    fit_intercept : bool
        If False the data are returned as they are, with means of zero.

    Returns
    -------
    CenteredData
        New arrays; the inputs are not changed.
    """
    if not fit_intercept:
        return CenteredData(X, y, np.zeros(X.shape[1]), np.zeros(y.shape[1:])[()])
    X_mean, y_mean = X.sum(axis=0) / len(X), y.sum(axis=0) / len(y)
    return CenteredData(X - X_mean, y - y_mean, X_mean, y_mean)


class LinearModel(RegressorMixin, BaseEstimator):  # type: ignore[misc, unused-ignore]
    """Base class: a prediction that is linear in the features."""

    coef_: FloatArray
    intercept_: Any
    n_features_in_: int

    def _set_solution(self, coef: FloatArray, data: CenteredData) -> None:
        """Store the coefficients and the intercept that belongs to them."""
        self.coef_ = coef
        self.intercept_ = data.y_mean - coef @ data.X_mean

    def predict(self, X: ArrayLike) -> FloatArray:
        r"""Predict :math:`\hat y = Xw + b`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets)
            Predictions, in the units of ``y``.
        """
        check_is_fitted(self)
        features: FloatArray = validate_data(self, X, reset=False, dtype=np.float64)
        prediction: FloatArray = features @ self.coef_.T + self.intercept_
        return prediction
