"""The path of gradient descent without stepping."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from lessons_lib.linear import descent_filter, descent_path
from lessons_lib.penalties import L2
from lessons_lib.solvers import gradient_descent

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("n_samples", "n_features"), [(30, 4), (8, 20)])
def test_the_path_is_that_of_gradient_descent(n_samples, n_features):
    X = RNG.standard_normal((n_samples, n_features))
    y = RNG.standard_normal(n_samples)
    coefs, rate = descent_path(X, y, [0, 1, 7, 50])
    assert rate == pytest.approx(n_samples / np.linalg.norm(X, 2) ** 2)
    w = np.zeros(n_features)
    for step in range(51):
        if step in (0, 1, 7, 50):
            assert np.allclose(coefs[:, [0, 1, 7, 50].index(step)], w, atol=1e-12)
        w = w - rate * X.T @ (X @ w - y) / n_samples
    slow, _ = descent_path(X, y, [20], learning_rate=rate / 3)
    solver = gradient_descent(
        X, y, L2(0.0), learning_rate=rate / 3, max_iter=20, tol=None, record=False
    )
    assert np.allclose(slow[:, 0], solver.coef)


def test_the_path_ends_at_least_squares_of_minimum_norm():
    X, y = RNG.standard_normal((6, 9)), RNG.standard_normal(6)
    coefs, _ = descent_path(X, y, [10**7])
    assert np.allclose(coefs[:, 0], np.linalg.lstsq(X, y)[0])


def test_early_steps_match_a_strong_penalty():
    X, y = RNG.standard_normal((40, 5)), RNG.standard_normal(40)
    coefs, rate = descent_path(X, y, [10], learning_rate=1e-6)
    matched = Ridge(alpha=len(y) / (rate * 10), fit_intercept=False).fit(X, y).coef_
    assert np.allclose(coefs[:, 0], matched, rtol=1e-4)


def test_descent_filter_by_hand():
    kept = descent_filter([2.0, 0.5, 0.0], 0.5, [0, 1, 3])
    assert np.allclose(kept, [[0, 1, 1], [0, 0.25, 1 - 0.75**3], [0, 0, 0]])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: descent_filter([1.0], 0.0, [1]), ValueError, "learning_rate must"),
        (lambda: descent_filter([1.0], 2.1, [1]), ValueError, "learning_rate must be at most 2"),
        (lambda: descent_filter([-1.0], 0.1, [1]), ValueError, "curvatures and n_steps must"),
        (lambda: descent_filter([1.0], 0.1, [-1]), ValueError, "curvatures and n_steps must"),
        (lambda: descent_filter([np.nan], 0.1, [1]), ValueError, "curvatures and n_steps must"),
        (lambda: descent_filter([1.0], 0.1, [np.nan]), ValueError, "curvatures and n_steps must"),
        (lambda: descent_path([[1.0], [2.0]], [1.0], [1]), ValueError, "inconsistent numbers"),
    ],
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()
