"""Linear models that choose their penalty strength by cross-validation."""

from __future__ import annotations

import numbers
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.model_selection import check_cv

from lessons_lib._validation import FloatArray, check_data, check_integer, check_interval
from lessons_lib.linear._base import LinearModel, center
from lessons_lib.linear.lasso import ElasticNet
from lessons_lib.linear.paths import automatic_grid, solve_grid
from lessons_lib.linear.ridge import Spectrum, check_alphas, ridge_path
from lessons_lib.measure import one_standard_error_rule

__all__ = ["ElasticNetCV", "LassoCV", "RidgeCV"]


def _fold_losses(
    X: FloatArray,
    y: FloatArray,
    alphas: FloatArray,
    l1_ratio: float,
    fit_intercept: bool,
    folds: list[tuple[Any, Any]],
) -> FloatArray:
    """Return the mean squared error of each strength on each fold, (n_alphas, n_folds)."""
    losses = np.empty((len(alphas), len(folds)))
    for fold, (train, test) in enumerate(folds):
        data = center(X[train], y[train], fit_intercept)
        coefs, _ = solve_grid(data.X, data.y, alphas, l1_ratio)
        predictions = (X[test] - data.X_mean) @ coefs + data.y_mean
        losses[:, fold] = ((y[test][:, None] - predictions) ** 2).mean(axis=0)
    return losses


def _one_standard_error(losses: FloatArray, alphas: FloatArray) -> int:
    """Return the index of the strongest penalty within one standard error of the best."""
    if losses.shape[1] < 2:
        return int(losses.mean(axis=1).argmin())
    return one_standard_error_rule(losses, complexity=-alphas)


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
        Mean squared error on each fold, or on each sample for leave-one-out.
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

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Choose the strength, then fit to all samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)

        Returns
        -------
        RidgeCV
            The fitted estimator itself.

        Raises
        ------
        ValueError
            If a parameter is out of range, or the data are not finite numbers of matching shapes,
            or there is only one sample to leave out.
        """
        _check_rule(self.rule)
        alphas = np.sort(check_alphas(self.alphas))[::-1]
        if alphas[-1] == 0:
            raise ValueError("alphas must be positive, got 0.")
        X, y = check_data(X, y, estimator=self)
        if len(y) < 2:
            raise ValueError(f"Cross-validation needs at least 2 samples, got n_samples={len(y)}.")
        data = center(X, y, self.fit_intercept)
        spectrum = Spectrum.of(data.X, data.y, alphas[-1], centered=self.fit_intercept)
        if self.cv is None:
            errors = spectrum.leave_one_out_errors(data.y, alphas, centered=self.fit_intercept)
            self.mse_path_ = errors.T**2
        else:
            folds = list(check_cv(self.cv).split(X, y))
            self.mse_path_ = np.column_stack(
                [self._test_losses(X, y, alphas, train, test) for train, test in folds]
            )
        means = self.mse_path_.mean(axis=1)
        best, simplest = int(means.argmin()), _one_standard_error(self.mse_path_, alphas)
        chosen = best if self.rule == "min" else simplest
        self.alphas_ = alphas
        self.alpha_min_, self.alpha_1se_ = float(alphas[best]), float(alphas[simplest])
        self.alpha_, self.best_score_ = float(alphas[chosen]), -float(means[chosen])
        self._set_solution(spectrum.coef(self.alpha_), data)
        return self

    def _test_losses(
        self, X: FloatArray, y: FloatArray, alphas: FloatArray, train: Any, test: Any
    ) -> FloatArray:
        """Return the mean squared error of each strength on one fold."""
        _, coefs, intercepts = ridge_path(
            X[train], y[train], alphas, fit_intercept=self.fit_intercept
        )
        squared_errors = (y[test][:, None] - X[test] @ coefs - intercepts) ** 2
        losses: FloatArray = squared_errors.mean(axis=0)
        return losses


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
        The strengths, in decreasing order, for each mixture.
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

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Choose strength and mixture, then fit to all samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)

        Returns
        -------
        Self
            The fitted estimator itself.

        Raises
        ------
        ValueError
            If a parameter is out of range, or the data are not finite numbers of matching shapes.
        """
        _check_rule(self.rule)
        X, y = check_data(X, y, estimator=self)
        ratios = [
            check_interval("l1_ratio", ratio.item(), 0.0, 1.0)
            for ratio in np.atleast_1d(np.asarray(self.l1_ratio))
        ]
        if not ratios:
            raise ValueError("l1_ratio must contain at least one value, got none.")
        grids = [self._grid(X, y, ratio) for ratio in ratios]
        folds = list(check_cv(self.cv).split(X, y))
        losses = [
            _fold_losses(X, y, grid, ratio, self.fit_intercept, folds)
            for grid, ratio in zip(grids, ratios, strict=True)
        ]
        self._choose(np.array(grids), np.array(ratios), np.array(losses))
        final = ElasticNet(
            self.alpha_, l1_ratio=self.l1_ratio_, fit_intercept=self.fit_intercept
        ).fit(X, y)
        self.coef_, self.intercept_ = final.coef_, final.intercept_
        self.dual_gap_, self.n_iter_ = final.dual_gap_, final.n_iter_
        return self

    def _grid(self, X: FloatArray, y: FloatArray, l1_ratio: float) -> FloatArray:
        """Return the strengths to try with one mixture, in decreasing order."""
        if isinstance(self.alphas, numbers.Integral):
            n_alphas = check_integer("alphas", self.alphas, 1)
            data = center(X, y, self.fit_intercept)
            return automatic_grid(data.X, data.y, l1_ratio, self.eps, n_alphas)
        return np.sort(check_alphas(self.alphas))[::-1]

    def _choose(self, grids: FloatArray, ratios: FloatArray, losses: FloatArray) -> None:
        """Store the choices, given the losses of shape (n_l1_ratios, n_alphas, n_folds)."""
        means = losses.mean(axis=2)
        row, best = (int(i) for i in np.unravel_index(means.argmin(), means.shape))
        simplest = _one_standard_error(losses[row], grids[row])
        self.l1_ratio_ = float(ratios[row])
        self.alpha_min_, self.alpha_1se_ = float(grids[row, best]), float(grids[row, simplest])
        self.alpha_ = self.alpha_min_ if self.rule == "min" else self.alpha_1se_
        single = len(ratios) == 1
        self.alphas_, self.mse_path_ = (grids[0], losses[0]) if single else (grids, losses)


class LassoCV(ElasticNetCV):
    """Lasso with the penalty strength chosen by cross-validation.

    Parameters
    ----------
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
