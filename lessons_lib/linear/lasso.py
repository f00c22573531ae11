"""Lasso and Elastic Net for one penalty strength."""

from __future__ import annotations

from typing import ClassVar, Self

from numpy.typing import ArrayLike

from lessons_lib import penalties
from lessons_lib._validation import (
    FloatArray,
    check_data,
    check_flag,
    check_integer,
    check_interval,
)
from lessons_lib.linear._base import LinearModel, center, check_weights
from lessons_lib.linear.ridge import Spectrum
from lessons_lib.solvers import (
    active_set_newton,
    coordinate_descent,
    duality_gap,
    fista,
    ista,
    subgradient_descent,
)
from lessons_lib.solvers._monitor import ROUNDING_GAP, inexact_gap, warn_not_exact
from lessons_lib.solvers.active_set import solve_exactly

__all__ = ["ElasticNet", "Lasso"]

# With fewer features than this the path from zero is so short that no guess is faster.
_FEW = 32

_ITERATIVE_SOLVERS = {
    "active_set": active_set_newton,
    "coordinate_descent": coordinate_descent,
    "fista": fista,
    "ista": ista,
    "subgradient": subgradient_descent,
}


class ElasticNet(LinearModel):
    r"""Least squares with a mixture of L1 and L2 penalty.

    .. math::

        \min_{w,b}\; \tfrac{1}{2n} \lVert y - Xw - b \rVert_2^2
        + \alpha\big(\rho \lVert w \rVert_1 + \tfrac{1-\rho}{2} \lVert w \rVert_2^2\big)

    This is the house objective with :math:`\lambda = \alpha`, and scikit-learn's. The intercept
    is not penalized.

    Parameters
    ----------
    alpha : float, default=1.0
        Penalty strength :math:`\alpha \ge 0`. With 0 the result is least squares, and among
        several least-squares solutions the one of minimum norm.
    l1_ratio : float, default=0.5
        Mixture :math:`\rho` between 0 (ridge, solved in closed form) and 1 (lasso).
    fit_intercept : bool, default=True
        Whether to fit :math:`b`.
    solver : str, default="active_set"
        ``"active_set"`` (fast, and exact up to rounding), ``"homotopy"`` (exact; follows the path
        from zero, as ``"active_set"`` does for fewer than 32 features),
        ``"coordinate_descent"``, ``"fista"``, ``"ista"`` or ``"subgradient"``: the functions of
        :mod:`lessons_lib.solvers`.
    max_iter : int, default=1000
        Largest number of iterations of the solver. A homotopy path is always followed to its end.
    tol : float, default=1e-4
        Largest duality gap, as a fraction of the mean square of the centered ``y``, at which
        iterative solvers may stop.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients :math:`w`.
    intercept_ : float
        Intercept :math:`b`; 0.0 without ``fit_intercept``.
    n_iter_ : int
        Number of iterations of the solver; of corners where the path from zero was followed.
    dual_gap_ : float
        Duality gap: how far the objective may at most be above its minimum.
    n_features_in_ : int
        Number of features seen in ``fit``.

    References
    ----------
    H. Zou and T. Hastie, "Regularization and Variable Selection via the Elastic Net", JRSS B 67
    (2005), eq. 3, in the parametrization of J. Friedman, T. Hastie and R. Tibshirani,
    "Regularization Paths for Generalized Linear Models via Coordinate Descent", J. Stat. Softw.
    33 (2010), eq. 2.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[0.0], [1.0], [2.0]]), np.array([1.0, 3.0, 5.0])
    >>> model = ElasticNet(alpha=0.5, l1_ratio=0.5).fit(X, y)
    >>> print(model.coef_.round(3), round(model.intercept_, 3))
    [1.182] 1.818
    """

    n_iter_: int
    dual_gap_: float

    _left_out: ClassVar[dict[str, str]] = {
        "copy_X": "the data are never changed",
        "positive": "the path and the active-set method are written for both signs",
        "precompute": "the solvers decide themselves whether products of features pay off",
        "random_state": "nothing is random",
        "selection": "coordinate descent is cyclic, so that its results repeat",
        "warm_start": "an exact fit needs no start; the functions of lessons_lib.solvers take "
        "coef_init",
    }

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        l1_ratio: float = 0.5,
        fit_intercept: bool = True,
        solver: str = "active_set",
        max_iter: int = 1000,
        tol: float = 1e-4,
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: float | ArrayLike | None = None
    ) -> Self:
        r"""Fit the model.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : float or array-like of shape (n_samples,), optional
            Weights :math:`v_i \ge 0`. The mean of squares becomes the weighted mean
            :math:`\sum_i v_i (\ldots)^2 / 2\sum_i v_i`, so that a weight of 2 counts like a
            sample given twice, and only ratios of weights matter.

        Returns
        -------
        Self
            The fitted estimator itself.

        Raises
        ------
        TypeError
            If a parameter has the wrong type.
        ValueError
            If a parameter is out of range, or the data are not finite numbers of matching shapes.

        Warns
        -----
        ConvergenceWarning
            If the solver does not reach the tolerance within ``max_iter`` iterations.
        """
        alpha = check_interval("alpha", self.alpha)
        l1_ratio = check_interval("l1_ratio", self.l1_ratio, 0.0, 1.0)
        fit_intercept = check_flag("fit_intercept", self.fit_intercept)
        tol = check_interval("tol", self.tol)
        max_iter = check_integer("max_iter", self.max_iter, 1)
        if self.solver != "homotopy" and self.solver not in _ITERATIVE_SOLVERS:
            names = ", ".join(sorted([*_ITERATIVE_SOLVERS, "homotopy"]))
            raise ValueError(f"solver must be one of {names}, got {self.solver!r}.")
        X, y = check_data(X, y, estimator=self)
        data = center(X, y, fit_intercept, check_weights(sample_weight, X))
        penalty = data.penalty(alpha, l1_ratio)
        coef = self._solve(data.X, data.y, penalty, max_iter, tol)
        self.dual_gap_ = self.dual_gap_ * data.y_scale * data.y_scale
        self._set_solution(coef, data)
        return self

    def _solve(
        self,
        X: FloatArray,
        y: FloatArray,
        penalty: penalties.ElasticNet,
        max_iter: int,
        tol: float,
    ) -> FloatArray:
        """Return the coefficients for centered data, after storing how they were reached."""
        l1, l2 = penalty.alpha * penalty.l1_ratio, penalty.alpha * (1.0 - penalty.l1_ratio)
        if l1 == 0.0:  # least squares or ridge
            coef, n_iter = Spectrum.from_svd(X, y).coef(len(y) * l2), 1
            self.dual_gap_ = duality_gap(X, y, coef, penalty)
        elif self.solver == "homotopy" or (self.solver == "active_set" and X.shape[1] < _FEW):
            coef, self.dual_gap_, n_iter = solve_exactly(X, y, l1, l2)
            self._warn_if_inexact(X, y, coef, tol)
        else:
            solver = _ITERATIVE_SOLVERS[self.solver]
            result = solver(X, y, penalty, max_iter=max_iter, tol=tol)
            coef, self.dual_gap_, n_iter = result.coef, result.dual_gap, result.n_iter
        # By scikit-learn's contract a fit counts as at least one iteration.
        self.n_iter_ = max(n_iter, 1)
        return coef

    def _warn_if_inexact(self, X: FloatArray, y: FloatArray, coef: FloatArray, tol: float) -> None:
        """Warn if the duality gap is above the tolerance, and not explained by rounding."""
        above_tol = self.dual_gap_ > max(tol, ROUNDING_GAP) * float(y @ y) / len(y)
        if above_tol and self.dual_gap_ > inexact_gap(X, y, coef[:, None])[0]:
            warn_not_exact("The solution", self.dual_gap_)


class Lasso(ElasticNet):
    r"""Least squares with an L1 penalty.

    .. math::

        \min_{w,b}\; \tfrac{1}{2n} \lVert y - Xw - b \rVert_2^2 + \alpha \lVert w \rVert_1

    This is the house objective with :math:`\lambda = \alpha` and :math:`\rho = 1`, and
    scikit-learn's. The intercept is not penalized.

    Parameters
    ----------
    alpha : float, default=1.0
        Penalty strength :math:`\alpha \ge 0`. With 0 the result is least squares, and among
        several least-squares solutions the one of minimum norm.
    fit_intercept, solver, max_iter, tol
        As in `ElasticNet`.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients :math:`w`.
    intercept_, n_iter_, dual_gap_, n_features_in_
        As in `ElasticNet`.

    References
    ----------
    R. Tibshirani, "Regression Shrinkage and Selection via the Lasso", JRSS B 58 (1996), eq. 1.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[0.0], [1.0], [2.0]]), np.array([1.0, 3.0, 5.0])
    >>> model = Lasso(alpha=0.5).fit(X, y)
    >>> print(model.coef_.round(3), round(model.intercept_, 3))
    [1.25] 1.75
    """

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        fit_intercept: bool = True,
        solver: str = "active_set",
        max_iter: int = 1000,
        tol: float = 1e-4,
    ) -> None:
        super().__init__(
            alpha,
            l1_ratio=1.0,
            fit_intercept=fit_intercept,
            solver=solver,
            max_iter=max_iter,
            tol=tol,
        )
