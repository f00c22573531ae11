"""The drawings of the lesson on the Elastic Net: each fits the page, and shows what it should."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lessons_lib import penalties
from lessons_lib.lessons.elastic_net import plots
from lessons_lib.measure import mean_confidence_interval

from .fit import assert_fits_the_page

RNG = np.random.default_rng(0)
RATIOS = np.array([0.0, 0.5, 1.0])
CURVATURE = np.array([[1.0, -0.5], [-0.5, 1.0]])
CONTACTS = np.array([[1.15, 0.3], [1.2, 0.1], [1.2, 0.0]])
INTERVALS = [mean_confidence_interval(row) for row in RNG.normal(size=(3, 8))]
PATH = np.geomspace(1, 1e-2, 10), RNG.normal(size=(8, 10))
MEASURES = {"overlap": RNG.random((3, 6)), "accuracy": RNG.random((3, 6))}


def _title(ax: Axes) -> str:
    return ax.get_title() or ax.get_title(loc="left")  # where it stands depends on the style


def _ball(l1_ratio: float) -> Figure:
    optimum = np.array([2.3, 0.8])
    return plots.explore_ball(CURVATURE, optimum, 1.2, l1_ratio, RATIOS, CONTACTS)


DRAWINGS: dict[str, tuple[int, Callable[[], Figure]]] = {
    "kept": (
        2,
        lambda: plots.kept_features(dict.fromkeys(("l1", "elastic_net"), RNG.random(9)), 2, 3),
    ),
    "ball": (2, lambda: _ball(0.5)),
    "paths": (3, lambda: plots.group_paths(dict.fromkeys("abc", PATH), 2, 3)),
    "grouping": (
        2,
        lambda: plots.explore_grouping(
            RNG.random((7, 2)), 0.5, RATIOS, RNG.random((3, 7)), 1 + RNG.random((3, 7))
        ),
    ),
    "bound": (
        3,
        lambda: plots.bound_against_difference(
            dict.fromkeys(("λ = 1", "λ = 2", "λ = 3"), (RNG.random(9), RNG.random(9))), 0.3
        ),
    ),
    "stability": (
        2,
        lambda: plots.stability(np.array([1.0, 0.5, 0.1]), {"own": MEASURES, "equal": MEASURES}),
    ),
    "gains": (
        2,
        lambda: plots.paired_gains(
            {"less lasso": INTERVALS, "less ridge": INTERVALS}, ["near-copies", "few", "many"]
        ),
    ),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_it_fits_the_page(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    n_panels, draw = DRAWINGS[name]
    assert_fits_the_page(draw, n_panels, monkeypatch)


@pytest.mark.parametrize("l1_ratio", RATIOS)
def test_the_ball_has_one_value_of_the_penalty_on_its_boundary(l1_ratio: float) -> None:
    left = _ball(l1_ratio).axes[0]
    penalty = penalties.ElasticNet(1.0, l1_ratio)
    corner = penalty.value(np.array([1.2, 0.0]))
    boundary = np.asarray(left.lines[2].get_xydata(), dtype=float)
    assert np.allclose([penalty.value(point) for point in boundary], corner)


def test_the_title_says_whether_a_coefficient_is_zero() -> None:
    assert _title(_ball(1.0).axes[0]) == "w₂ is zero"
    assert _title(_ball(0.0).axes[0]) == "both are used"


def test_the_right_panel_of_the_ball_shows_every_contact() -> None:
    lines = [np.asarray(line.get_ydata(), dtype=float) for line in _ball(0.5).axes[1].lines]
    for column in CONTACTS.T:
        assert any(line.shape == column.shape and np.allclose(line, column) for line in lines)


def test_true_features_are_told_from_noise() -> None:
    (ax,) = plots.kept_features({"l1": np.linspace(0, 1, 9)}, 2, 3).axes
    heights = [bar.get_height() for bar in ax.patches if isinstance(bar, Rectangle)]
    assert np.allclose(heights, np.linspace(0, 1, 9))
    assert len({bar.get_facecolor() for bar in ax.patches[:6]}) == 1
    assert ax.patches[0].get_facecolor() != ax.patches[6].get_facecolor()


def test_the_grouping_title_counts_pairs_that_are_kept() -> None:
    coefs = np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 2.0], [0.5, 1.5]])
    errors = RNG.random((3, 4))
    figure = plots.explore_grouping(coefs, 0.5, RATIOS, errors, errors)
    assert _title(figure.axes[0]) == "both kept: 50%"


def test_intervals_are_drawn_from_end_to_end() -> None:
    ax = plots.paired_gains({"less lasso": INTERVALS}, ["a", "b", "c"]).axes[0]
    drawn = [np.asarray(line.get_xdata(), dtype=float) for line in ax.lines]
    for interval in INTERVALS:
        assert any(
            line.shape == (2,) and np.allclose(line, [interval.low, interval.high])
            for line in drawn
        )
