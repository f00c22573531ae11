r"""What all solvers share: the duality gap, when to stop, and what to report.

Everywhere the problem is

.. math:: \min_w\; P(w) = \tfrac{1}{2n}\lVert y - Xw\rVert_2^2 + \Omega(w).
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg
from sklearn.exceptions import ConvergenceWarning

from lessons_lib._validation import FloatArray, check_data, check_integer, check_interval
from lessons_lib.penalties import Penalty, PenaltyParts

__all__ = [
    "ROUNDING_GAP",
    "History",
    "Monitor",
    "SolverResult",
    "certify",
    "check_problem",
    "dual_gaps",
    "duality_gap",
    "gap_tolerance",
    "inexact_gap",
    "objective",
    "warn_not_converged",
    "warn_not_exact",
]


@dataclass(frozen=True, eq=False)
class History:
    """One entry for the start and one after each iteration.

    Attributes
    ----------
    objective : ndarray of shape (n_iter + 1,)
        Value of the objective.
    dual_gap : ndarray of shape (n_iter + 1,)
        Duality gap: no coefficients have an objective smaller by more than this.
    support_size : ndarray of int of shape (n_iter + 1,)
        Number of coefficients that are not exactly zero.
    seconds : ndarray of shape (n_iter + 1,)
        Time since the start. It includes the recording: compare shapes, not benchmarks.
    coefs : ndarray of shape (n_iter + 1, n_features)
        The iterates.
    """

    objective: FloatArray
    dual_gap: FloatArray
    support_size: np.ndarray[tuple[int], np.dtype[np.int64]]
    seconds: FloatArray
    coefs: FloatArray


@dataclass(frozen=True, eq=False)
class SolverResult:
    """What an iterative solver returns.

    Attributes
    ----------
    coef : ndarray of shape (n_features,)
        The last iterate.
    n_iter : int
        Number of iterations.
    dual_gap : float
        Duality gap at ``coef``.
    converged : bool
        Whether the duality gap reached the tolerance.
    history : History or None
        Recorded only if asked for.
    """

    coef: FloatArray
    n_iter: int
    dual_gap: float
    converged: bool
    history: History | None


def check_problem(
    X: ArrayLike, y: ArrayLike, coef_init: ArrayLike | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Check a solver's data; return them with a fresh array of initial coefficients."""
    X, y = check_data(X, y)
    if coef_init is None:
        return X, y, np.zeros(X.shape[1])
    coef = np.array(coef_init, dtype=np.float64)
    if coef.shape != X.shape[1:] or not np.isfinite(coef).all():
        raise ValueError(
            f"coef_init must be {X.shape[1]} finite numbers, one for each feature, "
            f"got {coef_init!r}."
        )
    return X, y, coef


def objective(X: FloatArray, y: FloatArray, coef: FloatArray, penalty: Penalty) -> float:
    r"""Return :math:`P(w) = \tfrac{1}{2n}\lVert y - Xw\rVert_2^2 + \Omega(w)`.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
    coef : ndarray of shape (n_features,)
    penalty : Penalty

    Returns
    -------
    float
        In squared units of ``y``.
    """
    residual = y - X @ coef
    return float(residual @ residual) / (2 * len(y)) + penalty.value(coef)


def _free_basis(X: FloatArray, parts: PenaltyParts) -> FloatArray:
    """Return an orthonormal basis of the columns that carry no penalty at all."""
    free = (parts.l1 == 0) & (parts.l2 == 0)
    return linalg.orth(X[:, free]) if free.any() else np.empty((len(X), 0))


def _gap(
    X: FloatArray,
    y: FloatArray,
    coef: FloatArray,
    residual: FloatArray,
    correlation: FloatArray,
    parts: PenaltyParts,
    free_basis: FloatArray,
) -> float:
    r"""Return the duality gap from quantities that solvers have at hand.

    The residual, after a scaling that makes it feasible, is a point of the dual problem; any dual
    point bounds the optimum from below. ``correlation`` is :math:`X^\top r/n`.
    """
    n_samples = len(y)
    l1, l2, center = parts
    # A column without penalty must be orthogonal to a dual point.
    point = residual
    if free_basis.shape[1]:
        point = residual - free_basis @ (free_basis.T @ residual)
        correlation = X.T @ point / n_samples
    half_square = point @ point / (2 * n_samples)
    largest_l1 = l1.max(initial=0.0)
    if largest_l1 > 0:
        # With rows √(n l₂) I added to X, the Elastic Net is a lasso, whose dual point must have
        # no correlation above l₁ with any column.
        largest = np.abs((correlation - l2 * coef)[l1 > 0]).max()
        scale = min(1.0, largest_l1 / largest) if largest > 0 else 1.0
        half_l2 = l2 @ coef**2 / 2
        penalty = l1 @ np.abs(coef) + half_l2
        dual = scale * (y @ point) / n_samples - scale**2 * (half_square + half_l2)
    else:
        # The conjugate of l₂/2 (w - c)² is u c + u²/(2 l₂).
        shrunk = l2 > 0
        u = correlation[shrunk]
        penalty = l2 @ (coef - center) ** 2 / 2
        dual = y @ point / n_samples - half_square
        dual -= u @ center[shrunk] + (u**2 / (2 * l2[shrunk])).sum()
    primal = residual @ residual / (2 * n_samples) + penalty
    return max(float(primal - dual), 0.0)


def duality_gap(X: FloatArray, y: FloatArray, coef: FloatArray, penalty: Penalty) -> float:
    r"""Bound how far the objective at ``coef`` is above its minimum, without knowing the minimum.

    .. math:: P(w) - \min P \;\le\; P(w) - D(\theta)

    for every feasible point :math:`\theta` of the dual problem. The one used is the residual
    :math:`r = y - Xw`, scaled where necessary; for the lasso,

    .. math::

        D(\theta) = \tfrac{1}{n} y^\top\theta - \tfrac{1}{2n}\lVert\theta\rVert_2^2, \qquad
        \theta = \min\!\Big(1, \frac{n\alpha}{\lVert X^\top r\rVert_\infty}\Big)\, r.

    At the solution the gap is zero, so a small gap is a certificate.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
    coef : ndarray of shape (n_features,)
    penalty : Penalty

    Returns
    -------
    float
        Non-negative, in the units of the objective: squared units of ``y``.

    References
    ----------
    S.-J. Kim, K. Koh, M. Lustig, S. Boyd and D. Gorinevsky, "An Interior-Point Method for
    Large-Scale l1-Regularized Least Squares", IEEE J. Sel. Top. Signal Process. 1 (2007),
    section III.A.

    Examples
    --------
    >>> import numpy as np
    >>> from lessons_lib.penalties import L1
    >>> X, y = np.eye(2), np.array([4.0, 1.0])
    >>> duality_gap(X, y, np.array([2.0, 0.0]), L1(1.0))
    0.0
    >>> duality_gap(X, y, np.array([0.0, 0.0]), L1(1.0))
    1.0625
    """
    parts = penalty.parts(X.shape[1])
    residual = y - X @ coef
    correlation = X.T @ residual / len(y)
    return _gap(X, y, coef, residual, correlation, parts, _free_basis(X, parts))


# An exact solution has a duality gap of rounding errors, a smaller fraction of the mean square of y
# than this. An exact solver is not blamed for them, even if a smaller tolerance is asked for.
ROUNDING_GAP = 1e-12


# Features that depend on others up to a millionth are not told apart from these, which can leave a
# gap of this fraction. A larger one is worth a slow method, and a warning if that does not help.
_INEXACT = 1e-8
# Strengths that are a smaller fraction of the largest are below rounding errors of correlations.
_SMALLEST_STRENGTH = 1e-12
# Rounding errors of sums that cancel, in units of the machine's precision; see `gap_tolerance`.
_ROUNDING_STEPS = 100.0


def gap_tolerance(X: FloatArray, y: FloatArray, coefs: FloatArray) -> FloatArray:
    r"""Return the duality gap that rounding errors alone can leave, for each column of ``coefs``.

    A residual is a difference of terms as large as :math:`M = \lVert y\rVert +
    \sum_j \lVert x_j\rVert\,|w_j|`, each of which has a relative error of the machine's precision.
    Where columns are nearly dependent, coefficients are large and so is :math:`M`.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
    coefs : ndarray of shape (n_features, n_solutions)

    Returns
    -------
    ndarray of shape (n_solutions,)
    """
    lengths = np.sqrt(np.einsum("ij,ij->j", X, X))
    magnitudes = np.linalg.norm(y) + lengths @ np.abs(coefs)
    rounding = _ROUNDING_STEPS * np.finfo(np.float64).eps * magnitudes**2
    tolerances: FloatArray = (ROUNDING_GAP * float(y @ y) + rounding) / len(y)
    return tolerances


def inexact_gap(X: FloatArray, y: FloatArray, coefs: FloatArray) -> FloatArray:
    """Return the duality gap from which on a solution is called inexact, (n_solutions,)."""
    return gap_tolerance(X, y, coefs) + _INEXACT * float(y @ y) / len(y)


def certify(
    X: FloatArray, y: FloatArray, coefs: FloatArray, l1: FloatArray, l2: FloatArray
) -> FloatArray:
    """Return `dual_gaps`, of strengths that rounding errors leave a meaning.

    Where correlations of zero come out as larger than the strength itself, a dual point is scaled
    down to almost nothing. The gap is that of the smallest strength above such errors then.
    """
    floor = _SMALLEST_STRENGTH * float(np.abs(y @ X).max()) / len(y)
    return dual_gaps(X, y, coefs, np.where(l1 > 0, np.maximum(l1, floor), 0.0), l2)


def dual_gaps(
    X: FloatArray, y: FloatArray, coefs: FloatArray, l1: FloatArray, l2: FloatArray
) -> FloatArray:
    """Return the duality gaps of many Elastic Net solutions at once; see `duality_gap`.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
    coefs : ndarray of shape (n_features, n_solutions)
    l1, l2 : ndarrays of shape (n_solutions,)
        Strengths of the two parts.

    Returns
    -------
    ndarray of shape (n_solutions,)
    """
    gaps = np.empty(len(l1))
    lasso_like = l1 > 0
    for column in np.flatnonzero(~lasso_like):
        zeros = np.zeros(X.shape[1])
        parts = PenaltyParts(zeros, zeros + l2[column], zeros)
        residual = y - X @ coefs[:, column]
        correlation = X.T @ residual / len(y)
        basis = _free_basis(X, parts)
        gaps[column] = _gap(X, y, coefs[:, column], residual, correlation, parts, basis)
    if lasso_like.any():
        gaps[lasso_like] = _lasso_gaps(X, y, coefs[:, lasso_like], l1[lasso_like], l2[lasso_like])
    return gaps


def _lasso_gaps(
    X: FloatArray, y: FloatArray, coefs: FloatArray, l1: FloatArray, l2: FloatArray
) -> FloatArray:
    """Return the gaps where the L1 part is positive: here each row belongs to a solution."""
    n_samples = len(y)
    used = coefs.any(axis=1)
    rows = coefs[used].T
    residuals = y - rows @ X[:, used].T
    correlations = residuals @ X / n_samples
    if l2.any():
        correlations[:, used] -= l2[:, None] * rows
    largest = np.abs(correlations, out=correlations).max(axis=1)
    scale = np.minimum(1.0, l1 / np.maximum(largest, np.finfo(np.float64).tiny))
    half_squares = np.einsum("ij,ij->i", residuals, residuals) / (2 * n_samples)
    half_l2 = l2 * np.einsum("ij,ij->i", rows, rows) / 2
    primal = half_squares + l1 * np.abs(rows).sum(axis=1) + half_l2
    dual = scale * (residuals @ y) / n_samples - scale**2 * (half_squares + half_l2)
    gaps: FloatArray = np.maximum(primal - dual, 0.0)
    return gaps


def warn_not_exact(what: str, gap: float) -> None:
    """Warn that no method has found a solution whose certificate is as good as rounding allows."""
    warnings.warn(
        f"{what} has a duality gap of {gap:.3g}, more than rounding errors explain: columns of X "
        "may be nearly dependent. Standardize them, or use a larger alpha.",
        ConvergenceWarning,
        stacklevel=4,
    )


def warn_not_converged(solver: str, n_iter: int, gap: float, tolerance: float) -> None:
    """Warn that the iteration budget was used up, with scikit-learn's ``ConvergenceWarning``."""
    warnings.warn(
        f"{solver} stopped after {n_iter} iterations with a duality gap of {gap:.3g}, above the "
        f"tolerance {tolerance:.3g}. Increase max_iter, or tol if less accuracy is enough.",
        ConvergenceWarning,
        stacklevel=4,
    )


class Monitor:
    r"""Decide when a solver may stop, and keep its history.

    A solver stops when the duality gap is at most :math:`\text{tol}\cdot\lVert y\rVert_2^2/n`,
    scikit-learn's criterion, or when the iterations are used up. With ``tol=None`` it always
    uses them all, and nothing is promised.

    Parameters
    ----------
    solver : str
        Name of the solver, for the warning.
    X, y, penalty
        The problem.
    max_iter : int
        Largest number of iterations.
    tol : float or None
        Relative tolerance.
    record : bool
        Whether to keep the history.
    """

    def __init__(
        self,
        solver: str,
        X: FloatArray,
        y: FloatArray,
        penalty: Penalty,
        *,
        max_iter: int,
        tol: float | None,
        record: bool,
    ) -> None:
        self.solver, self.X, self.y = solver, X, y
        self.max_iter = check_integer("max_iter", max_iter, 0)
        self.tolerance: float | None = None
        if tol is not None:
            self.tolerance = check_interval("tol", tol) * float(y @ y) / len(y)
        self.penalty = penalty
        self.parts = penalty.parts(X.shape[1])
        self.free_basis = _free_basis(X, self.parts)
        self.n_iter = -1
        self.gap = np.inf
        self.rows: list[tuple[float, float, int, float]] | None = [] if record else None
        self.coefs: list[FloatArray] = []
        self.start = time.perf_counter()

    @property
    def converged(self) -> bool:
        """Whether the gap is within the tolerance."""
        return self.tolerance is not None and self.gap <= self.tolerance

    def gradient(self, coef: FloatArray) -> FloatArray | None:
        """Look at the iterate; return the gradient of the loss there, or None when to stop.

        Called once before the first iteration and once after each.

        Parameters
        ----------
        coef : ndarray of shape (n_features,)
            The iterate.

        Returns
        -------
        ndarray of shape (n_features,) or None
            ``-X.T @ (y - X @ coef) / n_samples``.
        """
        residual = self.y - self.X @ coef
        gradient: FloatArray = -self.X.T @ residual / len(self.y)
        return None if self.done(coef, residual, gradient) else gradient

    def done(self, coef: FloatArray, residual: FloatArray, gradient: FloatArray) -> bool:
        """Do what `gradient` does, where residual and gradient are at hand; return whether to stop.

        Parameters
        ----------
        coef : ndarray of shape (n_features,)
            The iterate.
        residual : ndarray of shape (n_samples,)
            ``y - X @ coef``.
        gradient : ndarray of shape (n_features,)
            Gradient of the loss, ``-X.T @ residual / n_samples``.

        Returns
        -------
        bool
            Whether the tolerance is reached or the iterations are used up.
        """
        self.n_iter += 1
        self.gap = _gap(self.X, self.y, coef, residual, -gradient, self.parts, self.free_basis)
        if self.rows is not None:
            value = float(residual @ residual) / (2 * len(self.y)) + self.penalty.value(coef)
            seconds = time.perf_counter() - self.start
            self.rows.append((value, self.gap, int(np.count_nonzero(coef)), seconds))
            self.coefs.append(coef.copy())
        return self.converged or self.n_iter >= self.max_iter

    def result(self, coef: FloatArray) -> SolverResult:
        """Return the result; warn if the tolerance asked for was not reached."""
        if self.tolerance is not None and not self.converged:
            warn_not_converged(self.solver, self.n_iter, self.gap, self.tolerance)
        history = None
        if self.rows is not None:
            objectives, gaps, sizes, seconds = (
                np.array(column) for column in zip(*self.rows, strict=True)
            )
            history = History(objectives, gaps, sizes, seconds, np.array(self.coefs))
        return SolverResult(coef, self.n_iter, self.gap, self.converged, history)
