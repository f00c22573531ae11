"""The drawings of the lesson on SGD noise: each is drawn, within its panels, as the page needs."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from lessons_lib.lessons.sgd_noise import plots

from .fit import assert_fits_the_page

RNG = np.random.default_rng(0)
SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256]
NOISE = {"with": 10 / np.array(SIZES), "without": 10 / np.array(SIZES) - 10 / 256}
STEPS = np.linspace(-1, 1, 9)
BOWL = 3 * (STEPS**2 + STEPS[:, None] ** 2)
SLICES = {"train": 2 * STEPS**2, "test": 1 + 2 * STEPS**2}
FACTORS = np.array([0.1, 1.0, 10.0])
MEASURES = {"λ_max": ("l1", np.array([50.0, 1.0, 90.0])), "adaptive": ("l2", np.ones(3))}
LEVELS = np.array([0.7, 0.4, 0.2, 0.1])
PATHS = {
    text: (name, RNG.normal(mean, 1, size=(4, 6)))
    for text, name, mean in (("256", "none", 22), ("64", "test", 21), ("16", "sgd", 20))
}
TEMPERATURES = [1 / 256, 1 / 256, 1 / 16, 1 / 16]


def trajectory(done: int) -> Figure:
    path = np.cumsum(RNG.normal(size=(6, 2)), axis=0)
    curves = {"train": np.linspace(2, 0.1, 6), "test": np.linspace(2, 0.8, 6)}
    x, y = np.linspace(-26, 6, 9), np.linspace(-10, 10, 9)
    return plots.explore_trajectory(x, y, BOWL, path, np.arange(6.0), curves, done)


DRAWINGS = {
    "paths": (2, lambda: plots.training_paths(LEVELS, PATHS)),
    "temperature": (
        1,
        lambda: plots.by_temperature(TEMPERATURES, RNG.normal(size=(4, 5)), ["256, 1"] * 4),
    ),
    "cloud": (
        2,
        lambda: plots.explore_cloud(RNG.normal(size=(30, 2)), 0.3, 16, SIZES, NOISE, NOISE),
    ),
    "margin": (
        2,
        lambda: plots.margin(
            RNG.normal(size=(10, 2)),
            np.repeat([1.0, -1.0], 5),
            np.array([0.9, 0.4]),
            {"t = 10": np.array([0.6, -0.5]), "t = 1000": np.array([1.0, 0.1])},
            10.0 ** np.arange(5),
            np.array([60.0, 50.0, 30.0, 9.0, 2.0]),
        ),
    ),
    "surfaces": (3, lambda: plots.surfaces(STEPS, dict.fromkeys(("a", "b", "c"), BOWL))),
    "trajectory": (2, lambda: trajectory(4)),
    "rescaling": (
        3,
        lambda: plots.explore_rescaling(STEPS, SLICES, SLICES, FACTORS, MEASURES, 10.0),
    ),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_it_fits_the_page(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    n_panels, draw = DRAWINGS[name]
    assert_fits_the_page(draw, n_panels, monkeypatch)


def drawn(ax: object) -> list[np.ndarray]:
    return [np.asarray(line.get_xydata(), dtype=float) for line in ax.lines]  # type: ignore[attr-defined]


def test_the_right_panel_of_the_paths_holds_paired_differences() -> None:
    right = plots.training_paths(LEVELS, PATHS).axes[1]
    less = (PATHS["16"][1] - PATHS["256"][1]).mean(axis=1)
    assert any(np.allclose(xy[:, 1], less) for xy in drawn(right))
    assert any(np.allclose(xy[:, 1], 0) for xy in drawn(right))
    assert right.get_xlim() == (LEVELS[0], LEVELS[-1])


def test_arms_of_one_temperature_stand_side_by_side() -> None:
    values = RNG.normal(size=(4, 5))
    ax = plots.by_temperature(TEMPERATURES, values, ["a", "b", "c", "d"]).axes[0]
    points = np.array([xy[0] for xy in drawn(ax) if len(xy) == 1])
    assert np.allclose(points[:, 1], values.mean(axis=1))
    assert np.all(points[::2, 0] < TEMPERATURES[::2])
    assert np.all(points[1::2, 0] > TEMPERATURES[1::2])


def test_no_noise_is_left_out_of_the_logarithmic_panel() -> None:
    cloud = RNG.normal(size=(30, 2))
    right = plots.explore_cloud(cloud, 0.3, 16, SIZES, NOISE, NOISE).axes[1]
    lengths = [len(xy) for xy in drawn(right)[:4]]
    assert lengths == [9, 9, 8, 8]


def test_the_lines_are_orthogonal_to_their_normal_vectors() -> None:
    _, draw = DRAWINGS["margin"]
    ends = [xy for xy in drawn(draw().axes[0]) if len(xy) == 2]
    for xy, normal in zip(ends, ([0.9, 0.4], [0.6, -0.5], [1.0, 0.1]), strict=True):
        assert np.allclose(xy @ normal, 0)


def test_the_way_is_drawn_as_far_as_it_has_gone() -> None:
    for done in (1, 4, 6):
        left, right = trajectory(done).axes
        assert max(len(xy) for xy in drawn(left)) == done
        marker = drawn(right)[-1]
        assert np.allclose(marker[:, 0], done - 1)
