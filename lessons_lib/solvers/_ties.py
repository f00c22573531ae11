r"""Which features move on when several reach the bound together.

At a knot with strength :math:`\alpha` let :math:`A` be the features whose coefficient is not zero
and :math:`T` the tied ones: their coefficient is zero and their correlation with the residual is
:math:`\alpha s_j`. Lowering :math:`\alpha` moves the coefficients along the :math:`d` that solves

.. math::

    \min_d\; \tfrac12 d^\top G d - b^\top d \quad\text{with } d_j = 0 \text{ outside } A \cup T,
    \quad s_j d_j \ge 0 \text{ for } j \in T,

where :math:`G = X^\top X/n + l_2 I` and :math:`b` is :math:`s`, or :math:`s` plus a drift. It is
non-negative least squares. Every step of Lawson and Hanson's method lowers the objective, so that
no set of features occurs twice: unlike with rules that look at one feature at a time, a feature
that left may come back at the same knot, and the search still ends.

C. L. Lawson and R. J. Hanson, *Solving Least Squares Problems* (1974), chapter 23.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lessons_lib._validation import FloatArray

__all__ = ["settle_tie"]

# Of tied features only those join whose correlation would otherwise fall slower than the bound by
# more than this fraction: less is a rounding error.
_SLOWER = 1e-10


class ActiveSet(Protocol):
    """The features in use; each occupies a slot, and a free slot has sign 0."""

    features: NDArray[np.intp]
    signs: FloatArray

    def direction(self, target: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the direction (by slot) whose slopes are ``target`` (by slot), and all slopes."""

    def slopes(self, direction: FloatArray) -> FloatArray:
        """Return how fast the correlation of each feature falls along a direction (by slot)."""

    def coordinates(self, feature: int) -> FloatArray:
        """Return the coefficients of a feature's regression on those in use (by slot)."""

    def join(self, feature: int, sign: float) -> bool:
        """Take a feature into use; return False if it depends linearly on the others."""

    def leave(self, slot: int) -> None:
        """Free a slot."""


class _Tie:
    """The search for the features that move; ``growth`` is :math:`s_j d_j`, by feature."""

    def __init__(self, active: ActiveSet, tied: dict[int, float], drift: FloatArray) -> None:
        self.active, self.tied, self.drift = active, tied, drift
        self.is_tied = np.zeros(len(drift), dtype=bool)
        self.is_tied[list(tied)] = True
        self.barred: set[int] = set()
        self.growth = self.best_growth()

    def best_growth(self) -> FloatArray:
        """Return the growth that is best for the features in use, whatever its signs."""
        active = self.active
        used = active.signs != 0
        features = active.features[used]
        direction, _ = active.direction(active.signs + used * self.drift[active.features])
        growth = np.zeros(len(self.drift))
        growth[features] = (direction * active.signs)[used]
        return growth

    def lags(self) -> dict[int, float]:
        """Return by how much the correlation of each tied feature not in use falls too slowly."""
        active = self.active
        slopes = active.slopes(active.signs * self.growth[active.features]) - self.drift
        used = set(active.features[active.signs != 0].tolist())
        return {j: 1.0 - sign * slopes[j] for j, sign in self.tied.items() if j not in used}

    def slowest(self) -> int | None:
        """Return the tied feature that would exceed the bound most, if there is one."""
        lags = {j: lag for j, lag in self.lags().items() if j not in self.barred}
        feature = max(lags, key=lags.__getitem__, default=None)
        return feature if feature is not None and lags[feature] > _SLOWER else None

    def add(self, feature: int) -> bool:
        """Take a feature into use; where it depends on others, in exchange for one of these."""
        active, sign = self.active, self.tied[feature]
        if active.join(feature, sign):
            return True
        # Growing by t, it takes over from those of which it is a combination.
        loss = sign * active.signs * active.coordinates(feature)
        slots = np.flatnonzero(
            (active.signs != 0) & self.is_tied[active.features] & (loss > _SLOWER)
        )
        if len(slots) == 0:
            return False
        times = self.growth[active.features[slots]] / loss[slots]
        slot, time = int(slots[times.argmin()]), float(times.min())
        used = active.signs != 0
        self.growth[active.features[used]] -= time * loss[used]
        self.remove(slot)
        if not active.join(feature, sign):
            return False
        self.growth[feature] = time
        return True

    def remove(self, slot: int) -> int:
        """Put the feature in a slot out of use and return it."""
        feature = int(self.active.features[slot])
        self.active.leave(slot)
        self.growth[feature] = 0.0
        return feature

    def improve(self, newest: int) -> None:
        """Go to the best growth; a tied feature that would shrink below zero stops there."""
        while True:
            best, features = self.best_growth(), self.active.features
            shrinking = (self.active.signs != 0) & self.is_tied[features] & (best[features] <= 0)
            slots = np.flatnonzero(shrinking)
            if len(slots) == 0:
                self.growth = best
                return
            now, then = self.growth[features[slots]], best[features[slots]]
            fractions = now / np.maximum(now - then, np.finfo(np.float64).tiny)
            self.growth += fractions.min() * (best - self.growth)
            if self.remove(int(slots[fractions.argmin()])) == newest:
                self.barred.add(newest)  # only rounding errors made it join


def settle_tie(active: ActiveSet, tied: dict[int, float], drift: FloatArray) -> list[int]:
    """Take those of the tied features into use that have to move.

    Parameters
    ----------
    active : ActiveSet
        The features whose coefficients are not zero; changed in place.
    tied : dict of int to float
        The tied features, not in use, with the signs of their correlations.
    drift : ndarray of shape (n_features,)
        How fast the correlations with ``y`` rise while the strength falls.

    Returns
    -------
    list of int
        The tied features that stay at the bound without being used, up to the next knot.
    """
    tie = _Tie(active, tied, drift)
    # The number of rounds is about that of the tied features; the bound only stops rounding errors
    # from making the loop endless.
    for _ in range(20 + 10 * len(tied)):
        feature = tie.slowest()
        if feature is None:
            break
        if tie.add(feature):
            tie.improve(feature)
        else:
            tie.barred.add(feature)
    return [feature for feature, lag in tie.lags().items() if lag > -_SLOWER]
