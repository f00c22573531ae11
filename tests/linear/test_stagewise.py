"""Forward stagewise regression: its greedy rule, and the lasso path that it approaches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes
from sklearn.linear_model import lars_path as sklearn_lars_path

from lessons_lib.linear import forward_stagewise


def standardized(X, y):
    X = X - X.mean(axis=0)
    return X / X.std(axis=0), y - y.mean()


def at_norms(coefs, norms):
    """Read a piecewise linear path off at given L1 norms."""
    size = np.abs(coefs).sum(axis=0)
    return np.array([np.interp(norms, size, row) for row in coefs])


@pytest.mark.parametrize(("step", "tolerance"), [(1.0, 2.0), (0.1, 0.2), (0.01, 0.02)])
def test_the_path_approaches_the_lassos(step, tolerance):
    # While the lasso's coefficients only grow, the difference is of the order of the step.
    X, y = standardized(*load_diabetes(return_X_y=True))
    _, _, lasso = sklearn_lars_path(X, y, method="lasso")
    monotone = np.cumprod((np.diff(np.abs(lasso), axis=1) >= -1e-9).all(axis=0))
    lasso = lasso[:, : monotone.sum() + 1]
    assert lasso.shape[1] > 6
    norms = np.linspace(0, np.abs(lasso[:, -1]).sum(), 40)
    path = forward_stagewise(X, y, step, n_steps=int(1.5 * norms[-1] / step))
    difference = np.abs(at_norms(path, norms) - at_norms(lasso, norms)).max()
    assert difference < tolerance


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), step=st.floats(0.01, 0.5))
def test_each_step_follows_the_rule_and_lowers_the_error(seed, step):
    rng = np.random.default_rng(seed)
    X, y = standardized(rng.standard_normal((30, 4)), rng.standard_normal(30))
    path = forward_stagewise(X, y, step, 20)
    moves = np.diff(path, axis=1)
    assert np.all((moves != 0).sum(axis=0) == 1)
    np.testing.assert_allclose(np.abs(moves).sum(axis=0), step)
    for t, move in enumerate(moves.T):
        residual = y - X @ path[:, t]
        correlation = X.T @ residual
        [j] = np.flatnonzero(move)
        assert abs(correlation[j]) == pytest.approx(np.abs(correlation).max())
        assert ((residual - X @ move) ** 2).sum() < (residual**2).sum() + 1e-9
    if path.shape[1] < 21:
        residual = y - X @ path[:, -1]
        errors = [((residual - s * step * X[:, j]) ** 2).sum() for j in range(4) for s in (-1, 1)]
        assert min(errors) >= (residual**2).sum() - 1e-9


def test_no_steps():
    np.testing.assert_array_equal(forward_stagewise([[1.0]], [1.0], 0.1, 0), [[0.0]])
    np.testing.assert_array_equal(forward_stagewise([[1.0]], [0.0], 0.1, 5), [[0.0]])


@pytest.mark.parametrize(
    ("step", "n_steps", "error", "message"),
    [
        (0.0, 5, ValueError, "step must lie in"),
        (0.1, -1, ValueError, "n_steps must be at least 0"),
        (0.1, 1.5, TypeError, "n_steps must be an integer"),
    ],
)
def test_bad_arguments(step, n_steps, error, message):
    with pytest.raises(error, match=message):
        forward_stagewise([[1.0]], [1.0], step, n_steps)
