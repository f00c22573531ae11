"""Ridge regression: the closed form, and all penalty strengths from one decomposition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg
from sklearn.utils.validation import check_array

from lessons_lib._validation import FloatArray, check_data, check_flag, check_interval
from lessons_lib.linear._base import LinearModel, center, check_weights

__all__ = ["Ridge", "Spectrum", "effective_degrees_of_freedom", "ridge_path"]

# A Gram matrix has the squared condition number of X. Below this reciprocal condition number
# its solution keeps fewer than about eleven correct digits, and the SVD of X is used instead.
_MIN_RCOND = 1e-5
# A difference from 1 smaller than this has lost more than four digits.
_DELICATE = 1e-4


def _gram(X: FloatArray, unpenalized: FloatArray | None) -> tuple[FloatArray, float]:
    """Return the smaller of XᵀX and XXᵀ, and by how much an eigenvalue of it was raised.

    Centering makes the direction of the intercept a null direction of XXᵀ. As y is orthogonal to
    it, raising its eigenvalue changes no coefficient, but it keeps the matrix regular.
    """
    n_samples, n_features = X.shape
    if n_features <= n_samples:
        return X.T @ X, 0.0
    gram: FloatArray = X @ X.T
    if unpenalized is None:
        return gram, 0.0
    lift = float(gram.trace()) / n_samples
    gram += lift * np.outer(unpenalized, unpenalized)
    return gram, lift


def _solve_closed_form(
    X: FloatArray, y: FloatArray, alpha: float, unpenalized: FloatArray | None
) -> tuple[FloatArray, float]:
    """Solve the normal equations; return (coef, reciprocal condition number of the matrix)."""
    gram, _ = _gram(X, unpenalized)
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
    def from_gram(cls, X: FloatArray, y: FloatArray, unpenalized: FloatArray | None) -> Self:
        """Decompose the smaller of XᵀX and XXᵀ: several times faster than the SVD.

        Small singular values lose half of their digits, which does no harm as long as the
        penalty is much larger than their squares. ``unpenalized`` is the direction of the
        intercept, if there is one; the data are centered then.
        """
        gram, lift = _gram(X, unpenalized)
        squared, vectors = linalg.eigh(gram, check_finite=False)
        squared = np.maximum(squared, 0.0)
        if len(gram) == X.shape[1]:
            scores = X @ vectors
            return cls(squared, scores, vectors, scores.T @ y)
        if unpenalized is None:
            return cls(squared, vectors * np.sqrt(squared), X.T @ vectors, vectors.T @ y)
        along = (unpenalized @ vectors) ** 2
        if along.max() < 1.0 - _MIN_RCOND:  # an eigenvalue equals the raised one: they are mixed
            return cls.from_svd(X, y)
        without_lift = np.maximum(squared - lift * along, 0.0)
        return cls(squared, vectors * np.sqrt(without_lift), X.T @ vectors, vectors.T @ y)

    @classmethod
    def of(
        cls,
        X: FloatArray,
        y: FloatArray,
        smallest_alpha: float,
        unpenalized: FloatArray | None = None,
    ) -> Self:
        """Take the fast decomposition where it is accurate for ``smallest_alpha``, else the SVD."""
        if smallest_alpha > 0:
            spectrum = cls.from_gram(X, y, unpenalized)
            smallest, largest = np.sort(spectrum.squared)[[0, -1]] + smallest_alpha
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
        self, y: FloatArray, alphas: FloatArray, unpenalized: FloatArray | None
    ) -> tuple[FloatArray, FloatArray]:
        r"""Return the error for each sample of the model fitted to all others, without refitting.

        .. math::

            y_i - \hat y_i^{(-i)} = \frac{y_i - \hat y_i}{1 - h_i}, \qquad
            h = \operatorname{diag}\big(X(X^\top X + \alpha I)^{-1}X^\top\big)

        An intercept is one more direction :math:`u_0`, which is not shrunk: it adds
        :math:`u_{i0}^2` to the leverages :math:`h`. See Golub, Heath & Wahba, "Generalized
        Cross-Validation as a Method for Choosing a Good Ridge Parameter", Technometrics 21 (1979),
        eq. 1.3.

        Parameters
        ----------
        y : ndarray of shape (n_samples,)
            The target that was decomposed.
        alphas : ndarray of shape (n_alphas,)
        unpenalized : ndarray of shape (n_samples,) or None
            The direction :math:`u_0`, of length 1; constant unless there are sample weights.

        Returns
        -------
        errors : ndarray of shape (n_samples, n_alphas)
        without_leverage : ndarray of shape (n_samples, n_alphas)
            :math:`1 - h`. The smaller it is, the fewer digits of the error are correct.
        """
        inverse = 1.0 / (self.squared[:, None] + alphas)
        residuals = y[:, None] - self.scores @ ((self.scores.T @ y)[:, None] * inverse)
        leverages = self.scores**2 @ inverse
        if unpenalized is not None:
            leverages += unpenalized[:, None] ** 2
        without_leverage: FloatArray = 1.0 - leverages
        with np.errstate(divide="ignore", invalid="ignore"):  # the caller looks at the second
            errors: FloatArray = residuals / without_leverage
        return errors, without_leverage


def leave_one_out_errors(
    X: FloatArray,
    y: FloatArray,
    alphas: FloatArray,
    spectrum: Spectrum,
    unpenalized: FloatArray | None,
) -> FloatArray:
    r"""Return the errors of `Spectrum.leave_one_out_errors`, accurate for any strengths.

    Where the model almost interpolates, both sides of the fraction are differences of nearly equal
    numbers. So neither is computed as a difference there: with the left singular vectors
    :math:`u_k` and the projection :math:`P` on the directions that no feature reaches,

    .. math::

        y_i - \hat y_i = (Py)_i + \sum_k \frac{\alpha}{s_k^2+\alpha}\, u_{ik}\, u_k^\top y,
        \qquad 1 - h_i = P_{ii} + \sum_k \frac{\alpha}{s_k^2+\alpha}\, u_{ik}^2.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
        The data that were decomposed.
    alphas : ndarray of shape (n_alphas,)
        Positive strengths.
    spectrum : Spectrum
    unpenalized : ndarray of shape (n_samples,) or None
        The direction of the intercept.

    Returns
    -------
    ndarray of shape (n_samples, n_alphas)
    """
    errors, without_leverage = spectrum.leave_one_out_errors(y, alphas, unpenalized)
    if without_leverage.min() > _DELICATE:
        return errors
    accurate = Spectrum.from_svd(X, y)
    U = accurate.scores / np.sqrt(accurate.squared)
    remaining = alphas / (accurate.squared[:, None] + alphas)
    projected, diagonal = _out_of_reach(U, unpenalized, y)
    residuals = projected[:, None] + U @ ((U.T @ y)[:, None] * remaining)
    stable: FloatArray = residuals / (diagonal[:, None] + U**2 @ remaining)
    return stable


def _out_of_reach(
    U: FloatArray, unpenalized: FloatArray | None, y: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return Py and the diagonal of P, the projection on what the columns of ``U`` do not span.

    Parameters
    ----------
    U : ndarray of shape (n_samples, rank)
        Orthonormal columns.
    unpenalized : ndarray of shape (n_samples,) or None
        One more of them.
    y : ndarray of shape (n_samples,)

    Returns
    -------
    Py : ndarray of shape (n_samples,)
    diagonal : ndarray of shape (n_samples,)
    """
    basis = U if unpenalized is None else np.column_stack([unpenalized, U])
    n_samples, rank = basis.shape
    if rank >= n_samples:  # everything is reached
        return np.zeros(n_samples), np.zeros(n_samples)
    projected = y - basis @ (basis.T @ y)
    diagonal = 1.0 - np.einsum("ij,ij->i", basis, basis)
    # Of samples that nearly have a direction of their own nothing but rounding errors would
    # remain. For these P is applied to the unit vector itself; doing so twice is enough.
    delicate = np.flatnonzero(diagonal < _DELICATE)
    rows = np.zeros((len(delicate), n_samples))
    rows[range(len(delicate)), delicate] = 1.0
    for _ in range(2):
        rows -= (rows @ basis) @ basis.T
    rows[np.linalg.norm(rows, axis=1) < 4 * n_samples * np.finfo(np.float64).eps] = 0.0
    diagonal[delicate] = np.einsum("ij,ij->i", rows, rows)
    projected[delicate] = rows @ projected
    return projected, diagonal


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

    _left_out: ClassVar[dict[str, str]] = {
        "copy_X": "the data are never changed",
        "max_iter": "the solvers are direct and do not iterate",
        "tol": "the solvers are direct and do not iterate",
        "positive": "with a bound there is no closed form; see scipy.optimize.lsq_linear",
        "random_state": "nothing is random",
    }

    def __init__(
        self, alpha: float = 1.0, *, fit_intercept: bool = True, solver: str = "auto"
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.solver = solver

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: float | ArrayLike | None = None
    ) -> Self:
        r"""Fit the model.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : float or array-like of shape (n_samples,), optional
            Factors :math:`v_i \ge 0` of the squared errors. A weight of 2 counts like a sample
            given twice.

        Returns
        -------
        Ridge
            The fitted estimator itself.

        Raises
        ------
        TypeError
            If a parameter has the wrong type.
        ValueError
            If ``alpha`` is negative, ``solver`` is unknown, the data are not finite numbers of
            matching shapes, or ``solver="cholesky"`` meets a singular matrix.
        """
        alpha = check_interval("alpha", self.alpha)
        fit_intercept = check_flag("fit_intercept", self.fit_intercept)
        X, y = check_data(X, y, multi_output=True, estimator=self)
        data = center(X, y, fit_intercept, check_weights(sample_weight, X))
        strength = float(data.l2(alpha / data.total_weight))
        coef, self.solver_ = self._solve(data.X, data.y, strength, data.unpenalized)
        self.n_iter_ = None
        self._set_solution(coef.T, data)
        return self

    def _solve(
        self, X: FloatArray, y: FloatArray, alpha: float, unpenalized: FloatArray | None
    ) -> tuple[FloatArray, str]:
        """Return the coefficients and the name of the solver that computed them."""
        if self.solver not in ("auto", "cholesky", "svd"):
            raise ValueError(f"solver must be 'auto', 'cholesky' or 'svd', got {self.solver!r}.")
        if self.solver == "cholesky" or (self.solver == "auto" and alpha > 0):
            try:
                coef, rcond = _solve_closed_form(X, y, alpha, unpenalized)
            except linalg.LinAlgError as error:
                if self.solver == "cholesky":
                    raise ValueError(
                        f"solver='cholesky' needs a positive definite matrix, and with alpha="
                        f"{self.alpha:g} it is singular: use a larger alpha or solver='svd'."
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
    TypeError
        If they are no real numbers.
    ValueError
        If there is none, or one that is negative or not finite.
    """
    given = np.asarray(alphas)
    if given.dtype.kind not in "iuf":
        raise TypeError(f"alphas must be real numbers, got {alphas!r}.")
    checked = np.atleast_1d(given.astype(np.float64))
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
    data = center(X, y, check_flag("fit_intercept", fit_intercept))
    scaled = data.l2(strengths)
    spectrum = Spectrum.of(data.X, data.y, float(scaled.min()), data.unpenalized)
    coefs, intercepts = data.solution(spectrum.coefs(scaled).T)
    return strengths, coefs.T, intercepts


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
    zeros = np.zeros(len(features))
    data = center(features, zeros, check_flag("fit_intercept", fit_intercept))
    squared = Spectrum.from_svd(data.X, data.y).squared
    freedom: FloatArray = (squared / (squared + data.l2(strengths)[:, None])).sum(axis=1)
    return freedom
