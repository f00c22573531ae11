"""The drawings of the lesson on ensembles: each is drawn, within its panels, as the page needs."""

from __future__ import annotations

import numpy as np
import pytest

from lessons_lib.ensembles import ensemble_mse
from lessons_lib.lessons.ensembles import plots

from .fit import assert_fits_the_page

RNG = np.random.default_rng(0)
COUNTS = [1, 10, 100]
DEPTHS = [1, 2, 3]
X = np.linspace(0, 1, 9)
V = 6000 + 100 * RNG.random((3, 5))
C = 3000 + 100 * RNG.random((3, 5))
CURVES = {"train": np.array([0.3, 0.2, 0.1]), "test": np.array([0.4, 0.3, 0.35])}

DRAWINGS = {
    "opening": (1, lambda: plots.opening(5000 + RNG.random((4, 6)), *RNG.random((3, 4)) + 3000)),
    "averaged errors": (
        2,
        lambda: plots.averaged_errors(
            0.5, 10, COUNTS, np.ones(3), RNG.normal(size=(6, 24)), RNG.normal(size=24)
        ),
    ),
    "staircase": (
        2,
        lambda: plots.staircase(
            X, X > 0.5, X, (X, X), 2, DEPTHS, CURVES | {"none": np.array([0.45, 0.4, 0.5])}, 0.6
        ),
    ),
    "out of bag": (
        1,
        lambda: plots.out_of_bag(COUNTS, dict.fromkeys(("test", "out of bag", "theory"), X[:3])),
    ),
    "features": (2, lambda: plots.feature_subsampling([1, 3, 10], V, C, COUNTS)),
    "label noise": (
        2,
        lambda: plots.label_noise(
            COUNTS,
            {leaf: RNG.random((3, 4)) for leaf in (1, 5, 50)},
            [1, 5, 50],
            *RNG.random((2, 3, 4)),
        ),
    ),
    "gains": (1, lambda: plots.gains({"full tree": RNG.random(5), "ridge": RNG.random(5)})),
    "arms": (
        3,
        lambda: plots.arms(
            {"1 small": RNG.random((3, 5)), "1 large, L2": RNG.random((3, 5))}, ["a", "b", "c"]
        ),
    ),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_it_fits_the_page(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    n_panels, draw = DRAWINGS[name]
    assert_fits_the_page(draw, n_panels, monkeypatch)


def test_theory_and_its_floor_are_drawn() -> None:
    errors = RNG.normal(size=(2, 24))
    left, right = plots.averaged_errors(0.25, 10, COUNTS, np.ones(3), errors, errors[0]).axes
    theory, _, floor, point = (np.asarray(line.get_ydata(), dtype=float) for line in left.lines)
    assert np.allclose(theory, [1, 0.325, 0.2575])
    assert np.allclose(floor, 0.25)
    assert np.allclose(point, 0.325)
    assert np.allclose(np.asarray(right.lines[0].get_ydata(), dtype=float), errors[0])


def test_averages_follow_from_the_moments() -> None:
    right = plots.feature_subsampling([1, 3, 10], V, C, COUNTS).axes[1]
    for line, v, c in zip(right.lines, V, C, strict=True):
        expected = ensemble_mse(v.mean(), c.mean(), np.array(COUNTS))
        assert np.allclose(np.asarray(line.get_ydata(), dtype=float), expected)
    assert [text.get_text() for text in right.texts] == ["1 feature", "3 features", "10 features"]


def test_the_bar_of_a_split_reaches_from_the_best_member_to_the_worst() -> None:
    members = RNG.random((4, 6))
    ax = plots.opening(members, *RNG.random((3, 4))).axes[0]
    ends = np.array([segment[:, 1] for segment in ax.collections[0].get_segments()])
    assert np.allclose(ends, np.column_stack([members.min(axis=1), members.max(axis=1)]))
