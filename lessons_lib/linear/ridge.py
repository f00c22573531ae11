"""Ridge regression: the closed form, and all penalty strengths from one decomposition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg
from sklearn.utils.validation import check_array

from lessons_lib._validation import FloatArray, check_data, check_interval
from lessons_lib.linear._base import LinearModel, center

__all__ = ["Ridge", "Spectrum", "effective_degrees_of_freedom", "ridge_path"]

# A Gram matrix has the squared condition number of X. Below this reciprocal condition number
# its solution keeps fewer than about eleven correct digits, and the SVD of X is used instead.
_MIN_RCOND = 1e-5


def _gram(X: FloatArray, *, centered: bool) -> tuple[FloatArray, float]:
    """Return the smaller of XᵀX and XXᵀ, and a constant that was added to all its entries.

    Centering makes the vector of ones a null direction of XXᵀ. As y is orthogonal to it, raising
    its eigenvalue changes no coefficient, but it keeps the matrix regular.
    """
    n_samples, n_features = X.shape
    if n_features <= n_samples:
        return X.T @ X, 0.0
    gram: FloatArray = X @ X.T
    lift = gram.trace() / n_samples**2 if centered else 0.0
    gram += lift
    return gram, lift


def _solve_closed_form(
    X: FloatArray, y: FloatArray, alpha: float, *, centered: bool
) -> tuple[FloatArray, float]:
    """Solve the normal equations; return (coef, reciprocal condition number of the matrix)."""
    gram, _ = _gram(X, centered=centered)
    gram.flat[:: len(gram) + 1] += alpha
    factor = linalg.cholesky(gram, lower=True, check_finite=False)
    rcond, _ = linalg.lapack.dpocon(factor, np.linalg.norm(gram, 1), uplo="L")
    if len(gram) == X.shape[1]:
        coef = linalg.cho_solve((factor, True), X.T @ y, check_finite=False)
    else:
        coef = X.T @ linalg.cho_solve((factor, True), y, check_finite=False)
    return coef, float(rcond)


@dataclass(frozen=True)
class Spectrum:
    r"""The singular directions of :math:`X = U S V^\top`: ridge for every penalty at once.

    .. math::

        w(\alpha) = V \operatorname{diag}\!\Big(\frac{s_i}{s_i^2 + \alpha}\Big) U^\top y

    Only the division depends on :math:`\alpha`; everything else is computed once. See Hastie,
    Tibshirani & Friedman, *The Elements of Statistical Learning* (2009), eq. 3.47.

    Attributes
    ----------
    squared : ndarray of shape (rank,)
        Squared singular values :math:`s_i^2`.
    scores : ndarray of shape (n_samples, rank)
        Principal component scores :math:`U S`.
    basis : ndarray of shape (n_features, rank)
        Directions in which the coefficients are expressed.
    projections : ndarray of shape (rank,) or (rank, n_targets)
        Coordinates of the solution, before division by :math:`s_i^2 + \alpha`.
    """

    squared: FloatArray
    scores: FloatArray
    basis: FloatArray
    projections: FloatArray

    @classmethod
    def from_svd(cls, X: FloatArray, y: FloatArray) -> Self:
        """Decompose ``X`` itself: accurate for any ``X`` and any penalty, zero included.

        Directions whose singular value is zero up to rounding are left out. That is what makes
        the solution the one of minimum norm when the penalty is zero.
        """
        U, s, Vt = linalg.svd(X, full_matrices=False, check_finite=False)
        keep = s > s[0] * max(X.shape) * np.finfo(float).eps
        scores = U[:, keep] * s[keep]
        return cls(s[keep] ** 2, scores, Vt[keep].T, scores.T @ y)

    @classmethod
    def from_gram(cls, X: FloatArray, y: FloatArray, *, centered: bool) -> Self:
        """Decompose the smaller of XᵀX and XXᵀ: several times faster than the SVD.

        Small singular values lose half of their digits, which does no harm as long as the
        penalty is much larger than their squares.
        """
        gram, lift = _gram(X, centered=centered)
        squared, vectors = linalg.eigh(gram, check_finite=False)
        squared = np.maximum(squared, 0.0)
        if len(gram) == X.shape[1]:
            scores = X @ vectors
            return cls(squared, scores, vectors, scores.T @ y)
        without_lift = np.maximum(squared - lift * vectors.sum(axis=0) ** 2, 0.0)
        return cls(squared, vectors * np.sqrt(without_lift), X.T @ vectors, vectors.T @ y)

    @classmethod
    def of(cls, X: FloatArray, y: FloatArray, smallest_alpha: float, *, centered: bool) -> Self:
        """Take the fast decomposition where it is accurate for ``smallest_alpha``, else the SVD."""
        if smallest_alpha > 0:
            spectrum = cls.from_gram(X, y, centered=centered)
            smallest, largest = spectrum.squared[[0, -1]] + smallest_alpha
            if smallest > _MIN_RCOND * largest:
                return spectrum
        return cls.from_svd(X, y)

    def coef(self, alpha: float) -> FloatArray:
        """Return the coefficients for one penalty, (n_features,) or (n_features, n_targets)."""
        return self.basis @ (self.projections.T / (self.squared + alpha)).T

    def coefs(self, alphas: FloatArray) -> FloatArray:
        """Return the coefficients for one target and all penalties, (n_features, n_alphas)."""
        return self.basis @ (self.projections[:, None] / (self.squared[:, None] + alphas))

    def leave_one_out_errors(
        self, y: FloatArray, alphas: FloatArray, *, centered: bool
    ) -> FloatArray:
        r"""Return the error for each sample of the model fitted to all others, without refitting.

        .. math::

            y_i - \hat y_i^{(-i)} = \frac{y_i - \hat y_i}{1 - h_i}, \qquad
            h = \operatorname{diag}\big(X(X^\top X + \alpha I)^{-1}X^\top\big)

        An intercept adds :math:`1/n` to the leverages :math:`h`. See Golub, Heath & Wahba,
        "Generalized Cross-Validation as a Method for Choosing a Good Ridge Parameter",
        Technometrics 21 (1979), eq. 1.3.

        Parameters
        ----------
        y : ndarray of shape (n_samples,)
            The target that was decomposed.
        alphas : ndarray of shape (n_alphas,)
        centered : bool
            Whether the data were centered, that is, the model has an intercept.

        Returns
        -------
        ndarray of shape (n_samples, n_alphas)
        """
        inverse = 1.0 / (self.squared[:, None] + alphas)
        residuals = y[:, None] - self.scores @ ((self.scores.T @ y)[:, None] * inverse)
        leverages = self.scores**2 @ inverse + (1.0 / len(y) if centered else 0.0)
        errors: FloatArray = residuals / (1.0 - leverages)
        return errors


class Ridge(LinearModel):
    r"""Least squares with an L2 penalty, in scikit-learn's parametrization.

    .. math::

        \min_{w,b}\; \lVert y - Xw - b \rVert_2^2 + \alpha \lVert w \rVert_2^2

    The intercept is not penalized. In the house objective, with its factor :math:`1/2n`, the
    same problem has :math:`\lambda = \alpha/n`.

    Parameters
    ----------
    alpha : float, default=1.0
        Penalty strength :math:`\alpha \ge 0`. With 0 the result is least squares, and among
        several least-squares solutions the one of minimum norm.
    fit_intercept : bool, default=True
        Whether to fit :math:`b`.
    solver : {"auto", "cholesky", "svd"}, default="auto"
        ``"cholesky"`` solves the normal equations
        :math:`(X^\top X + \alpha I)w = X^\top y`, or for more features than samples
        :math:`w = X^\top (XX^\top + \alpha I)^{-1} y`. ``"svd"`` uses the singular value
        decomposition. ``"auto"`` takes the first unless it would be inaccurate.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients :math:`w`.
    intercept_ : float or ndarray of shape (n_targets,)
        Intercept :math:`b`; 0.0 without ``fit_intercept``.
    solver_ : str
        The solver used, ``"cholesky"`` or ``"svd"``.
    n_iter_ : None
        The solvers are direct.
    n_features_in_ : int
        Number of features seen in ``fit``.

    References
    ----------
    A. E. Hoerl and R. W. Kennard, "Ridge Regression: Biased Estimation for Nonorthogonal
    Problems", Technometrics 12 (1970), eq. 2.1.

    Examples
    --------
    >>> import numpy as np
    >>> from lessons_lib.linear import Ridge
    >>> X, y = np.array([[0.0], [1.0], [2.0]]), np.array([1.0, 3.0, 5.0])
    >>> model = Ridge(alpha=2.0).fit(X, y)
    >>> print(model.coef_, model.intercept_)
    [1.] 2.0
    """

    n_iter_: None
    solver_: str

    def __init__(
        self, alpha: float = 1.0, *, fit_intercept: bool = True, solver: str = "auto"
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.solver = solver

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets)

        Returns
        -------
        Ridge
            The fitted estimator itself.

        Raises
        ------
        ValueError
            If ``alpha`` is negative, ``solver`` is unknown, the data are not finite numbers of
            matching shapes, or ``solver="cholesky"`` meets a singular matrix.
        """
        alpha = check_interval("alpha", self.alpha)
        X, y = check_data(X, y, multi_output=True, estimator=self)
        data = center(X, y, self.fit_intercept)
        coef, self.solver_ = self._solve(data.X, data.y, alpha)
        self.n_iter_ = None
        self._set_solution(coef.T, data)
        return self

    def _solve(self, X: FloatArray, y: FloatArray, alpha: float) -> tuple[FloatArray, str]:
        """Return the coefficients and the name of the solver that computed them."""
        if self.solver not in ("auto", "cholesky", "svd"):
            raise ValueError(f"solver must be 'auto', 'cholesky' or 'svd', got {self.solver!r}.")
        if self.solver == "cholesky" or (self.solver == "auto" and alpha > 0):
            try:
                coef, rcond = _solve_closed_form(X, y, alpha, centered=self.fit_intercept)
            except linalg.LinAlgError as error:
                if self.solver == "cholesky":
                    raise ValueError(
                        f"solver='cholesky' needs a positive definite matrix, and with alpha="
                        f"{alpha:g} it is singular: use a larger alpha or solver='svd'."
                    ) from error
            else:
                if self.solver == "cholesky" or rcond > _MIN_RCOND:
                    return coef, "cholesky"
        return Spectrum.from_svd(X, y).coef(alpha), "svd"

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that several targets are supported."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def check_alphas(alphas: ArrayLike) -> FloatArray:
    """Return penalty strengths as a non-empty vector of finite, non-negative floats.

    Parameters
    ----------
    alphas : array-like of shape (n_alphas,)

    Returns
    -------
    ndarray of shape (n_alphas,)

    Raises
    ------
    ValueError
        If there is none, or one that is negative or not finite.
    """
    checked = np.atleast_1d(np.asarray(alphas, dtype=np.float64))
    if checked.ndim != 1 or checked.size == 0:
        raise ValueError(f"alphas must be a non-empty sequence, got shape {checked.shape}.")
    if not np.isfinite(checked).all() or (checked < 0).any():
        raise ValueError(f"alphas must be finite and not negative, got {checked}.")
    return checked


def ridge_path(
    X: ArrayLike, y: ArrayLike, alphas: ArrayLike, *, fit_intercept: bool = False
) -> tuple[FloatArray, FloatArray, FloatArray]:
    r"""Compute ridge coefficients for many penalty strengths from one decomposition.

    .. math::

        w(\alpha) = V \operatorname{diag}\!\Big(\frac{s_i}{s_i^2 + \alpha}\Big) U^\top y

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)
    alphas : array-like of shape (n_alphas,)
        Strengths with the meaning of ``Ridge(alpha=...)``; zeros are allowed.
    fit_intercept : bool, default=False
        If False, the data are used as they are, as by ``lasso_path``.

    Returns
    -------
    alphas : ndarray of shape (n_alphas,)
        The strengths, in the given order.
    coefs : ndarray of shape (n_features, n_alphas)
        One column for each strength.
    intercepts : ndarray of shape (n_alphas,)
        Zeros without ``fit_intercept``.

    Raises
    ------
    ValueError
        If a strength is negative or the data are not finite numbers of matching shapes.

    References
    ----------
    T. Hastie, R. Tibshirani and J. Friedman, *The Elements of Statistical Learning* (2009),
    eq. 3.47.
    """
    strengths = check_alphas(alphas)
    X, y = check_data(X, y)
    data = center(X, y, fit_intercept)
    spectrum = Spectrum.of(data.X, data.y, strengths.min(), centered=fit_intercept)
    coefs = spectrum.coefs(strengths)
    return strengths, coefs, data.y_mean - data.X_mean @ coefs


def effective_degrees_of_freedom(
    X: ArrayLike, alphas: ArrayLike, *, fit_intercept: bool = True
) -> FloatArray:
    r"""Compute how many free coefficients a ridge fit is worth.

    .. math::

        \operatorname{df}(\alpha) = \operatorname{tr}\big(X(X^\top X+\alpha I)^{-1}X^\top\big)
        = \sum_i \frac{s_i^2}{s_i^2+\alpha}

    The intercept, which is always free, is not counted.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    alphas : array-like of shape (n_alphas,)
        Strengths with the meaning of ``Ridge(alpha=...)``.
    fit_intercept : bool, default=True
        Whether the model centers ``X``.

    Returns
    -------
    ndarray of shape (n_alphas,)
        Between 0 and the rank of ``X``.

    Raises
    ------
    ValueError
        If a strength is negative or ``X`` is not a finite matrix.

    References
    ----------
    T. Hastie, R. Tibshirani and J. Friedman, *The Elements of Statistical Learning* (2009),
    eq. 3.50.
    """
    strengths = check_alphas(alphas)
    features: FloatArray = check_array(X, dtype=np.float64)
    data = center(features, np.zeros(len(features)), fit_intercept)
    squared = Spectrum.from_svd(data.X, data.y).squared
    freedom: FloatArray = (squared / (squared + strengths[:, None])).sum(axis=1)
    return freedom
