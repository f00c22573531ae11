"""The drawings of the lesson on L2: each is drawn, within its panels, as the page needs it."""

from __future__ import annotations

import numpy as np
import pytest

from lessons_lib.lessons.l2 import plots

from .fit import assert_fits_the_page

RNG = np.random.default_rng(0)
LAMBDAS = np.geomspace(1e-2, 10, 5)
HESSIAN = np.array([[1.0, 0.8], [0.8, 1.0]])
TRUTH = np.array([1.0, 0.6])
ERRORS = {"train": LAMBDAS, "validation": LAMBDAS + 1}

DRAWINGS = {
    "opening": (2, lambda: plots.opening(*RNG.normal(size=(2, 9, 2)))),
    "factors": (
        2,
        lambda: plots.filter_factors(
            np.array([3.0, 1.0, 0.1]), (0.1, 1.0, 10.0), LAMBDAS, 1 / LAMBDAS
        ),
    ),
    "geometry": (2, lambda: plots.geometry(HESSIAN, TRUTH, 1.0, 0.5, LAMBDAS)),
    "trace": (
        2,
        lambda: plots.ridge_trace(LAMBDAS, RNG.normal(size=(4, 5)), {0: "a", 2: "b"}, ERRORS, 0.1),
    ),
    "trajectories": (
        3,
        lambda: plots.trajectories(
            np.arange(4.0), dict.fromkeys("abc", RNG.random((4, 6, 3))), (0.5, 2, 8)
        ),
    ),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_it_fits_the_page(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    n_panels, draw = DRAWINGS[name]
    assert_fits_the_page(draw, n_panels, monkeypatch)


def test_the_ellipse_touches_the_circle_at_the_ridge_solution() -> None:
    left, right = plots.geometry(HESSIAN, TRUTH, 1.0, 0.5, LAMBDAS).axes
    points = [line.get_xydata() for line in left.lines]
    solution = np.linalg.solve(
        HESSIAN + 0.5 * np.eye(2), HESSIAN @ (TRUTH + np.array([1, -1]) * 0.5**0.5)
    )
    assert any(p.shape == (1, 2) and np.allclose(p, solution) for p in points)
    ellipse, circle = points[3], points[4]
    assert np.allclose(np.linalg.norm(circle, axis=1), np.linalg.norm(solution))
    # No point of the ellipse lies inside the circle: they only touch.
    assert np.linalg.norm(ellipse, axis=1).min() > np.linalg.norm(solution) - 1e-9
    train = np.asarray(right.lines[0].get_ydata(), dtype=float)
    assert np.all(np.diff(train) > 0)


def test_the_trace_draws_every_coefficient() -> None:
    coefs = RNG.normal(size=(4, 5))
    left = plots.ridge_trace(LAMBDAS, coefs, {1: "a"}, ERRORS, 0.1).axes[0]
    drawn = [np.asarray(line.get_ydata(), dtype=float) for line in left.lines]
    for row in coefs:
        assert any(line.shape == (5,) and np.allclose(line, row) for line in drawn)


def test_the_line_of_the_opening_holds_the_true_sum() -> None:
    for ax in plots.opening(*RNG.normal(size=(2, 9, 2))).axes:
        line = np.asarray(ax.lines[0].get_xydata(), dtype=float)
        assert np.allclose(line.sum(axis=1), 2)
