"""The error of an average, from the errors of its members."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lessons_lib.ensembles import ensemble_mse, error_moments

FEW = settings(max_examples=30, derandomize=True, deadline=None)


@pytest.mark.parametrize(("V", "C", "k"), [(2.0, 0.5, 5), (1.0, 0.0, 3), (1.0, -0.2, 4), (3, 3, 7)])
def test_the_formula_agrees_with_correlated_draws(V, C, k):
    covariance = np.full((k, k), float(C))
    np.fill_diagonal(covariance, V)
    errors = np.random.default_rng(0).multivariate_normal(np.zeros(k), covariance, 100_000)
    squares = errors.mean(axis=1) ** 2
    margin = 4 * squares.std() / np.sqrt(len(squares))
    assert ensemble_mse(V, C, k) == pytest.approx(squares.mean(), abs=margin)


def test_arguments_broadcast():
    k = np.array([1, 2, 10])
    result = ensemble_mse(2.0, np.array([[0.0], [1.0], [2.0]]), k)
    np.testing.assert_allclose(result, [2 / k, 1 + 1 / k, np.full(3, 2.0)])
    assert isinstance(ensemble_mse(2.0, 1.0, 4), float)


@FEW
@given(
    seed=st.integers(0, 10_000),
    shape=st.tuples(st.integers(2, 8), st.integers(1, 20), st.integers(1, 3)),
)
def test_moments_explain_the_error_of_the_average_exactly(seed, shape):
    rng = np.random.default_rng(seed)
    errors = rng.normal(size=shape) * rng.uniform(0, 3, (shape[0], 1, 1)) + rng.normal()
    V, C = error_moments(errors)
    assert pytest.approx((errors**2).mean()) == V
    pairs = [(a * b).mean() for i, a in enumerate(errors) for j, b in enumerate(errors) if i != j]
    assert pytest.approx(np.mean(pairs), abs=1e-12) == C
    assert ensemble_mse(V, C, len(errors)) == pytest.approx((errors.mean(axis=0) ** 2).mean())


def test_equal_errors_gain_nothing():
    V, C = error_moments(np.tile(np.random.default_rng(0).normal(size=50), (5, 1)))
    assert pytest.approx(V) == C
    assert ensemble_mse(V, C, 100) == pytest.approx(V)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((1.0, 0.0, 0), ValueError, "k must be at least 1, got 0"),
        ((1.0, 0.0, 2.0), TypeError, "k must consist of integers"),
        ((-1.0, -1.0, 2), ValueError, "V must be finite and not negative"),
        ((np.nan, 0.0, 2), ValueError, "V must be finite"),
        ((1.0, 1.1, 2), ValueError, "C must be finite and at most V"),
        ((1.0, np.nan, 2), ValueError, "C must be finite"),
        ((1.0, -0.5, 4), ValueError, r"C must be at least -V / \(k - 1\)"),
    ],
)
def test_impossible_moments(arguments, error, message):
    with pytest.raises(error, match=message):
        ensemble_mse(*arguments)


@pytest.mark.parametrize(
    ("errors", "message"),
    [
        (np.ones(3), "at least two models and one sample, got"),
        (np.ones((1, 3)), "at least two models"),
        (np.ones((2, 0)), "at least two models and one sample"),
        ([[1.0, np.nan], [0.0, 0.0]], "errors must be finite"),
    ],
)
def test_bad_errors(errors, message):
    with pytest.raises(ValueError, match=message):
        error_moments(errors)
