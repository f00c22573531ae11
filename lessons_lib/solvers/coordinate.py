r"""Coordinate descent for lasso, Elastic Net and ridge.

Everything follows from one coordinate. As a function of :math:`w_j` alone, the objective

.. math::

    \tfrac{1}{2n}\lVert y - Xw\rVert_2^2 + l_1\lVert w\rVert_1
    + \tfrac{l_2}{2}\lVert w\rVert_2^2

is a parabola with a kink. With the residual :math:`r = y - Xw` its minimum is

.. math::

    w_j = \frac{S_{l_1}\big(\tfrac{1}{n} x_j^\top (r + x_j w_j)\big)}
               {\tfrac{1}{n} x_j^\top x_j + l_2},

where :math:`S` is the soft threshold. See J. Friedman, T. Hastie and R. Tibshirani,
"Regularization Paths for Generalized Linear Models via Coordinate Descent", J. Stat. Softw. 33
(2010), eq. 5.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from lessons_lib._validation import FloatArray, check_flag
from lessons_lib.penalties import Penalty
from lessons_lib.solvers._monitor import Monitor, SolverResult, check_problem

__all__ = ["coordinate_descent"]


def _minimize_coordinate(
    pull: float, curvature: float, l1: float, l2: float, center: float
) -> float:
    r"""Minimize :math:`\tfrac{h}{2}w^2 - pw + l_1|w| + \tfrac{l_2}{2}(w-c)^2` over one number."""
    pull += l2 * center
    if pull > l1:
        return (pull - l1) / (curvature + l2)
    if pull < -l1:
        return (pull + l1) / (curvature + l2)
    return 0.0


def _sweep_with_residual(
    features: Iterable[int],
    X: FloatArray,
    curvature: FloatArray,
    parts: list[tuple[float, float, float]],
    coef: FloatArray,
    residual: FloatArray,
) -> None:
    """Update each feature once, in place, keeping ``residual = y - X @ coef``: O(n) a feature."""
    n_samples = len(X)
    for j in features:
        old = coef[j]
        pull = X[:, j] @ residual / n_samples + curvature[j] * old
        new = _minimize_coordinate(pull, curvature[j], *parts[j])
        if new != old:
            residual -= X[:, j] * (new - old)
            coef[j] = new


def _sweep_with_gram(
    features: Iterable[int],
    gram: FloatArray,
    parts: list[tuple[float, float, float]],
    coef: FloatArray,
    correlation: FloatArray,
) -> None:
    """Update each feature once, in place, keeping ``correlation = X.T @ (y - X @ coef) / n``.

    With ``gram = X.T @ X / n`` a feature that does not move costs O(1), one that does O(p).
    """
    for j in features:
        old, curvature = coef[j], gram[j, j]
        pull = correlation[j] + curvature * old
        new = _minimize_coordinate(pull, curvature, *parts[j])
        if new != old:
            correlation -= gram[j] * (new - old)
            coef[j] = new


def coordinate_descent(
    X: ArrayLike,
    y: ArrayLike,
    penalty: Penalty,
    *,
    gram: bool | str = "auto",
    active_set: bool = True,
    coef_init: ArrayLike | None = None,
    max_iter: int = 1000,
    tol: float | None = 1e-6,
    record: bool = False,
) -> SolverResult:
    r"""Minimize by exact minimization over one coefficient after another.

    .. math::

        w_j \leftarrow \frac{S_{l_1}\big(\tfrac{1}{n} x_j^\top (r + x_j w_j)\big)}
                            {\tfrac{1}{n} x_j^\top x_j + l_2}, \qquad j = 1, \dots, p

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)
    penalty : L1, L2 or ElasticNet
    gram : bool or "auto", default="auto"
        Whether to work with the matrix :math:`X^\top X/n`, which makes updates cheap, rather than
        with the residual. "auto" does so unless there are more features than samples.
    active_set : bool, default=True
        Whether nine of ten sweeps leave out the features whose coefficient is zero.
    coef_init : array-like of shape (n_features,), optional
        Start; zero by default.
    max_iter : int, default=1000
        Largest number of sweeps.
    tol : float or None, default=1e-6
        Stop when the duality gap is at most ``tol`` times the mean square of ``y``. With None
        all iterations are done.
    record : bool, default=False
        Whether to keep the history, with one entry a sweep.

    Returns
    -------
    SolverResult
        The last iterate and how it got there.

    Raises
    ------
    ValueError
        If the data are not finite numbers of matching shapes, or an argument is out of range.

    Warns
    -----
    ConvergenceWarning
        If the tolerance is not reached.

    References
    ----------
    J. Friedman, T. Hastie and R. Tibshirani, "Regularization Paths for Generalized Linear Models
    via Coordinate Descent", J. Stat. Softw. 33 (2010), eq. 5 and sections 2.2 and 2.6.
    """
    X, y, coef = check_problem(X, y, coef_init)
    if not (isinstance(gram, bool | np.bool_) or gram == "auto"):
        raise ValueError(f"gram must be True, False or 'auto', got {gram!r}.")
    active_set = check_flag("active_set", active_set)
    monitor = Monitor(
        "coordinate_descent", X, y, penalty, max_iter=max_iter, tol=tol, record=record
    )
    coef = descend(X, y, penalty, coef, monitor, gram=gram, active_set=active_set)
    return monitor.result(coef)


def descend(
    X: FloatArray,
    y: FloatArray,
    penalty: Penalty,
    coef: FloatArray,
    monitor: Monitor,
    *,
    gram: bool | str = "auto",
    active_set: bool = True,
) -> FloatArray:
    """Do what `coordinate_descent` does, in place from ``coef``, until ``monitor`` ends it."""
    n_samples, n_features = X.shape
    use_gram = n_features <= n_samples if gram == "auto" else bool(gram)
    gram_matrix = X.T @ X / n_samples if use_gram else None
    l1, l2, center = penalty.parts(n_features)
    parts = list(zip(l1.tolist(), l2.tolist(), center.tolist(), strict=True))
    curvature = np.einsum("ij,ij->j", X, X) / n_samples
    movable = np.flatnonzero(curvature + l2 > 0)
    while True:
        residual = y - X @ coef
        correlation = X.T @ residual / n_samples
        if monitor.done(coef, residual, -correlation):
            return coef
        everything = not active_set or monitor.n_iter % 10 == 0
        features = movable if everything else movable[coef[movable] != 0]
        if gram_matrix is not None:
            _sweep_with_gram(features, gram_matrix, parts, coef, correlation)
        else:
            _sweep_with_residual(features, X, curvature, parts, coef, residual)
