"""The drawings of the lesson on the lasso: each within its panels, as the page needs it."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lessons_lib import solvers
from lessons_lib.lessons.l1 import plots
from lessons_lib.penalties import L1

from .fit import assert_fits_the_page

RNG = np.random.default_rng(0)
X = RNG.standard_normal((30, 8))
Y = X[:, 0] - X[:, 1] + RNG.standard_normal(30)
NAMES = [f"x{j}" for j in range(8)]
PATH = solvers.homotopy(X, Y)
ALPHAS = PATH.alphas[0] * np.geomspace(1, 1e-2, 12)
COEFS = PATH.coef_at(ALPHAS)
ERRORS = 1 + RNG.random((2, 12, 5))
CURVATURE = np.array([[1.0, -0.5], [-0.5, 1.0]])
CORNER, SMOOTH = np.array([1.2, 0.0]), np.array([1.157, 0.32])
STEPS = np.linspace(-0.3, 0, 41)


def geometry() -> Figure:
    return plots.explore_geometry(CURVATURE, np.array([2.3, 1.1]), 1.2, CORNER, SMOOTH)


def histories(seconds: float = 1e-3) -> dict[str, solvers.History]:
    """Return two recorded solvers and a direct one that took this time."""
    found = {}
    for name, solver in (("ISTA", solvers.ista), ("FISTA", solvers.fista)):
        history = solver(X, Y, L1(0.1), max_iter=50, tol=None, record=True).history
        assert history is not None
        found[name] = history
    exact = PATH.coef_at(0.1)
    zeros = np.zeros(2)
    found["homotopy"] = solvers.History(
        zeros,
        np.array([1.0, 0.0]),
        np.array([0, 2]),
        np.array([0.0, seconds]),
        np.array([exact] * 2),
    )
    return found


DRAWINGS = {
    "pushes": (2, plots.pushes),
    "steps": (2, lambda: plots.steps_toward_zero(STEPS, STEPS, STEPS)),
    "thresholds": (1, lambda: plots.thresholds(1.0)),
    "geometry": (2, geometry),
    "path": (1, lambda: plots.coefficient_path(ALPHAS, COEFS, NAMES, PATH.alphas)),
    "explore path": (2, lambda: plots.explore_path(5, ALPHAS, COEFS, NAMES, *ERRORS)),
    "convergence": (2, lambda: plots.convergence(histories(), 1.0)),
    "convergence, direct solver quick": (2, lambda: plots.convergence(histories(1e-6), 1.0)),
    "convergence, direct solver slow": (2, lambda: plots.convergence(histories(2.0), 1.0)),
    "posterior": (
        1,
        lambda: plots.posterior(np.linspace(-1, 1, 50), 1 + RNG.random((2, 50)), 0.0, 0.1),
    ),
    "selection": (
        2,
        lambda: plots.selection_frequencies(
            RNG.random(8), NAMES, RNG.random((20, 2)), RNG.random((20, 2))
        ),
    ),
    "compression": (
        1,
        lambda: plots.compression(
            np.geomspace(1e3, 1e5, 6),
            {name: 0.5 + RNG.random((6, 4)) / 2 for name in "abcde"},
            RNG.random(4),
        ),
    ),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_it_fits_the_page(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    n_panels, draw = DRAWINGS[name]
    assert_fits_the_page(draw, n_panels, monkeypatch)


def title(ax: Axes) -> str:
    return ax.get_title(loc="left") or ax.get_title()


def test_the_geometry_names_the_zeros() -> None:
    diamond, circle = geometry().axes
    assert "w2 = 0" in title(diamond)
    assert "no zero" in title(circle)


def test_the_contour_passes_through_the_contact() -> None:
    diamond, _ = geometry().axes
    optimum = np.array([2.3, 1.1])

    def loss(points: NDArray[np.float64]) -> NDArray[np.float64]:
        offset = points - optimum
        values: NDArray[np.float64] = np.einsum("ij,jk,ik->i", offset, CURVATURE, offset)
        return values

    at_contact = loss(CORNER[None])
    curves = [np.asarray(line.get_xydata()) for line in diamond.lines]
    assert any(len(curve) > 9 and np.allclose(loss(curve), at_contact) for curve in curves)


def test_the_path_marks_where_it_stands() -> None:
    figure = plots.explore_path(5, ALPHAS, COEFS, NAMES, *ERRORS)
    for ax in figure.axes:
        assert any(np.allclose(line.get_xdata(), ALPHAS[5]) for line in ax.lines)
    kept = np.count_nonzero(COEFS[:, 5])
    assert title(figure.axes[0]) == f"{kept} of 8 features"
