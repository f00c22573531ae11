"""Solutions for a whole grid of penalty strengths."""

from __future__ import annotations

import numbers

import numpy as np
from numpy.typing import ArrayLike

from lessons_lib import penalties, solvers
from lessons_lib._validation import (
    FloatArray,
    check_data,
    check_flag,
    check_integer,
    check_interval,
)
from lessons_lib.linear._base import CenteredData, center
from lessons_lib.linear.ridge import Spectrum, check_alphas
from lessons_lib.solvers._monitor import ROUNDING_GAP, dual_gaps, inexact_gap, warn_not_exact
from lessons_lib.solvers.active_set import finish
from lessons_lib.solvers.homotopy import solve_grid_by_homotopy

__all__ = ["alpha_grid", "elastic_net_path", "lars_path", "lasso_path"]


def alpha_grid(
    X: ArrayLike,
    y: ArrayLike,
    *,
    l1_ratio: float = 1.0,
    eps: float = 1e-3,
    n_alphas: int = 100,
    fit_intercept: bool = True,
) -> FloatArray:
    r"""Return strengths from the smallest one that gives zero coefficients downward.

    .. math::

        \alpha_{\max} = \frac{1}{n\rho} \max_j |x_j^\top y|, \qquad
        \alpha_k = \alpha_{\max}\, \epsilon^{k/(K-1)}, \quad k = 0, \dots, K-1

    with centered data if there is an intercept.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)
    l1_ratio : float, default=1.0
        Mixture :math:`\rho`, positive: without an L1 part no strength gives zero coefficients.
    eps : float, default=1e-3
        Ratio :math:`\epsilon` of the last to the first strength, between 0 and 1.
    n_alphas : int, default=100
        Number :math:`K` of strengths.
    fit_intercept : bool, default=True
        Whether the model has an intercept.

    Returns
    -------
    ndarray of shape (n_alphas,)
        Decreasing strengths. If ``y`` is constant, every strength gives zero coefficients, and all
        are the same tiny number.

    Raises
    ------
    ValueError
        If an argument is out of range or the data are not finite numbers of matching shapes.
    """
    X, y = check_data(X, y)
    n_alphas = check_integer("n_alphas", n_alphas, 1)
    data = center(X, y, check_flag("fit_intercept", fit_intercept))
    return automatic_grid(data, l1_ratio, eps, n_alphas)


def automatic_grid(data: CenteredData, l1_ratio: float, eps: float, n_alphas: int) -> FloatArray:
    """Do what `alpha_grid` does, for data that have been checked and centered."""
    l1_ratio = check_interval("l1_ratio", l1_ratio, 0.0, 1.0)
    eps = check_interval("eps", eps, 0.0, 1.0, open_low=True)
    if l1_ratio == 0:
        raise ValueError(
            "l1_ratio must be positive for an automatic grid, since ridge coefficients never "
            "become zero: pass the strengths as alphas."
        )
    gradient = -(data.y @ data.X) / len(data.y)
    scaled = penalties.ElasticNet(1.0, l1_ratio).alpha_max(gradient)
    alpha_max = scaled * data.X_scale * data.y_scale
    tiny = float(np.finfo(np.float64).resolution)
    # Rounding errors of a constant y are not mistaken for something to explain.
    noise = float(np.linalg.norm(data.X) * np.linalg.norm(data.y)) / len(data.y)
    if scaled <= 1e-15 * noise or alpha_max == 0:
        return np.full(n_alphas, tiny)
    if not np.isfinite(alpha_max):
        raise ValueError(
            "The largest strength leaves the range of floating-point numbers: X has values as "
            f"large as {2 * data.X_scale:.1g} and y {2 * data.y_scale:.1g}. Use other units."
        )
    grid: FloatArray = alpha_max * eps ** np.linspace(0.0, 1.0, n_alphas)
    return grid


def solve_grid(
    data: CenteredData, alphas: FloatArray, l1_ratio: float
) -> tuple[FloatArray, FloatArray]:
    """Return exact Elastic Net coefficients for centered data and decreasing strengths.

    Parameters
    ----------
    data : CenteredData
    alphas : ndarray of shape (n_alphas,)
        Decreasing strengths, in the units of the data before centering.
    l1_ratio : float
        Mixture between 0 (ridge) and 1 (lasso).

    Returns
    -------
    coefs : ndarray of shape (n_features, n_alphas)
        One column for each strength, in the units of the centered data.
    dual_gaps : ndarray of shape (n_alphas,)

    Warns
    -----
    ConvergenceWarning
        If a duality gap is larger than rounding errors explain.
    """
    X, y = data.X, data.y
    l1, l2 = data.l1(alphas * l1_ratio), data.l2(alphas * (1.0 - l1_ratio))
    if l1_ratio == 0:
        strengths = len(y) * l2
        coefs = Spectrum.of(X, y, float(strengths.min())).coefs(strengths)
        return coefs, dual_gaps(X, y, coefs, l1, l2)
    n_positive = int(np.count_nonzero(l1 > 0))  # without a penalty it is least squares
    coefs, gaps = np.empty((X.shape[1], len(alphas))), np.empty(len(alphas))
    if n_positive < len(alphas):
        coefs[:, n_positive:] = Spectrum.from_svd(X, y).coef(0.0)[:, None]
        gaps[n_positive:] = dual_gaps(X, y, coefs[:, n_positive:], l1[n_positive:], l2[n_positive:])
    if n_positive > 0:
        first = slice(n_positive)
        homotopy = solve_grid_by_homotopy(X, y, l1[first], l2[first])
        coefs[:, first], gaps[first] = finish(X, y, homotopy, l1[first], l2[first])
        _warn_of_gaps(X, y, coefs[:, first], gaps[first])
    return coefs, gaps


def _warn_of_gaps(X: FloatArray, y: FloatArray, coefs: FloatArray, gaps: FloatArray) -> None:
    """Warn if a solution could not be made exact."""
    if gaps.max() > ROUNDING_GAP * float(y @ y) / len(y):
        excess = gaps - inexact_gap(X, y, coefs)
        if excess.max() > 0:
            warn_not_exact("A solution on the path", float(gaps[excess.argmax()]))


def elastic_net_path(
    X: ArrayLike,
    y: ArrayLike,
    *,
    l1_ratio: float = 0.5,
    eps: float = 1e-3,
    alphas: int | ArrayLike = 100,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    r"""Compute exact Elastic Net coefficients for many penalty strengths.

    For each :math:`\alpha` the minimizer of

    .. math::

        \tfrac{1}{2n} \lVert y - Xw \rVert_2^2
        + \alpha\big(\rho \lVert w \rVert_1 + \tfrac{1-\rho}{2} \lVert w \rVert_2^2\big).

    The data are used as they are: center them for an unpenalized intercept.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)
    l1_ratio : float, default=0.5
        Mixture :math:`\rho` between 0 (ridge) and 1 (lasso).
    eps : float, default=1e-3
        Ratio of the last to the first strength of an automatic grid.
    alphas : int or array-like of shape (n_alphas,), default=100
        The strengths, or how many an automatic grid shall have.

    Returns
    -------
    alphas : ndarray of shape (n_alphas,)
        The strengths in decreasing order.
    coefs : ndarray of shape (n_features, n_alphas)
        One column for each strength.
    dual_gaps : ndarray of shape (n_alphas,)
        Duality gaps, which certify the solutions.

    Raises
    ------
    ValueError
        If an argument is out of range, the data are not finite numbers of matching shapes, or an
        automatic grid is wanted for ``l1_ratio=0``.

    References
    ----------
    H. Zou and T. Hastie, "Regularization and Variable Selection via the Elastic Net", JRSS B 67
    (2005), section 3.4.
    """
    X, y = check_data(X, y)
    l1_ratio = check_interval("l1_ratio", l1_ratio, 0.0, 1.0)
    data = center(X, y, fit_intercept=False)
    if isinstance(alphas, numbers.Integral):
        grid = automatic_grid(data, l1_ratio, eps, check_integer("alphas", alphas, 1))
    else:
        grid = np.sort(check_alphas(alphas))[::-1]
    coefs, gaps = solve_grid(data, grid, l1_ratio)
    return grid, data.solution(coefs.T)[0].T, gaps * data.y_scale * data.y_scale


def lasso_path(
    X: ArrayLike, y: ArrayLike, *, eps: float = 1e-3, alphas: int | ArrayLike = 100
) -> tuple[FloatArray, FloatArray, FloatArray]:
    r"""Compute exact lasso coefficients for many penalty strengths.

    For each :math:`\alpha` the minimizer of
    :math:`\tfrac{1}{2n} \lVert y - Xw \rVert_2^2 + \alpha \lVert w \rVert_1`. The homotopy path is
    followed once, from corner to corner, and read off at the strengths.

    The data are used as they are: center them for an unpenalized intercept.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)
    eps : float, default=1e-3
        Ratio of the last to the first strength of an automatic grid.
    alphas : int or array-like of shape (n_alphas,), default=100
        The strengths, or how many an automatic grid shall have.

    Returns
    -------
    alphas : ndarray of shape (n_alphas,)
        The strengths in decreasing order.
    coefs : ndarray of shape (n_features, n_alphas)
        One column for each strength.
    dual_gaps : ndarray of shape (n_alphas,)
        Duality gaps, which certify the solutions.

    Raises
    ------
    ValueError
        If an argument is out of range or the data are not finite numbers of matching shapes.

    References
    ----------
    B. Efron, T. Hastie, I. Johnstone and R. Tibshirani, "Least Angle Regression", Ann. Statist. 32
    (2004), section 3.1.

    Examples
    --------
    >>> import numpy as np
    >>> alphas, coefs, gaps = lasso_path(np.eye(2), [4.0, 2.0], alphas=[1.5, 0.5])
    >>> print(coefs)
    [[1. 3.]
     [0. 1.]]
    """
    return elastic_net_path(X, y, l1_ratio=1.0, eps=eps, alphas=alphas)


def lars_path(
    X: ArrayLike,
    y: ArrayLike,
    *,
    method: str = "lar",
    alpha_min: float = 0.0,
    max_iter: int = 500,
) -> tuple[FloatArray, list[int], FloatArray]:
    r"""Compute all corners of the least-angle-regression or lasso path.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Centered, if the model has an intercept.
    y : array-like of shape (n_samples,)
        Centered, if the model has an intercept.
    method : {"lar", "lasso"}, default="lar"
        In the lasso path a feature leaves when its coefficient reaches zero, in least angle
        regression it stays. The default is scikit-learn's.
    alpha_min : float, default=0.0
        Where to end the path.
    max_iter : int, default=500
        Largest number of corners.

    Returns
    -------
    alphas : ndarray of shape (n_knots,)
        The corners: largest absolute correlation :math:`|x_j^\top r|/n` of any feature.
    active : list of int
        The features in use at the end, in the order in which they joined.
    coefs : ndarray of shape (n_features, n_knots)
        Coefficients at the corners.

    Raises
    ------
    ValueError
        If ``method`` is unknown, an argument is out of range or the data are not finite numbers
        of matching shapes.

    Warns
    -----
    ConvergenceWarning
        If the path is longer than ``max_iter``.

    References
    ----------
    B. Efron, T. Hastie, I. Johnstone and R. Tibshirani, "Least Angle Regression", Ann. Statist. 32
    (2004), eqs. 2.13 and 3.6.
    """
    if method not in ("lar", "lasso"):
        raise ValueError(f"method must be 'lar' or 'lasso', got {method!r}.")
    path = solvers.homotopy(X, y, alpha_min=alpha_min, leave=method == "lasso", max_iter=max_iter)
    return path.alphas, path.active, path.coefs
