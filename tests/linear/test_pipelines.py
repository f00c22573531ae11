"""The pipelines that lessons share."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import linear_model
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from lessons_lib.linear import (
    linear_regression,
    polynomial_regression,
    quadratic_regression,
    random_feature_regression,
)

RNG = np.random.default_rng(0)
X, Y = RNG.normal(2, 3, size=(80, 4)), RNG.normal(size=80)


def test_a_polynomial_is_the_least_squares_polynomial() -> None:
    x = RNG.uniform(0, 1.25, size=(40, 1))
    y = np.sin(6 * x[:, 0])
    ours = polynomial_regression(5, low=0, high=1.25).fit(x, y).predict(x)
    reference = np.polynomial.Polynomial.fit(x[:, 0], y, 5)(x[:, 0])
    np.testing.assert_allclose(ours, reference, atol=1e-9)


def test_linear_and_quadratic_equal_scikit_learns() -> None:
    for model, reference in (
        (linear_regression(3.0), make_pipeline(StandardScaler(), linear_model.Ridge(3.0))),
        (
            quadratic_regression(3.0),
            make_pipeline(
                StandardScaler(),
                PolynomialFeatures(2, include_bias=False),
                StandardScaler(),
                linear_model.Ridge(3.0),
            ),
        ),
    ):
        np.testing.assert_allclose(
            model.fit(X, Y).predict(X), reference.fit(X, Y).predict(X), rtol=1e-9
        )


def test_random_features_interpolate_when_there_are_more_than_rows() -> None:
    model = random_feature_regression(200, random_state=0).fit(X, Y)
    np.testing.assert_allclose(model.predict(X), Y, atol=1e-6)
    again = random_feature_regression(200, random_state=0).fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), again.predict(X))


@pytest.mark.parametrize(
    "model",
    [
        polynomial_regression(3),
        linear_regression(),
        quadratic_regression(),
        random_feature_regression(10),
    ],
)
def test_the_penalty_can_be_set_by_one_name(model: Pipeline) -> None:
    assert model.set_params(ridge__alpha=2.5)[-1].alpha == 2.5
