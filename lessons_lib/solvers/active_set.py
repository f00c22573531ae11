r"""The fast exact solver for one strength: guess the active set, solve, correct the guess.

If we knew which features the solution uses, :math:`A`, and their signs :math:`s`, it would solve a
linear system, because the penalty is linear where no sign changes:

.. math:: \big(\tfrac{1}{n} X_A^\top X_A + l_2 I\big)\, w_A = \tfrac{1}{n} X_A^\top y - l_1 s.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import lapack

from lessons_lib._validation import FloatArray
from lessons_lib.penalties import L1, ElasticNet
from lessons_lib.solvers._monitor import (
    ROUNDING_GAP,
    Monitor,
    SolverResult,
    certify,
    check_problem,
    gap_tolerance,
    inexact_gap,
)
from lessons_lib.solvers.coordinate import descend
from lessons_lib.solvers.homotopy import solve_by_homotopy

__all__ = ["active_set_newton"]

IntArray = NDArray[np.intp]

# The first working set holds at most this many features.
_FIRST_WORKING_SET = 30
# A pivot smaller than this, relative to the diagonal, means linearly dependent features.
_DEPENDENT = 1e-10
# Optimality conditions may be violated by this fraction of the largest correlation: rounding.
_ROUNDING = 1e-13
# Coordinate descent that finishes what other methods leave may take this many sweeps, and Newton's
# method after it this many working sets.
_FINISHING_SWEEPS = 2000
_MAX_WORKING_SETS = 100
# The trace of an L2 penalty, as a fraction of the mean square of the features.
_TRACE = 1e-10
# Fractions of a step that are tried until one lowers the objective.
_FRACTIONS = (1.0, 0.5, 0.25, 0.1, 0.03)


@dataclass(frozen=True)
class _Subproblem:
    """The objective restricted to a working set: ½ wᵀHw − bᵀw + l₁‖w‖₁."""

    hessian: FloatArray
    target: FloatArray
    l1: float
    slack: float

    def value(self, coef: FloatArray) -> float:
        """Return the objective, up to a constant."""
        smooth = coef @ (self.hessian @ coef / 2 - self.target)
        return float(smooth + self.l1 * np.abs(coef).sum())

    def solve(self, coef: FloatArray) -> FloatArray | None:
        """Return the minimum, starting from ``coef``; None where guessing signs does not help."""
        value = self.value(coef)
        for _ in range(100):
            correlation = self.target - self.hessian @ coef
            used = coef != 0
            guess = (used | (np.abs(correlation) > self.l1 + self.slack)).nonzero()[0]
            if len(guess) == 0:
                return coef
            signs = np.sign(np.where(used, coef, correlation)[guess])
            solution = self._solve_system(guess, signs)
            if solution is None:
                return None
            candidate = np.zeros_like(coef)
            candidate[guess] = solution
            if (solution * signs > 0).all() and self._is_optimal(candidate, guess):
                return candidate
            step = self._descend(coef, value, guess, signs, solution)
            if step is None:
                return None
            coef, value = step
        return None

    def _solve_system(self, guess: IntArray, signs: FloatArray) -> FloatArray | None:
        """Minimize as if the signs of all coefficients were known; None if that is singular."""
        matrix = self.hessian.take(guess, 0).take(guess, 1)
        # The transpose of a symmetric matrix in row order is the same matrix in LAPACK's order.
        factor, solution, info = lapack.dposv(
            matrix.T, self.target[guess] - self.l1 * signs, overwrite_a=True
        )
        smallest_allowed = _DEPENDENT * self.hessian.diagonal().max()
        if info != 0 or factor.diagonal().min() ** 2 < smallest_allowed:
            return None
        result: FloatArray = solution
        return result

    def _is_optimal(self, coef: FloatArray, guess: IntArray) -> bool:
        """Whether no other feature is more correlated with the residual than allowed."""
        excess = np.abs(self.target - self.hessian @ coef) - (self.l1 + self.slack)
        excess[guess] = 0.0
        return bool(excess.max() <= 0)

    def _descend(
        self,
        coef: FloatArray,
        value: float,
        guess: IntArray,
        signs: FloatArray,
        solution: FloatArray,
    ) -> tuple[FloatArray, float] | None:
        """Go toward ``solution``; coefficients that would change sign stop at zero."""
        for fraction in _FRACTIONS:
            moved = coef[guess] + fraction * (solution - coef[guess])
            moved[moved * signs <= 0] = 0.0
            new = np.zeros_like(coef)
            new[guess] = moved
            new_value = self.value(new)
            if new_value < value:
                return new, new_value
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
        n_new = min(n_candidates, max(2 * n_used, _FIRST_WORKING_SET))
        if self.l2 == 0:
            # Of n features any sign pattern can be fitted, so near that number guesses go wrong.
            n_new = min(n_new, max(4, int(0.4 * (len(self.X) - n_used))))
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
    guesses, is followed instead; should rounding errors spoil that too, coordinate descent
    finishes.

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
    tol = None if tol is None else max(tol, ROUNDING_GAP)
    monitor = Monitor("active_set_newton", X, y, penalty, max_iter=max_iter, tol=tol, record=record)
    coef, solved = _grow_working_set(X, y, l1, l2, coef, monitor)
    if not solved:
        coef, _, _ = solve_exactly(X, y, l1, l2)
        residual = y - X @ coef
        monitor.done(coef, residual, -(residual @ X) / len(y))
    if monitor.tolerance is not None and monitor.gap > monitor.tolerance:
        gaps = certify(X, y, coef[:, None], np.array([l1]), np.array([l2]))
        monitor.gap = min(monitor.gap, float(gaps[0]))
    return monitor.result(coef)


def _grow_working_set(
    X: FloatArray, y: FloatArray, l1: float, l2: float, coef: FloatArray, monitor: Monitor
) -> tuple[FloatArray, bool]:
    """Iterate; return the coefficients, and False if guessing signs has led nowhere."""
    start = y @ X / len(y)
    slack = _ROUNDING * float(np.abs(start).max())
    working = _WorkingSet(X, l2)
    while True:
        residual = y - X @ coef
        correlation = residual @ X / len(y)
        monitor.done(coef, residual, -correlation)  # for the record: a small gap is not enough
        new = working.choose(coef, correlation, l1 + slack)
        if len(new) == 0 or monitor.n_iter >= monitor.max_iter:
            return coef, True
        working.extend(new)
        features = working.features
        part = _Subproblem(working.hessian, start[features], l1, slack).solve(coef[features])
        if part is None:
            return coef, False
        coef = np.zeros(len(coef))
        coef[features] = part


def solve_exactly(
    X: FloatArray, y: FloatArray, l1: float, l2: float
) -> tuple[FloatArray, float, int]:
    """Solve by homotopy, check the solution, and finish it otherwise where it is not exact.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
    l1, l2 : float
        Strengths of the two parts of the penalty; ``l1`` is positive.

    Returns
    -------
    coef : ndarray of shape (n_features,)
    dual_gap : float
    n_iter : int
        Number of steps of the homotopy.
    """
    coef, n_iter = solve_by_homotopy(X, y, l1, l2)
    coefs, gaps = finish(X, y, coef[:, None], np.array([l1]), np.array([l2]))
    return coefs[:, 0], float(gaps[0]), n_iter


def finish(
    X: FloatArray, y: FloatArray, coefs: FloatArray, l1: FloatArray, l2: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Check solutions by their duality gaps, and improve those that are not exact.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
    coefs : ndarray of shape (n_features, n_solutions)
    l1, l2 : ndarrays of shape (n_solutions,)
        Strengths of the two parts of the penalty; those of ``l1`` are positive.

    Returns
    -------
    coefs : ndarray of shape (n_features, n_solutions)
    dual_gaps : ndarray of shape (n_solutions,)
    """
    gaps = certify(X, y, coefs, l1, l2)
    suspects = gaps > ROUNDING_GAP * float(y @ y) / len(y)
    if suspects.any():  # the tolerance itself takes longer to compute
        suspects = gaps > gap_tolerance(X, y, coefs)
    for column in np.flatnonzero(suspects):
        better, gap = _finish_one(X, y, coefs[:, column], float(l1[column]), float(l2[column]))
        if gap < gaps[column]:
            coefs[:, column], gaps[column] = better, gap
    return coefs, gaps


def _finish_one(
    X: FloatArray, y: FloatArray, coef: FloatArray, l1: float, l2: float
) -> tuple[FloatArray, float]:
    """Guess signs from several starts, from the fastest to the slowest, until that is exact."""
    penalty = ElasticNet(l1 + l2, l1 / (l1 + l2))
    best, best_gap = coef, np.inf
    for start in _starts(X, y, coef, penalty, l1, l2):
        newton = Monitor("", X, y, penalty, max_iter=_MAX_WORKING_SETS, tol=None, record=False)
        guessed, _ = _grow_working_set(X, y, l1, l2, start, newton)
        for candidate in (start, guessed):
            gap = certify(X, y, candidate[:, None], np.array([l1]), np.array([l2]))[0]
            if gap < best_gap:
                best, best_gap = candidate, gap
        if best_gap <= inexact_gap(X, y, best[:, None])[0]:
            break
    return best, best_gap


def _starts(
    X: FloatArray, y: FloatArray, coef: FloatArray, penalty: ElasticNet, l1: float, l2: float
) -> Iterator[FloatArray]:
    """Yield coefficients close to the solution."""
    yield coef
    # A trace of an L2 penalty tells dependent features apart.
    trace = _TRACE * float(np.einsum("ij,ij->", X, X)) / X.size
    yield solve_by_homotopy(X, y, l1, l2 + trace)[0]
    sweeps = Monitor("", X, y, penalty, max_iter=_FINISHING_SWEEPS, tol=ROUNDING_GAP, record=False)
    yield descend(X, y, penalty, coef.copy(), sweeps)
