"""Models that several lessons use: a basis, a scaling and a ridge regression in one pipeline.

Each is an ordinary scikit-learn pipeline with a last step named ``ridge``, so that
``model.set_params(ridge__alpha=...)`` changes its penalty. The default ``alpha=0`` is plain least
squares, of minimum norm where the solution is not unique.
"""

from __future__ import annotations

from sklearn.pipeline import Pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from lessons_lib.linear.features import LegendreFeatures, RandomReLUFeatures
from lessons_lib.linear.ridge import Ridge

__all__ = [
    "linear_regression",
    "polynomial_regression",
    "quadratic_regression",
    "random_feature_regression",
]


def polynomial_regression(
    degree: int, alpha: float = 0.0, *, low: float = -1.0, high: float = 1.0
) -> Pipeline:
    """Return a polynomial in one variable.

    Parameters
    ----------
    degree : int
        Degree of the polynomial, at least 0.
    alpha : float, default=0.0
        Penalty strength of :class:`~lessons_lib.linear.Ridge`, on the coefficients of Legendre
        polynomials.
    low, high : float, default=-1, 1
        The interval on which these are orthogonal, usually that of the inputs.

    Returns
    -------
    Pipeline
        Steps ``basis`` and ``ridge``.
    """
    return Pipeline(
        [("basis", LegendreFeatures(degree, low=low, high=high)), ("ridge", Ridge(alpha=alpha))]
    )


def linear_regression(alpha: float = 0.0) -> Pipeline:
    """Return a linear model on standardized features.

    Parameters
    ----------
    alpha : float, default=0.0
        Penalty strength of :class:`~lessons_lib.linear.Ridge`.

    Returns
    -------
    Pipeline
        Steps ``scale`` and ``ridge``.
    """
    return Pipeline([("scale", StandardScaler()), ("ridge", Ridge(alpha=alpha))])


def quadratic_regression(alpha: float = 0.0) -> Pipeline:
    """Return a linear model on standardized features, their squares and their products.

    Parameters
    ----------
    alpha : float, default=0.0
        Penalty strength of :class:`~lessons_lib.linear.Ridge`.

    Returns
    -------
    Pipeline
        Steps ``scale``, ``basis``, ``rescale`` and ``ridge``. Squares and products are standardized
        again, so that the penalty treats all alike.
    """
    return Pipeline(
        [
            ("scale", StandardScaler()),
            ("basis", PolynomialFeatures(degree=2, include_bias=False)),
            ("rescale", StandardScaler()),
            ("ridge", Ridge(alpha=alpha)),
        ]
    )


def random_feature_regression(
    n_components: int, alpha: float = 0.0, random_state: int | None = None
) -> Pipeline:
    """Return a network with one layer of fixed random ReLU units; only its output is fitted.

    Parameters
    ----------
    n_components : int
        Number of random units, at least 1.
    alpha : float, default=0.0
        Penalty strength of :class:`~lessons_lib.linear.Ridge` on the output weights.
    random_state : int or None, default=None
        Source of the fixed weights.

    Returns
    -------
    Pipeline
        Steps ``scale``, ``units`` and ``ridge``.
    """
    return Pipeline(
        [
            ("scale", StandardScaler()),
            ("units", RandomReLUFeatures(n_components, random_state=random_state)),
            ("ridge", Ridge(alpha=alpha)),
        ]
    )
