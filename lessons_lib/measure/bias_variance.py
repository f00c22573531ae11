"""Take an error apart, by simulation: squared bias, variance and noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from sklearn.base import clone

from lessons_lib._validation import check_integer
from lessons_lib.data import RegressionProblem

__all__ = ["BiasVariance", "bias_variance_decomposition"]

FloatArray = NDArray[np.float64]


IntArray = NDArray[np.intp]


RandomState = int | np.random.Generator | None


Loss = Callable[[Any, Any], float]


@dataclass(frozen=True, eq=False)
class BiasVariance:
    """The result of `bias_variance_decomposition`.

    Numbers are averages over the test inputs, in squared units of `y`; each
    ``..._standard_error`` is the Monte-Carlo standard error of the number it is named after.

    Parameters
    ----------
    bias_squared, variance, noise : float
        The three terms. `noise` is known exactly; the other two are unbiased estimates.
    expected_error : float
        Mean squared error on fresh noisy targets, measured with other training sets than those
        behind the three terms.
    bias_squared_standard_error, variance_standard_error : float
        Standard errors of the two terms.
    predicted_error_standard_error : float
        Standard error of the sum of the three terms.
    expected_error_standard_error : float
        Standard error of the measured error.
    predictions : ndarray of shape (n_repeats, n_test)
        Row r holds the predictions of the model that was fitted to training set r.
    bias_squared_per_point, variance_per_point, expected_error_per_point : ndarrays of (n_test,)
        The same quantities at each test input.
    """

    bias_squared: float
    variance: float
    noise: float
    expected_error: float
    bias_squared_standard_error: float
    variance_standard_error: float
    predicted_error_standard_error: float
    expected_error_standard_error: float
    predictions: FloatArray
    bias_squared_per_point: FloatArray
    variance_per_point: FloatArray
    expected_error_per_point: FloatArray

    @property
    def predicted_error(self) -> float:
        """The sum that the theory predicts: bias² + variance + noise."""
        return self.bias_squared + self.variance + self.noise

    @property
    def discrepancy(self) -> float:
        """Measured less predicted error; zero but for Monte-Carlo error."""
        return self.expected_error - self.predicted_error

    @property
    def discrepancy_standard_error(self) -> float:
        """Standard error of the discrepancy (its two parts share no random number)."""
        return float(
            np.hypot(self.predicted_error_standard_error, self.expected_error_standard_error)
        )


def bias_variance_decomposition(
    estimator: Any,
    problem: RegressionProblem,
    *,
    n_train: int,
    X_test: ArrayLike,
    n_repeats: int = 200,
    random_state: RandomState = None,
) -> BiasVariance:
    r"""Measure bias, variance and the expected error by simulation.

    For a model :math:`\hat f_D` fitted to a random training set :math:`D`, a test input :math:`x`
    and a fresh target :math:`y = f(x) + \varepsilon` with noise variance :math:`\sigma^2`,

    .. math::
        \underbrace{\mathbb{E}\big[(y - \hat f_D(x))^2\big]}_{\text{expected error}}
        = \underbrace{\big(\mathbb{E}_D[\hat f_D(x)] - f(x)\big)^2}_{\text{bias}^2}
        + \underbrace{\operatorname{Var}_D[\hat f_D(x)]}_{\text{variance}}
        + \underbrace{\sigma^2}_{\text{noise}}.

    The right-hand side is estimated from :math:`R` fits to fresh training sets. The left-hand
    side is measured on fresh noisy targets with :math:`R` *other* fits, so that the equality can
    be tested rather than being true by algebra.

    Parameters
    ----------
    estimator : scikit-learn-compatible regressor
        It is cloned for each fit. If it has a `random_state` of its own, an int there
        keeps its randomness the same in all fits: only the training data vary.
    problem : RegressionProblem
        Where training sets, noise and the truth come from.
    n_train : int
        Number of rows of each training set.
    X_test : array-like of shape (n_test, 1)
        The test inputs.
    n_repeats : int, default=200
        The number :math:`R` of fits for each side, at least 3.
    random_state : int, Generator or None, default=None
        Source of the training sets and of the noise. With the same int, two estimators get
        the same training sets, so that they can be compared in pairs.

    Returns
    -------
    BiasVariance
        The terms, their standard errors, and the arrays behind them.

    Raises
    ------
    ValueError
        If `n_train` is less than 1, `n_repeats` is less than 3 or `X_test` has the wrong shape.

    Notes
    -----
    Let :math:`d_r = \hat f_{D_r}(x) - f(x)`. The obvious estimate of the squared bias,
    :math:`\bar d^{\,2}`, is too large on average by :math:`\text{variance}/R`, since the
    mean of :math:`R` fits still varies. The estimate used here averages the products of *different*
    fits, whose expectation is exactly the squared bias because training sets are independent:

    .. math::
        \widehat{\text{bias}^2} = \frac{1}{R(R-1)} \sum_{r \ne s} d_r d_s
        = \bar d^{\,2} - \frac{s^2}{R},
        \qquad \widehat{\text{variance}} = s^2 = \frac{1}{R-1} \sum_r (d_r - \bar d)^2.

    It can come out slightly negative where the true bias is near zero; truncating it would bring
    the bias back. Standard errors are those of the jackknife over training sets: fits to
    different training sets are independent, predictions of one fit at different inputs are not.

    Beware of heavy tails: where a few training sets lead to absurd fits (least squares of a high
    degree), they dominate the averages, and a few hundred repeats understate the standard errors.

    References
    ----------
    S. Geman, E. Bienenstock, R. Doursat (1992). Neural networks and the bias/variance dilemma.
    Neural Computation 4(1), 1-58.

    B. Efron, C. Stein (1981). The jackknife estimate of variance. The Annals of Statistics
    9(3), 586-596.
    """
    n_repeats = check_integer("n_repeats", n_repeats, 3)
    n_train = check_integer("n_train", n_train, 1)
    X_test = np.asarray(X_test, dtype=np.float64)
    truth = problem.truth(X_test)
    rng_terms, rng_error, rng_noise = np.random.default_rng(random_state).spawn(3)

    predictions = _predict_after_refits(estimator, problem, n_train, X_test, n_repeats, rng_terms)
    deviations = predictions - truth
    variance_per_point = deviations.var(axis=0, ddof=1)
    bias_squared_per_point = deviations.mean(axis=0) ** 2 - variance_per_point / n_repeats
    bias_squared_standard_error, variance_standard_error, sum_standard_error = (
        _jackknife_standard_errors(deviations)
    )

    fresh_predictions = _predict_after_refits(
        estimator, problem, n_train, X_test, n_repeats, rng_error
    )
    fresh_targets = np.stack(
        [problem.observe(X_test, random_state=rng_noise) for _ in range(n_repeats)]
    )
    squared_errors = (fresh_targets - fresh_predictions) ** 2

    return BiasVariance(
        bias_squared=float(bias_squared_per_point.mean()),
        variance=float(variance_per_point.mean()),
        noise=problem.noise**2,
        expected_error=float(squared_errors.mean()),
        bias_squared_standard_error=bias_squared_standard_error,
        variance_standard_error=variance_standard_error,
        predicted_error_standard_error=sum_standard_error,
        expected_error_standard_error=float(stats.sem(squared_errors.mean(axis=1))),
        predictions=predictions,
        bias_squared_per_point=bias_squared_per_point,
        variance_per_point=variance_per_point,
        expected_error_per_point=squared_errors.mean(axis=0),
    )


def _predict_after_refits(
    estimator: Any,
    problem: RegressionProblem,
    n_train: int,
    X_test: FloatArray,
    n_repeats: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Fit to `n_repeats` fresh training sets; return the predictions, one row a fit."""
    predictions = np.empty((n_repeats, len(X_test)))
    for repeat in range(n_repeats):
        X, y = problem.sample(n_train, random_state=rng)
        predictions[repeat] = clone(estimator).fit(X, y).predict(X_test)
    return predictions


def _jackknife_standard_errors(deviations: FloatArray) -> tuple[float, float, float]:
    """Return the standard errors of bias², of variance and of their sum.

    The jackknife leaves out one training set at a time, recomputes each estimate, and takes the
    spread of the results. Here it needs no loop: leaving out set r removes the products d_r d_s.
    """
    n_repeats, n_test = deviations.shape
    squares = (deviations**2).mean(axis=1)  # d_r², averaged over the test inputs
    products = deviations @ deviations.sum(axis=0) / n_test - squares  # sum of d_r d_s over s ≠ r
    bias_squared = (products.sum() - 2 * products) / ((n_repeats - 1) * (n_repeats - 2))
    total = (squares.sum() - squares) / (n_repeats - 1)  # bias² + variance
    estimates = np.stack([bias_squared, total - bias_squared, total])
    variances = (n_repeats - 1) * estimates.var(axis=1)
    standard_errors = np.sqrt(variances)
    return float(standard_errors[0]), float(standard_errors[1]), float(standard_errors[2])
