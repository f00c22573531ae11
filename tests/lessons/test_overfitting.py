"""The drawings of the first lesson: each is drawn, within its panels, as the page needs it."""

from __future__ import annotations

import numpy as np
import pytest

from lessons_lib.data import sinusoid_problem
from lessons_lib.lessons.overfitting import plots
from lessons_lib.linear import polynomial_regression
from lessons_lib.measure import bias_variance_decomposition

from .fit import assert_fits_the_page

RNG = np.random.default_rng(0)
PROBLEM = sinusoid_problem(noise=0.3)
X, Y = PROBLEM.sample(20, random_state=0)
MODEL = polynomial_regression(5).fit(X, Y)
ERRORS = 0.1 + RNG.random((2, 6, 8))
X_TEST = np.linspace(-1, 1, 21)[:, None]
STRENGTHS = np.geomspace(1e-3, 1, 4)
PARTS = [
    bias_variance_decomposition(
        polynomial_regression(5, alpha=20 * s), PROBLEM, n_train=20, X_test=X_TEST, n_repeats=5
    )
    for s in STRENGTHS
]

DRAWINGS = {
    "fits": (3, lambda: plots.fits(PROBLEM, X, Y, {"a": MODEL, "b": MODEL, "c": MODEL})),
    "capacity": (1, lambda: plots.capacity_curve(range(6), *ERRORS, 0.3)),
    "explore capacity": (
        2,
        lambda: plots.explore_capacity(PROBLEM, X, Y, MODEL, 5, range(6), *ERRORS),
    ),
    "training": (1, lambda: plots.training_curves(np.arange(1, 7), *ERRORS)),
    "learning": (
        3,
        lambda: plots.learning_curves(
            range(6), dict.fromkeys("abc", (ERRORS[0], ERRORS[1])), ceiling=2
        ),
    ),
    "bias and variance": (1, lambda: plots.bias_variance_curves(STRENGTHS, PARTS, "λ", at=0.1)),
    "explore penalty": (
        2,
        lambda: plots.explore_penalty(PROBLEM, 1, STRENGTHS, PARTS, X_TEST),
    ),
    "cross-validation": (
        1,
        lambda: plots.cross_validation_curve(np.geomspace(0.01, 1, 6), *ERRORS, 1, 3),
    ),
    "double descent": (
        2,
        lambda: plots.double_descent(
            range(1, 7), 3, dict.fromkeys("ab", np.concatenate([ERRORS, ERRORS[:1]]))
        ),
    ),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_it_fits_the_page(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    n_panels, draw = DRAWINGS[name]
    assert_fits_the_page(draw, n_panels, monkeypatch)


def test_the_terms_are_drawn_at_their_values() -> None:
    ax = plots.bias_variance_curves(STRENGTHS, PARTS, "λ").axes[0]
    drawn = [np.asarray(line.get_ydata(), dtype=float) for line in ax.lines]
    variance = [part.variance for part in PARTS]
    total = [part.predicted_error for part in PARTS]
    assert any(line.shape == (4,) and np.allclose(line, variance) for line in drawn)
    assert any(line.shape == (4,) and np.allclose(line, total) for line in drawn)
