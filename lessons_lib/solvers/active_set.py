r"""The fast exact solver for one strength: guess the active set, solve, correct the guess.

If we knew which features the solution uses, :math:`A`, and their signs :math:`s`, it would solve a
linear system, because the penalty is linear where no sign changes:

.. math:: \big(\tfrac{1}{n} X_A^\top X_A + l_2 I\big)\, w_A = \tfrac{1}{n} X_A^\top y - l_1 s.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import lapack

from lessons_lib._validation import FloatArray
from lessons_lib.penalties import L1, ElasticNet
from lessons_lib.solvers._monitor import Monitor, SolverResult, check_problem
from lessons_lib.solvers.homotopy import follow_path

__all__ = ["active_set_newton"]

IntArray = NDArray[np.intp]

# The first working set holds at most this many features.
_FIRST_WORKING_SET = 50
# A pivot smaller than this, relative to the diagonal, means linearly dependent features.
_DEPENDENT = 1e-10
# Optimality conditions may be violated by this fraction of the largest correlation: rounding.
_ROUNDING = 1e-13


def _newton_step(
    hessian: FloatArray, target: FloatArray, l1: float, coef: FloatArray, slack: float
) -> tuple[FloatArray, bool] | None:
    """Solve the linear system for the guess that ``coef`` suggests.

    Returns the new coefficients and whether they are optimal; None if the system is singular.
    """
    correlation = target - hessian @ coef
    used = coef != 0
    guess = (used | (np.abs(correlation) > l1 + slack)).nonzero()[0]
    signs = np.sign(np.where(used, coef, correlation)[guess])
    # The transpose of a symmetric matrix in row order is the same matrix in LAPACK's order.
    matrix = hessian if len(guess) == len(coef) else hessian.take(guess, 0).take(guess, 1)
    factor, solution, info = lapack.dposv(matrix.T, target[guess] - l1 * signs)
    if info != 0 or factor.diagonal().min() ** 2 < _DEPENDENT * hessian.diagonal().max():
        return None
    wrong_sign = solution * signs <= 0
    solution[wrong_sign] = 0.0
    new = np.zeros_like(coef)
    new[guess] = solution
    if wrong_sign.any():
        return new, False
    excess = np.abs(target - hessian @ new) - (l1 + slack)
    excess[guess] = 0.0
    return new, bool(excess.max() <= 0)


def _solve_working_set(
    hessian: FloatArray, target: FloatArray, l1: float, coef: FloatArray, slack: float
) -> FloatArray | None:
    """Minimize the objective over few features by repeated guesses; None if that fails."""
    value = np.inf
    for _ in range(50):
        step = _newton_step(hessian, target, l1, coef, slack)
        if step is None:
            return None
        coef, optimal = step
        if optimal:
            return coef
        previous = value
        value = coef @ (hessian @ coef / 2 - target) + l1 * np.abs(coef).sum()
        if value >= previous:
            return None
    return None


class _WorkingSet:
    """Some features, with the quadratic form of the objective restricted to them."""

    def __init__(self, X: FloatArray, l2: float) -> None:
        self.X, self.l2 = X, l2
        self.features = np.empty(0, dtype=np.intp)
        self.columns = np.empty((len(X), 0))
        self.hessian = np.empty((0, 0))

    def choose(self, coef: FloatArray, correlation: FloatArray, bound: float) -> IntArray:
        """Return the features to add: those in use, then the worst violations of the conditions."""
        violation = np.abs(correlation) - bound
        violation[coef != 0] = np.inf
        violation[self.features] = 0.0
        n_candidates = int(np.count_nonzero(violation > 0))
        n_used = int(np.count_nonzero(coef))
        n_new = min(n_candidates, max(n_used, _FIRST_WORKING_SET))
        if n_new == 0:
            return np.empty(0, dtype=np.intp)
        return np.argpartition(-violation, n_new - 1)[:n_new]

    def extend(self, new: IntArray) -> None:
        """Add features; only their own products are computed."""
        old = len(self.features)
        columns = self.X[:, new]
        self.features = np.concatenate([self.features, new])
        self.columns = np.hstack([self.columns, columns])
        products = self.columns.T @ columns / len(self.X)
        hessian = np.empty((len(products), len(products)))
        hessian[:old, :old] = self.hessian
        hessian[:, old:] = products
        hessian[old:, :old] = products[:old].T
        hessian[range(old, len(products)), range(old, len(products))] += self.l2
        self.hessian = hessian


def active_set_newton(
    X: ArrayLike,
    y: ArrayLike,
    penalty: L1 | ElasticNet,
    *,
    coef_init: ArrayLike | None = None,
    max_iter: int = 100,
    tol: float | None = 1e-10,
    record: bool = False,
) -> SolverResult:
    r"""Minimize exactly by solving the linear system of the active set.

    .. math:: \big(\tfrac{1}{n} X_A^\top X_A + l_2 I\big)\, w_A = \tfrac{1}{n} X_A^\top y - l_1 s

    An outer iteration adds the features that violate the optimality conditions most to a working
    set. Within it, signs are guessed from the current coefficients and correlations, the system is
    solved, and coefficients that come out with the wrong sign leave. Usually a handful of systems
    suffices. Where guessing does not lower the objective, the homotopy path, which needs no
    guesses, is followed instead.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)
    penalty : L1 or ElasticNet
        With a positive L1 part, and penalizing all features.
    coef_init : array-like of shape (n_features,), optional
        Start, such as the solution for a nearby strength; zero by default.
    max_iter : int, default=100
        Largest number of working sets.
    tol : float or None, default=1e-10
        Relative duality gap above which to warn. It is no stopping criterion: the method ends
        when the optimality conditions hold up to rounding.
    record : bool, default=False
        Whether to keep the history, with one entry for each working set.

    Returns
    -------
    SolverResult
        The solution.

    Raises
    ------
    ValueError
        If the data are not finite numbers of matching shapes, an argument is out of range, or the
        penalty has no L1 part or leaves out features.

    Warns
    -----
    ConvergenceWarning
        If the duality gap is above the tolerance.

    References
    ----------
    H. Lee, A. Battle, R. Raina and A. Y. Ng, "Efficient Sparse Coding Algorithms", NIPS (2006),
    algorithm 1; growing working sets as in M. Massias, A. Gramfort and J. Salmon, "Celer: a Fast
    Solver for the Lasso with Dual Extrapolation", ICML (2018), section 3.
    """
    X, y, coef = check_problem(X, y, coef_init)
    parts = penalty.parts(X.shape[1])
    l1, l2 = float(parts.l1.min()), float(parts.l2.max())
    if l1 == 0:
        raise ValueError("penalty must have a positive L1 part for every feature.")
    monitor = Monitor("active_set_newton", X, y, penalty, max_iter=max_iter, tol=tol, record=record)
    start = y @ X / len(y)
    slack = _ROUNDING * float(np.abs(start).max())
    working = _WorkingSet(X, l2)
    solved = False
    while True:
        residual = y - X @ coef
        correlation = residual @ X / len(y)
        out_of_iterations = monitor.done(coef, residual, -correlation)
        new = working.choose(coef, correlation, l1 + slack)
        if solved or out_of_iterations or len(new) == 0:
            return monitor.result(coef)
        working.extend(new)
        features = working.features
        part = _solve_working_set(working.hessian, start[features], l1, coef[features], slack)
        if part is None:
            coef, solved = follow_path(X, y, l1, l2=l2).coefs[:, -1], True
        else:
            coef = np.zeros(len(coef))
            coef[features] = part
