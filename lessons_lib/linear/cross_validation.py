"""Linear models that choose their penalty strength by cross-validation."""

from __future__ import annotations

import numbers
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.model_selection import check_cv

from lessons_lib._validation import (
    FloatArray,
    check_data,
    check_flag,
    check_integer,
    check_interval,
)
from lessons_lib.linear._base import CenteredData, LinearModel, center, check_weights
from lessons_lib.linear.lasso import ElasticNet
from lessons_lib.linear.paths import automatic_grid, solve_grid
from lessons_lib.linear.ridge import Spectrum, check_alphas, leave_one_out_errors
from lessons_lib.measure import one_standard_error_rule

__all__ = ["ElasticNetCV", "LassoCV", "RidgeCV"]


Folds = list[tuple[Any, Any]]

_EXACT = "the curve of each fold is exact, without iterations that could be limited"
_LEFT_OUT = {
    "copy_X": "the data are never changed",
    "max_iter": _EXACT,
    "n_jobs": "one decomposition or one path gives all strengths, faster than processes start",
    "positive": "the path is written for both signs",
    "precompute": "the solvers decide themselves whether products of features pay off",
    "random_state": "nothing is random here; give it to the splitter",
    "selection": "no coordinate descent is used",
    "tol": _EXACT,
    "verbose": "there is nothing to wait for",
}


def _fold_losses(
    X: FloatArray,
    y: FloatArray,
    weights: FloatArray | None,
    alphas: FloatArray,
    l1_ratio: float,
    fit_intercept: bool,
    folds: Folds,
) -> FloatArray:
    """Return the mean squared error of each strength on each fold, (n_alphas, n_folds)."""
    losses = np.empty((len(alphas), len(folds)))
    for fold, (train, test) in enumerate(folds):
        data = center(X[train], y[train], fit_intercept, _part(weights, train))
        coefs, intercepts = data.solution(solve_grid(data, alphas, l1_ratio)[0].T)
        losses[:, fold] = _test_losses(X, y, weights, test, coefs, intercepts)
    return losses


def _part(weights: FloatArray | None, rows: Any) -> FloatArray | None:
    """Return the weights of some rows, if there are weights."""
    return None if weights is None else weights[rows]


def _test_losses(
    X: FloatArray,
    y: FloatArray,
    weights: FloatArray | None,
    test: Any,
    coefs: FloatArray,
    intercepts: FloatArray,
) -> FloatArray:
    """Return the mean squared error on the rows ``test`` of models given row by row."""
    with np.errstate(over="ignore"):  # `_check_losses` looks at the result
        squared_errors = (y[test][:, None] - X[test] @ coefs.T - intercepts) ** 2
    if weights is None:
        plain: FloatArray = squared_errors.mean(axis=0)
        return plain
    share = weights[test]
    if not share.any():
        raise ValueError("sample_weight is zero for all samples of a fold, so it has no error.")
    weighted: FloatArray = share @ squared_errors / share.sum()
    return weighted


def _check_losses(losses: FloatArray) -> None:
    """Raise if squared errors overflow."""
    if not np.isfinite(losses).all():
        raise ValueError(
            "The squared errors leave the range of floating-point numbers: use other units for y, "
            "or alphas that are not as weak for these data."
        )


def _one_standard_error(
    losses: FloatArray, alphas: FloatArray, weights: FloatArray | None = None
) -> int:
    """Return the index of the strongest penalty within one standard error of the best."""
    if losses.shape[1] < 2:
        return int(losses.mean(axis=1).argmin())
    if weights is None:
        return one_standard_error_rule(losses, complexity=-alphas)
    share = weights / weights.sum()
    losses = losses / losses.max() if losses.max() > 0 else losses  # no square may overflow
    means = losses @ share
    best = int(means.argmin())
    n_samples = len(share)
    deviations = share * (losses[best] - means[best])
    error = np.sqrt(n_samples / (n_samples - 1) * (deviations @ deviations))
    # The strengths decrease.
    return int(np.flatnonzero(means <= means[best] + error)[0])


def _check_rule(rule: str) -> None:
    """Raise unless ``rule`` is known."""
    if rule not in ("min", "1se"):
        raise ValueError(f"rule must be 'min' or '1se', got {rule!r}.")


class RidgeCV(LinearModel):
    r"""Ridge regression with the penalty strength chosen by cross-validation.

    Without ``cv`` every sample is left out once. That needs no refitting: with the leverages
    :math:`h_i` of the fit to all samples, the error of the prediction for a sample by the model
    fitted to all others is :math:`(y_i - \hat y_i)/(1 - h_i)`, and one decomposition gives it for
    all strengths.

    Parameters
    ----------
    alphas : array-like of shape (n_alphas,), default=(0.1, 1.0, 10.0)
        Strengths to try, with the meaning of ``Ridge(alpha=...)``; positive.
    fit_intercept : bool, default=True
        Whether to fit an intercept.
    cv : None, int, splitter or iterable, default=None
        None for leave-one-out, else as in scikit-learn.
    rule : {"min", "1se"}, default="min"
        Take the strength with the smallest error, or the largest strength whose error is within
        one standard error of it.

    Attributes
    ----------
    alpha_ : float
        The strength chosen by ``rule``.
    alpha_min_, alpha_1se_ : float
        The choices of both rules.
    alphas_ : ndarray of shape (n_alphas,)
        The strengths, in decreasing order.
    mse_path_ : ndarray of shape (n_alphas, n_folds)
        Mean squared error on each fold, or for leave-one-out on each sample of positive weight.
    best_score_ : float
        Negative mean error of ``alpha_``.
    coef_ : ndarray of shape (n_features,)
        Coefficients of the fit to all samples.
    intercept_ : float
        Intercept; 0.0 without ``fit_intercept``.
    n_features_in_ : int
        Number of features seen in ``fit``.

    References
    ----------
    G. H. Golub, M. Heath and G. Wahba, "Generalized Cross-Validation as a Method for Choosing a
    Good Ridge Parameter", Technometrics 21 (1979), eq. 1.3; L. Breiman, J. Friedman, R. Olshen and
    C. Stone, *Classification and Regression Trees* (1984), section 3.4.3, for the rule.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0.0, 1.0, 2.0, 3.0])
    >>> RidgeCV(alphas=[0.1, 1.0]).fit(X, y).alpha_
    0.1
    """

    alpha_: float
    alpha_min_: float
    alpha_1se_: float
    alphas_: FloatArray
    mse_path_: FloatArray
    best_score_: float

    _left_out: ClassVar[dict[str, str]] = {
        "alpha_per_target": "there is one target",
        "gcv_mode": "the decomposition that is accurate for the alphas is chosen",
        "scoring": "strengths are compared by squared errors; for others use GridSearchCV",
        "store_cv_results": "the errors are always kept, in mse_path_",
        **_LEFT_OUT,
    }

    def __init__(
        self,
        alphas: ArrayLike = (0.1, 1.0, 10.0),
        *,
        fit_intercept: bool = True,
        cv: Any = None,
        rule: str = "min",
    ) -> None:
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.cv = cv
        self.rule = rule

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: float | ArrayLike | None = None
    ) -> Self:
        """Choose the strength, then fit to all samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : float or array-like of shape (n_samples,), optional
            Factors of the squared errors, in the fits and in the means of the errors. A sample of
            weight 2 is left out as a whole.

        Returns
        -------
        RidgeCV
            The fitted estimator itself.

        Raises
        ------
        TypeError
            If a parameter has the wrong type.
        ValueError
            If a parameter is out of range, or the data are not finite numbers of matching shapes,
            or there is only one sample to leave out.
        """
        _check_rule(self.rule)
        fit_intercept = check_flag("fit_intercept", self.fit_intercept)
        alphas = np.sort(check_alphas(self.alphas))[::-1]
        if alphas[-1] == 0:
            raise ValueError("alphas must be positive, got 0.")
        X, y = check_data(X, y, estimator=self)
        weights = check_weights(sample_weight, X)
        data = center(X, y, fit_intercept, weights)
        if len(data.y) < 2:
            raise ValueError(
                f"Cross-validation needs at least 2 samples, got n_samples={len(data.y)}."
            )
        strengths = data.l2(alphas / data.total_weight)
        spectrum = Spectrum.of(data.X, data.y, float(strengths[-1]), data.unpenalized)
        if self.cv is None:
            losses, share = self._leave_one_out(data, strengths, spectrum, weights)
        else:
            losses, share = self._fold_losses(X, y, weights, alphas), None
        self._choose(losses, share, alphas)
        chosen = int(np.flatnonzero(alphas == self.alpha_)[0])
        self._set_solution(spectrum.coef(float(strengths[chosen])), data)
        return self

    def _leave_one_out(
        self,
        data: CenteredData,
        strengths: FloatArray,
        spectrum: Spectrum,
        weights: FloatArray | None,
    ) -> tuple[FloatArray, FloatArray | None]:
        """Return the squared errors of samples left out, and their weights."""
        errors = leave_one_out_errors(data.X, data.y, strengths, spectrum, data.unpenalized)
        share = None
        if weights is not None:
            share = weights[weights > 0]
            errors /= np.sqrt(share / data.total_weight)[:, None]  # rows were multiplied by it
        with np.errstate(over="ignore"):
            losses: FloatArray = (errors.T * data.y_scale) ** 2
        return losses, share

    def _fold_losses(
        self, X: FloatArray, y: FloatArray, weights: FloatArray | None, alphas: FloatArray
    ) -> FloatArray:
        """Return the mean squared error of each strength on each fold."""
        columns = []
        for train, test in list(check_cv(self.cv).split(X, y)):
            data = center(X[train], y[train], self.fit_intercept, _part(weights, train))
            strengths = data.l2(alphas / data.total_weight)
            spectrum = Spectrum.of(data.X, data.y, float(strengths[-1]), data.unpenalized)
            coefs, intercepts = data.solution(spectrum.coefs(strengths).T)
            columns.append(_test_losses(X, y, weights, test, coefs, intercepts))
        return np.column_stack(columns)

    def _choose(self, losses: FloatArray, share: FloatArray | None, alphas: FloatArray) -> None:
        """Store the choices, given the losses of shape (n_alphas, n_folds)."""
        _check_losses(losses)
        means = losses.mean(axis=1) if share is None else losses @ share / share.sum()
        best, simplest = int(means.argmin()), _one_standard_error(losses, alphas, share)
        chosen = best if self.rule == "min" else simplest
        self.alphas_, self.mse_path_ = alphas, losses
        self.alpha_min_, self.alpha_1se_ = float(alphas[best]), float(alphas[simplest])
        self.alpha_, self.best_score_ = float(alphas[chosen]), -float(means[chosen])


class ElasticNetCV(LinearModel):
    """Elastic Net with the penalty strength and the mixture chosen by cross-validation.

    Parameters
    ----------
    l1_ratio : float or array-like of shape (n_l1_ratios,), default=0.5
        Mixture between 0 (ridge) and 1 (lasso), or several to try.
    eps : float, default=1e-3
        Ratio of the last to the first strength of an automatic grid.
    alphas : int or array-like of shape (n_alphas,), default=100
        The strengths to try, or how many an automatic grid shall have.
    fit_intercept : bool, default=True
        Whether to fit an intercept.
    cv : None, int, splitter or iterable, default=None
        As in scikit-learn; None for 5 folds.
    rule : {"min", "1se"}, default="min"
        Take the strength with the smallest error, or the largest strength whose error is within
        one standard error of it. The mixture is always that of the smallest error.

    Attributes
    ----------
    alpha_ : float
        The strength chosen by ``rule``.
    alpha_min_, alpha_1se_ : float
        The choices of both rules.
    l1_ratio_ : float
        The chosen mixture.
    alphas_ : ndarray of shape (n_alphas,) or (n_l1_ratios, n_alphas)
        The strengths, in decreasing order; with an automatic grid and several mixtures, for each
        of these.
    mse_path_ : ndarray of shape (n_alphas, n_folds) or (n_l1_ratios, n_alphas, n_folds)
        Mean squared error on each fold.
    coef_ : ndarray of shape (n_features,)
        Coefficients of the fit to all samples.
    intercept_ : float
        Intercept; 0.0 without ``fit_intercept``.
    dual_gap_ : float
        Duality gap of that fit.
    n_iter_ : int
        Number of iterations of that fit.
    n_features_in_ : int
        Number of features seen in ``fit``.

    References
    ----------
    H. Zou and T. Hastie, "Regularization and Variable Selection via the Elastic Net", JRSS B 67
    (2005), section 3.5; J. Friedman, T. Hastie and R. Tibshirani, "Regularization Paths for
    Generalized Linear Models via Coordinate Descent", J. Stat. Softw. 33 (2010), section 2.5.
    """

    alpha_: float
    alpha_min_: float
    alpha_1se_: float
    l1_ratio_: float
    alphas_: FloatArray
    mse_path_: FloatArray
    dual_gap_: float
    n_iter_: int

    _left_out: ClassVar[dict[str, str]] = {
        "n_alphas": "alphas takes a number as well",
        **_LEFT_OUT,
    }

    def __init__(
        self,
        *,
        l1_ratio: float | ArrayLike = 0.5,
        eps: float = 1e-3,
        alphas: int | ArrayLike = 100,
        fit_intercept: bool = True,
        cv: Any = None,
        rule: str = "min",
    ) -> None:
        self.l1_ratio = l1_ratio
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.cv = cv
        self.rule = rule

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: float | ArrayLike | None = None
    ) -> Self:
        """Choose strength and mixture, then fit to all samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : float or array-like of shape (n_samples,), optional
            Weights of the squared errors, in the fits and in the mean error of each fold.

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
        """
        _check_rule(self.rule)
        fit_intercept = check_flag("fit_intercept", self.fit_intercept)
        X, y = check_data(X, y, estimator=self)
        weights = check_weights(sample_weight, X)
        ratios = self._ratios()
        grids = [self._grid(center(X, y, fit_intercept, weights), ratio) for ratio in ratios]
        folds = list(check_cv(self.cv).split(X, y))
        losses = [
            _fold_losses(X, y, weights, grid, ratio, fit_intercept, folds)
            for grid, ratio in zip(grids, ratios, strict=True)
        ]
        self._choose(np.array(grids), np.array(ratios), np.array(losses))
        final = ElasticNet(self.alpha_, l1_ratio=self.l1_ratio_, fit_intercept=fit_intercept)
        final.fit(X, y, weights)
        self.coef_, self.intercept_ = final.coef_, final.intercept_
        self.dual_gap_, self.n_iter_ = final.dual_gap_, final.n_iter_
        return self

    def _ratios(self) -> list[float]:
        """Return the mixtures to try."""
        given = np.atleast_1d(np.asarray(self.l1_ratio))
        if given.ndim != 1:
            raise ValueError(f"l1_ratio must be a number or a sequence, got shape {given.shape}.")
        if not given.size:
            raise ValueError("l1_ratio must contain at least one value, got none.")
        return [check_interval("l1_ratio", ratio.item(), 0.0, 1.0) for ratio in given]

    def _grid(self, data: CenteredData, l1_ratio: float) -> FloatArray:
        """Return the strengths to try with one mixture, in decreasing order."""
        if isinstance(self.alphas, numbers.Integral):
            n_alphas = check_integer("alphas", self.alphas, 1)
            return automatic_grid(data, l1_ratio, self.eps, n_alphas)
        return np.sort(check_alphas(self.alphas))[::-1]

    def _choose(self, grids: FloatArray, ratios: FloatArray, losses: FloatArray) -> None:
        """Store the choices, given the losses of shape (n_l1_ratios, n_alphas, n_folds)."""
        _check_losses(losses)
        means = losses.mean(axis=2)
        row, best = (int(i) for i in np.unravel_index(means.argmin(), means.shape))
        simplest = _one_standard_error(losses[row], grids[row])
        self.l1_ratio_ = float(ratios[row])
        self.alpha_min_, self.alpha_1se_ = float(grids[row, best]), float(grids[row, simplest])
        self.alpha_ = self.alpha_min_ if self.rule == "min" else self.alpha_1se_
        single = len(ratios) == 1
        self.mse_path_ = losses[0] if single else losses
        # An explicit grid is the same for all mixtures.
        automatic = isinstance(self.alphas, numbers.Integral)
        self.alphas_ = grids if automatic and not single else grids[0]


class LassoCV(ElasticNetCV):
    """Lasso with the penalty strength chosen by cross-validation.

    Parameters
    ----------
    eps, alphas, fit_intercept, cv, rule
        As in `ElasticNetCV`.

    Attributes
    ----------
    alpha_ : float
        The strength chosen by ``rule``.
    coef_ : ndarray of shape (n_features,)
        Coefficients of the fit to all samples.
    alpha_min_, alpha_1se_, alphas_, mse_path_, intercept_, dual_gap_, n_iter_, n_features_in_
        As in `ElasticNetCV` with one mixture.

    References
    ----------
    J. Friedman, T. Hastie and R. Tibshirani, "Regularization Paths for Generalized Linear Models
    via Coordinate Descent", J. Stat. Softw. 33 (2010), section 2.5.
    """

    def __init__(
        self,
        *,
        eps: float = 1e-3,
        alphas: int | ArrayLike = 100,
        fit_intercept: bool = True,
        cv: Any = None,
        rule: str = "min",
    ) -> None:
        super().__init__(
            l1_ratio=1.0, eps=eps, alphas=alphas, fit_intercept=fit_intercept, cv=cv, rule=rule
        )
