r"""The exact lasso path: a polygon, followed from corner to corner.

At a lasso solution every feature in use has the same absolute correlation with the residual,
:math:`|x_j^\top r|/n = \alpha`, and no other feature has more. While the set :math:`A` of features
in use and their signs :math:`s` stay the same, the solution is therefore linear in
:math:`\alpha`: lowering it by :math:`\gamma` moves the coefficients by :math:`\gamma d` and the
correlations by :math:`-\gamma a`, where

.. math:: d = \big(\tfrac{1}{n} X_A^\top X_A\big)^{-1} s, \qquad a = \tfrac{1}{n} X^\top X_A d.

The line ends where another feature reaches the correlation :math:`\alpha` and joins, or where a
coefficient reaches zero and leaves. Each such corner, or knot, changes the inverse matrix by a
rank-one term.

Where several features reach the bound together, a tie, :math:`d` itself solves a small problem: of
the features whose coefficient is zero, those in use must move away from zero, and the others must
not exceed the bound,

.. math::

    s_j d_j \ge 0, \qquad s_j a_j \ge 1, \qquad s_j d_j\,(s_j a_j - 1) = 0.

These are the optimality conditions of least squares with non-negative coefficients, and the method
of Lawson and Hanson, which cannot run in circles, finds the set in use.

M. R. Osborne, B. Presnell and B. A. Turlach, "A New Approach to Variable Selection in Least Squares
Problems", IMA J. Numer. Anal. 20 (2000); B. Efron, T. Hastie, I. Johnstone and R. Tibshirani,
"Least Angle Regression", Ann. Statist. 32 (2004), section 3.1; C. L. Lawson and R. J. Hanson,
*Solving Least Squares Problems* (1974), chapter 23, for ties.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg
from scipy.linalg import blas
from sklearn.exceptions import ConvergenceWarning

from lessons_lib._validation import FloatArray, check_flag, check_integer, check_interval
from lessons_lib.solvers._monitor import certify, check_problem, inexact_gap
from lessons_lib.solvers._ties import settle_tie

__all__ = ["HomotopyPath", "homotopy"]

IntArray = NDArray[np.intp]

# Distances of zero, to be divided by, are replaced by this.
_TINY = 1e-300
# A feature whose squared distance from the span of those in use is smaller than this fraction of
# its square is in the span; below the other fraction the distance is computed with more care.
_DEPENDENT = 1e-12
_NEARLY_DEPENDENT = 1e-4
# Rounding errors are removed after this many knots, and at the end of all but short walks.
_RECOMPUTE_EVERY = 50
_FEW_STEPS = 10
# Features are tied if they reach the bound, or zero, within this fraction of the largest alpha.
_TIED = 1e-11
# A tie is not settled more often than this without progress.
_MAX_STALLS = 20
# A direction is corrected, if necessary several times, until its slopes are as accurate as this.
_ACCURATE = 1e-12
_REFINEMENTS = 3
# A path has at most 3^n_features knots, and in practice a small multiple of n_features. This limit
# is there so that no data can make a loop endless.
_MAX_STEPS = 1_000_000
# Slots for features in use are added in portions of this size.
_SLOTS = 64


@dataclass(frozen=True, eq=False)
class HomotopyPath:
    r"""A piecewise linear path of solutions.

    Attributes
    ----------
    alphas : ndarray of shape (n_knots,)
        The knots, in decreasing order. The first is the smallest :math:`\alpha` at which all
        coefficients are zero.
    coefs : ndarray of shape (n_features, n_knots)
        The solutions at the knots.
    events : list of (str, int)
        What happens at each knot but the last: ``("join", feature)`` or ``("leave", feature)``.
    active : list of int
        The features in use at the end, in the order in which they joined.
    converged : bool
        Whether the path reached ``alpha_min``.
    dual_gaps : ndarray of shape (n_knots,)
        Duality gaps at the knots. Up to rounding they are zero for lasso and Elastic Net, which
        certifies the path; least angle regression minimizes nothing.
    """

    alphas: FloatArray
    coefs: FloatArray
    events: list[tuple[str, int]]
    active: list[int]
    converged: bool
    dual_gaps: FloatArray = field(default_factory=lambda: np.empty(0))

    def coef_at(self, alphas: ArrayLike) -> FloatArray:
        """Return the exact solutions at any strengths, by interpolation between the knots.

        Parameters
        ----------
        alphas : float or array-like of shape (n_alphas,)
            Strengths; before the first knot the solution is zero.

        Returns
        -------
        ndarray of shape (n_features,) or (n_features, n_alphas)
            The solutions.

        Raises
        ------
        ValueError
            If a strength is below the end of the path.
        """
        wanted = np.asarray(alphas, dtype=np.float64)
        if not (wanted >= self.alphas[-1]).all():
            raise ValueError(
                f"alphas must be at least {self.alphas[-1]:.6g}, where this path ends, "
                f"got {alphas!r}."
            )
        coefs = np.zeros(wanted.shape + self.coefs.shape[:1])
        if len(self.alphas) == 1:
            return coefs.T
        right = np.searchsorted(-self.alphas, -wanted).clip(1, len(self.alphas) - 1)
        left = right - 1
        width = np.maximum(self.alphas[left] - self.alphas[right], _TINY)
        fraction = ((self.alphas[left] - wanted) / width).clip(0.0, 1.0)
        # All features that never joined have coefficients of zero.
        joined = sorted({feature for _, feature in self.events})
        knots = self.coefs[joined].T
        start, end = knots[left], knots[right]
        coefs[..., joined] = start + fraction[..., None] * (end - start)
        return coefs.T


def _order_of_entry(events: list[tuple[str, int]]) -> list[int]:
    """Return the features that joined and did not leave, the first to join first."""
    active: dict[int, None] = {}
    for event, feature in events:
        if event == "join":
            active[feature] = None
        else:
            del active[feature]
    return list(active)


class _ActiveSet:
    r"""The features in use, their coefficients, and :math:`(X_A^\top X_A/n + l_2 I)^{-1}`.

    Each feature in use occupies a slot. Free slots have sign 0, and zeros in their row and column
    of the inverse, so that products with the whole matrix need no selection.
    """

    def __init__(self, X: FloatArray, l2: float) -> None:
        n_samples, n_features = X.shape
        self.X, self.l2 = X, l2
        self.gram: FloatArray | None = None
        if n_features <= n_samples:
            # All products between features are worth computing: slot j belongs to feature j.
            self.gram = X.T @ X
            self.gram /= n_samples
            n_slots = n_features
            self.features = np.arange(n_features)
        else:
            n_slots = _SLOTS
            self.features = np.zeros(n_slots, dtype=np.intp)
            self.rows = np.zeros((n_slots, n_samples))  # the columns of X in use
        self.signs = np.zeros(n_slots)
        self.sizes = np.zeros(n_slots)  # coefficients times signs
        # Symmetric, so only the upper triangle is kept; column order lets BLAS update it in place.
        self.inverse = np.zeros((n_slots, n_slots), order="F")

    def snapshot(self) -> tuple[IntArray, FloatArray]:
        """Return features and their coefficients; those of all others are zero."""
        by_slot: FloatArray = self.signs * self.sizes
        if self.gram is not None:
            return self.features, by_slot
        used = self.signs != 0
        return self.features[used], by_slot[used]

    def coef(self) -> FloatArray:
        """Return the coefficients of all features."""
        coef = np.zeros(self.X.shape[1])
        features, values = self.snapshot()
        coef[features] = values
        return coef

    def times_inverse(self, vector: FloatArray) -> FloatArray:
        """Return the product of the inverse with a vector (by slot)."""
        product: FloatArray = blas.dsymv(1.0, self.inverse, vector)
        return product

    def slopes(self, direction: FloatArray) -> FloatArray:
        """Return how fast the correlation of each feature falls along a direction (by slot)."""
        if self.gram is not None:
            slopes: FloatArray = self.gram @ direction
        else:
            slopes = ((direction @ self.rows) / len(self.X)) @ self.X
        if self.l2:
            used = self.signs != 0
            slopes[self.features[used]] += self.l2 * direction[used]
        return slopes

    def direction(self, target: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the direction (by slot) whose slopes are ``target`` (by slot), and all slopes."""
        used = self.signs != 0
        direction = self.times_inverse(target)
        slopes = self.slopes(direction)
        for _ in range(_REFINEMENTS):
            # Where the inverse is inaccurate, the difference corrects the direction.
            error = used * (target - slopes[self.features])
            if np.abs(error).max() < _ACCURATE:
                break
            direction += self.times_inverse(error)
            slopes = self.slopes(direction)
        return direction, slopes

    def join(self, feature: int, sign: float) -> bool:
        """Take a feature into use, at zero; return False if it depends linearly on the others."""
        if self.gram is not None:
            slot, products = feature, self.gram[feature]
            square = products[feature] + self.l2
        else:
            slot, column = self._free_slot(), self.X[:, feature].copy()
            products = self.rows @ column / len(self.X)
            square = column @ column / len(self.X) + self.l2
        u = self.times_inverse(products)
        distance = square - products @ u
        nearly_dependent = distance < _NEARLY_DEPENDENT * square
        if nearly_dependent and self._distance(feature, u) <= _DEPENDENT * square:
            return False
        if self.gram is None:
            self.features[slot] = feature
            self.rows[slot] = column
        self.signs[slot], self.sizes[slot] = sign, 0.0
        if nearly_dependent:
            self._invert()
        else:
            u[slot] = -1.0
            self.inverse = blas.dsyr(1.0 / distance, u, a=self.inverse, overwrite_a=True)
        return True

    def _distance(self, feature: int, u: FloatArray) -> float:
        """Return the squared distance of a feature from the span of those in use.

        As a difference of squares it loses its digits when it is small. The residual of the
        regression on those in use, with coefficients ``u`` that are improved first, does not.
        """
        used = self.signs != 0
        columns, target = self.X[:, self.features[used]], self.X[:, feature]
        for _ in range(2):
            error = np.zeros(len(u))
            error[used] = columns.T @ (target - columns @ u[used]) / len(self.X) - self.l2 * u[used]
            u = u + self.times_inverse(error)
        residual = target - columns @ u[used]
        return float(residual @ residual / len(self.X) + self.l2 * (1.0 + u @ u))

    def coordinates(self, feature: int) -> FloatArray:
        """Return the coefficients of a feature's regression on those in use (by slot)."""
        if self.gram is not None:
            return self.times_inverse(self.gram[feature])
        return self.times_inverse(self.rows @ self.X[:, feature] / len(self.X))

    def leave(self, slot: int) -> None:
        """Free a slot."""
        u = self.times_inverse(np.eye(1, len(self.signs), slot)[0])
        feature = self.X[:, self.features[slot]]
        nearly_dependent = u[slot] * (feature @ feature) > len(feature) / _NEARLY_DEPENDENT
        self.signs[slot] = self.sizes[slot] = 0.0
        if nearly_dependent:
            self._invert()
        else:
            self.inverse = blas.dsyr(-1.0 / u[slot], u, a=self.inverse, overwrite_a=True)
        self.inverse[:, slot] = self.inverse[slot, :] = 0.0

    def change_l2(self, l2: float) -> None:
        """Continue with another L2 strength."""
        self.l2 = l2
        self._invert()

    def _invert(self) -> None:
        """Compute the inverse anew, where a rank-one update would cancel most digits."""
        used = np.flatnonzero(self.signs)
        if self.gram is not None:
            products = self.gram[np.ix_(used, used)]
        else:
            products = self.rows[used] @ self.rows[used].T / len(self.X)
        products.flat[:: len(used) + 1] += self.l2
        self.inverse[np.ix_(used, used)] = linalg.inv(products, check_finite=False)

    def _free_slot(self) -> int:
        """Return a free slot, after adding some if there is none."""
        slot = int((self.signs == 0).argmax())
        if self.signs[slot] == 0:
            return slot
        n_slots, more = len(self.signs), (0, _SLOTS)
        self.features = np.pad(self.features, more)
        self.signs = np.pad(self.signs, more)
        self.sizes = np.pad(self.sizes, more)
        self.rows = np.pad(self.rows, (more, (0, 0)))
        self.inverse = np.asfortranarray(np.pad(self.inverse, (more, more)))
        return n_slots


class _Walk:
    """A walk along the path: where it is, and what happens there."""

    def __init__(self, X: FloatArray, y: FloatArray, l2: float, *, leaves: bool = True) -> None:
        self.leaves = leaves
        self.active = _ActiveSet(X, l2)
        self.start = y @ X / len(y)  # correlations with y
        self.correlation = self.start.copy()  # correlations with the residual
        # Correlation and slope are kept at 0 for features that must not join: those in use, those
        # that depend on them, and those that a tie has left at the bound until the next knot.
        self.candidate = np.ones(X.shape[1])
        self.dependent: list[int] = []
        self.resting: list[int] = []
        self.joining = int(np.abs(self.start).argmax())
        self.leaving = -1
        self.alpha = abs(float(self.start[self.joining]))
        # Correlations below this are rounding errors: the path has ended.
        noise = float(np.linalg.norm(X) * np.linalg.norm(y)) / len(y)
        self.negligible = max(1e-13 * self.alpha, 1e-15 * noise)
        self.tied_below = _TIED * self.alpha
        # A coefficient is zero if its part of the prediction is so small a fraction of y.
        lengths = np.maximum(np.linalg.norm(X, axis=0), _TINY)
        self.zero_size = _TIED * float(np.linalg.norm(y)) / lengths
        self.n_stalls, self.settled_at = 0, np.inf
        self.at_knot = self.alpha > self.negligible
        self.step = np.inf
        self.n_steps, self.recompute_at = 0, _RECOMPUTE_EVERY
        # Where to end, and how fast the correlations with y rise on the way there; see `move`.
        self.alpha_end = 0.0
        self.drift: FloatArray | None = None

    def change(self) -> list[tuple[str, int]]:
        """Let the feature found by the last step join or leave; return what happened.

        That is nothing if the feature that should join depends linearly on those in use, and can be
        several events where features are tied.
        """
        if self.step <= self._tie_width() and self.leaves:
            return self._settle()
        if self.resting:
            self._release(self.resting)
        return self._join() if self.leaving < 0 else self._leave()

    def _join(self) -> list[tuple[str, int]]:
        """Take the next feature into use."""
        feature = self.joining
        sign = float(np.sign(self.correlation[feature]))
        self.correlation[feature] = self.candidate[feature] = 0.0
        if self.active.join(feature, sign):
            return [("join", feature)]
        self.dependent.append(feature)
        return []

    def _leave(self) -> list[tuple[str, int]]:
        """Put the feature whose coefficient has reached zero out of use."""
        feature = int(self.active.features[self.leaving])
        sign = float(self.active.signs[self.leaving])
        self.active.leave(self.leaving)
        self.candidate[feature], self.correlation[feature] = 1.0, sign * self.alpha
        if self.dependent:  # perhaps on this one
            self._release(self.dependent)
        return [("leave", feature)]

    def _release(self, features: list[int]) -> None:
        """Allow features to join again."""
        self.candidate[features] = 1.0
        features.clear()
        self.recompute_correlation()

    def _tie_width(self) -> float:
        """Return the length up to which a step counts as none."""
        return max(self.negligible, min(self.tied_below, 1e-6 * self.alpha))

    def _settle(self) -> list[tuple[str, int]]:
        """Decide which of the features that reach the bound, or zero, together move on."""
        active = self.active
        self.n_stalls = self.n_stalls + 1 if self.alpha > self.settled_at - self.negligible else 0
        self.settled_at = self.alpha
        before = set(active.features[active.signs != 0].tolist())
        tied = self._take_out_zeros()
        self.dependent.clear()
        self.candidate = np.ones(len(self.start))
        self.candidate[active.features[active.signs != 0]] = 0.0
        self.recompute_correlation()
        at_bound = np.abs(self.correlation) >= self.alpha - self._tie_width()
        tied |= {int(j): float(np.sign(self.correlation[j])) for j in np.flatnonzero(at_bound)}
        drift = np.zeros(len(self.start)) if self.drift is None else self.drift
        self.resting = settle_tie(active, tied, drift)
        after = set(active.features[active.signs != 0].tolist())
        if self.n_stalls > 1 and self.leaving < 0 and self.joining not in after:
            self.resting.append(self.joining)  # only rounding errors make it try again and again
        self.candidate[[*after, *self.resting]] = 0.0
        self.correlation = self._correlations() * self.candidate
        left = [("leave", feature) for feature in sorted(before - after)]
        return left + [("join", feature) for feature in sorted(after - before)]

    def _take_out_zeros(self) -> dict[int, float]:
        """Put features whose coefficient is zero out of use; return them with their signs."""
        active, zeros = self.active, {}
        for slot in np.flatnonzero(active.signs):
            feature = int(active.features[slot])
            if active.sizes[slot] <= self.zero_size[feature]:
                zeros[feature] = float(active.signs[slot])
                active.leave(int(slot))
        return zeros

    @property
    def stuck(self) -> bool:
        """Whether rounding errors keep a tie from being settled, or the path is endless."""
        return self.n_stalls > _MAX_STALLS or self.n_steps > _MAX_STEPS

    def advance(self) -> None:
        """Go to the next knot, or to ``alpha_end`` if that comes first."""
        active = self.active
        direction, slopes = self._direction()
        slopes *= self.candidate
        growth = direction * active.signs
        join_at, self.joining = self._first_to_join(slopes)
        leave_at, slot = self._first_to_leave(growth) if self.leaves else (np.inf, -1)
        self.leaving = slot if leave_at < join_at else -1
        self.step, remaining = min(join_at, leave_at), self.alpha - self.alpha_end
        # When least squares is reached, all features reach correlation 0 together: no knot.
        self.at_knot = self.step < remaining * (1.0 - 1e-9)
        if not self.at_knot:
            self.step = remaining
        self.alpha = self.alpha - self.step if self.at_knot else self.alpha_end
        active.sizes += self.step * growth
        self.correlation -= self.step * slopes
        self.n_steps += 1
        if self.at_knot and self.leaving >= 0:
            active.sizes[self.leaving] = 0.0  # exactly
        elif self.n_steps >= self.recompute_at or (self.n_steps > _FEW_STEPS and not self.at_knot):
            self.recompute_correlation()

    def _direction(self) -> tuple[FloatArray, FloatArray]:
        """Return how the coefficients move (by slot), and how fast each correlation falls."""
        active, drift = self.active, self.drift
        if drift is None:
            return active.direction(active.signs)
        used = active.signs != 0
        direction, slopes = active.direction(active.signs + used * drift[active.features])
        return direction, slopes - drift

    def recompute_correlation(self) -> None:
        """Compute the correlations anew, and correct the coefficients by what they should be.

        This removes accumulated rounding errors: every feature in use must have correlation alpha.
        """
        active = self.active
        correlation = self._correlations()
        used = active.signs != 0
        error = np.zeros(len(used))
        error[used] = correlation[active.features[used]] - self.alpha * active.signs[used]
        active.sizes += active.signs * active.times_inverse(error)
        self.correlation = correlation * self.candidate
        self.recompute_at = self.n_steps + _RECOMPUTE_EVERY

    def _correlations(self) -> FloatArray:
        """Return the correlations with the residual, computed from the coefficients."""
        correlation = self.start - self.active.slopes(self.active.signs * self.active.sizes)
        if self.drift is not None:
            correlation -= (self.alpha - self.alpha_end) * self.drift
        return correlation

    def _first_to_join(self, slopes: FloatArray) -> tuple[float, int]:
        """Return by how much alpha may fall until a feature reaches the bound, and which one.

        The time is the distance to the bound, +alpha or -alpha, over the speed at which it closes.
        We look for the largest speed over distance instead: moving away is a negative speed.
        """
        upper = (1.0 - slopes) / np.maximum(self.alpha - self.correlation, _TINY)
        lower = (1.0 + slopes) / np.maximum(self.alpha + self.correlation, _TINY)
        j, k = int(upper.argmax()), int(lower.argmax())
        if lower[k] > upper[j]:
            return 1.0 / float(lower[k]), k
        return 1.0 / float(upper[j]), j

    def _first_to_leave(self, growth: FloatArray) -> tuple[float, int]:
        """Return by how much alpha may fall until a coefficient reaches zero, and its slot."""
        decay = -growth / np.maximum(self.active.sizes, _TINY)
        slot = int(decay.argmax())
        return (1.0 / float(decay[slot]) if decay[slot] > 0 else np.inf), slot

    def follow(self, alpha_min: float, max_iter: int) -> HomotopyPath:
        """Walk to ``alpha_min`` and keep all knots."""
        alphas, snapshots = [self.alpha], [self.active.snapshot()]
        events: list[tuple[str, int]] = []
        self.alpha_end = alpha_min
        self.at_knot = self.alpha > max(alpha_min, self.negligible)
        while self._goes_on() and len(events) < max_iter:
            happened = self.change()
            if not happened and len(alphas) > 1:  # no knot after all
                del alphas[-1], snapshots[-1]
            if happened:
                snapshots[-1] = self.active.snapshot()  # who left has exactly zero
            for _ in happened[1:]:  # one knot for each event
                alphas.append(self.alpha)
                snapshots.append(snapshots[-1])
            events += happened
            self.advance()
            alphas.append(self.alpha)
            snapshots.append(self.active.snapshot())
        coefs = np.zeros((len(alphas), len(self.start)))
        for row, (features, values) in zip(coefs, snapshots, strict=True):
            row[features] = values
        return HomotopyPath(
            alphas=np.array(alphas),
            coefs=coefs.T,
            events=events,
            active=_order_of_entry(events),
            converged=not self.at_knot or self.alpha <= self.negligible,
        )

    def _goes_on(self) -> bool:
        """Whether there is another knot to go to."""
        return self.at_knot and self.alpha > self.negligible and not self.stuck

    def move(self, alpha: float, l2: float) -> None:
        """Walk from the solution for the present strengths to the one for smaller ones.

        With another L2 strength the present solution still solves a problem, one in which the
        correlations with y are shifted by the change of the L2 gradient. While alpha decreases, the
        shift is taken back in proportion, so that the path remains piecewise linear.
        """
        self.alpha_end, self.drift = alpha, None
        if l2 != self.active.l2:
            self.drift = (self.active.l2 - l2) / (self.alpha - alpha) * self.active.coef()
            self.active.change_l2(l2)
        if self.resting:  # in another direction they may have to join
            self._release(self.resting)
        while self.alpha > max(alpha, self.negligible) and not self.stuck:
            if self.at_knot:
                self.change()
            self.advance()


def solve_by_homotopy(X: FloatArray, y: FloatArray, l1: float, l2: float) -> tuple[FloatArray, int]:
    """Return the solution for one pair of strengths, and the number of steps to it.

    Up to rounding it is exact; `lessons_lib.solvers.active_set.solve_exactly` checks it.
    """
    with np.errstate(over="ignore"):
        walk = _Walk(X, y, l2)
        if l1 < walk.alpha:
            walk.move(l1, l2)
    return walk.active.coef(), walk.n_steps


def solve_grid_by_homotopy(
    X: FloatArray, y: FloatArray, l1: FloatArray, l2: FloatArray
) -> FloatArray:
    """Return solutions for decreasing pairs of strengths, (n_features, n_strengths), unchecked."""
    if not l2.any():
        path = follow_path(X, y, float(l1[-1]))
        return path.coef_at(np.maximum(l1, path.alphas[-1]))
    coefs = np.zeros((X.shape[1], len(l1)))
    with np.errstate(over="ignore"):
        walk = _Walk(X, y, 0.0)
        for column, (strength, quadratic) in enumerate(zip(l1, l2, strict=True)):
            if strength < walk.alpha:
                walk.move(float(strength), float(quadratic))
            coefs[:, column] = walk.active.coef()
    return coefs


def homotopy(
    X: ArrayLike,
    y: ArrayLike,
    *,
    alpha_min: float = 0.0,
    l2: float = 0.0,
    leave: bool = True,
    max_iter: int = 100_000,
) -> HomotopyPath:
    r"""Follow the exact path of lasso solutions from zero coefficients to ``alpha_min``.

    .. math::

        w(\alpha) = \arg\min_w \tfrac{1}{2n}\lVert y - Xw\rVert_2^2 + \alpha\lVert w\rVert_1
        + \tfrac{l_2}{2}\lVert w\rVert_2^2

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Centered, if the model has an intercept.
    y : array-like of shape (n_samples,)
        Centered, if the model has an intercept.
    alpha_min : float, default=0.0
        Where to end. The path to 0 ends at least squares.
    l2 : float, default=0.0
        Constant strength :math:`l_2` of an additional L2 penalty: the Elastic Net path of Zou and
        Hastie.
    leave : bool, default=True
        Whether a feature leaves when its coefficient reaches zero. False gives least angle
        regression, which differs from the lasso from the first such event on.
    max_iter : int, default=100_000
        Largest number of knots.

    Returns
    -------
    HomotopyPath
        All knots. Between them the solution is linear.

    Raises
    ------
    ValueError
        If the data are not finite numbers of matching shapes, or an argument is out of range.

    Warns
    -----
    ConvergenceWarning
        If ``alpha_min`` is not reached, or the duality gaps show that the path is not exact.

    Notes
    -----
    Of features that are linearly dependent, only those that join first are used. The solution is
    not unique then.

    References
    ----------
    B. Efron, T. Hastie, I. Johnstone and R. Tibshirani, "Least Angle Regression", Ann. Statist. 32
    (2004), eqs. 2.13 and 3.6; H. Zou and T. Hastie, "Regularization and Variable Selection via the
    Elastic Net", JRSS B 67 (2005), section 3.4.

    Examples
    --------
    >>> import numpy as np
    >>> path = homotopy(np.eye(2), [4.0, 2.0])
    >>> print(path.alphas, path.events)
    [2. 1. 0.] [('join', 0), ('join', 1)]
    >>> print(path.coefs)
    [[0. 2. 4.]
     [0. 0. 2.]]
    """
    X, y, _ = check_problem(X, y, None)
    alpha_min = check_interval("alpha_min", alpha_min)
    l2 = check_interval("l2", l2)
    leave = check_flag("leave", leave)
    max_iter = check_integer("max_iter", max_iter, 0)
    path = follow_path(X, y, alpha_min, l2=l2, leave=leave, max_iter=max_iter)
    gaps = certify(X, y, path.coefs, path.alphas, np.full(len(path.alphas), l2))
    _warn_of_flaws(path, gaps, inexact_gap(X, y, path.coefs), alpha_min, max_iter, leave)
    return replace(path, dual_gaps=gaps)


def _warn_of_flaws(
    path: HomotopyPath,
    gaps: FloatArray,
    tolerances: FloatArray,
    alpha_min: float,
    max_iter: int,
    leave: bool,
) -> None:
    """Warn if the path is shorter than asked for, or not exact."""
    message = ""
    if not path.converged:
        message = (
            f"homotopy stopped after {len(path.events)} knots at alpha={path.alphas[-1]:.3g}, "
            f"before alpha_min={alpha_min:.3g}."
        )
        if len(path.events) >= max_iter:
            message += " Increase max_iter."
    elif leave and (gaps > tolerances).any():  # least angle regression has no such certificate
        message = (
            f"homotopy is inexact: the duality gap reaches {gaps.max():.3g} at alpha="
            f"{path.alphas[gaps.argmax()]:.3g}, more than rounding errors explain. Columns of X "
            "may be nearly dependent; lasso_path finishes such strengths by another method."
        )
    if message:
        warnings.warn(message, ConvergenceWarning, stacklevel=3)


def follow_path(
    X: FloatArray,
    y: FloatArray,
    alpha_min: float,
    *,
    l2: float = 0.0,
    leave: bool = True,
    max_iter: int = 100_000,
) -> HomotopyPath:
    """Do what `homotopy` does, for arguments that have been checked, and without its warnings."""
    with np.errstate(over="ignore"):  # a speed divided by a distance of almost nothing
        return _Walk(X, y, l2, leaves=leave).follow(alpha_min, max_iter)
