"""The drawings of the lesson on augmentation: each is drawn within its panels."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from lessons_lib.lessons.augmentation import plots
from lessons_lib.page import figures

RNG = np.random.default_rng(0)
DIGIT = RNG.random((8, 8))
TONE = np.sin(2 * np.pi * 500 * np.arange(4000) / 8000)
ARMS = {"noise": RNG.normal(size=6), "left to right": 3 + RNG.normal(size=6)}
ERRORS = {"train": RNG.random((3, 5)), "test": RNG.random((3, 5))}
CURVES = {"train": RNG.random(4), "test": RNG.random(4)}

DRAWINGS = {
    "gallery": (
        2,
        lambda: plots.gallery(
            [
                {f"left {i}": DIGIT for i in range(6)},
                {f"right {i}": RNG.random((6, 8, 3)) for i in range(5)},
            ]
        ),
    ),
    "differences": (1, lambda: plots.differences(ARMS, "error less the baseline's")),
    "rotated": (
        3,
        lambda: plots.rotated_digits(
            [DIGIT] * 6,
            [0, 1, 2, 3, 4, 5],
            [0, 1, 2, 3, 4, 6],
            [-180, -90, 0, 90, 180],
            {"none": RNG.random(5), "augmentation": RNG.random(5)},
            90,
            [0, 60, 180],
            ERRORS,
            60,
        ),
    ),
    "spectrograms": (2, lambda: plots.spectrograms({"a": TONE, "b": TONE[:2000]}, 8000)),
    "efficiency": (
        1,
        lambda: plots.data_efficiency(
            [50, 100, 200],
            {"none": RNG.random((3, 4)) / 2, "convolution": RNG.random((3, 4)) / 2},
            {"none": "dense", "convolution": "convolution"},
        ),
    ),
    "gaps": (
        1,
        lambda: plots.logit_gaps(
            [10, 20, 30], {0.0: 10 * RNG.random(3), 0.1: RNG.random(3)}, {0.0: np.inf, 0.1: 4.5}
        ),
    ),
    "calibration": (
        3,
        lambda: plots.calibration(
            (np.array([0.3, 0.6, 0.9]), np.array([0.2, 0.7, 0.8]), np.array([0.1, 0.2, 0.7])),
            [0, 0.1, 0.2, 0.5],
            CURVES,
            {"augmentation": RNG.random(4), "none": RNG.random(4)},
            2,
        ),
    ),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_it_fits_the_page(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    n_panels, draw = DRAWINGS[name]
    figure = draw()
    assert isinstance(figure, Figure)
    assert len(figure.axes) == n_panels
    if name != "gallery":
        assert all(ax.get_xlabel() or ax.images for ax in figure.axes)
    # The static form refuses labels that leave their panel.
    monkeypatch.setenv("LESSONS_LIB_STATIC", "1")
    figures.show(figure, caption="A caption.", alt=f"A drawing of {name}.")


def test_pictures_keep_their_pixels() -> None:
    left, right = DRAWINGS["gallery"][1]().axes
    assert [len(left.images), len(right.images)] == [6, 5]
    assert np.array_equal(np.asarray(left.images[0].get_array()), DIGIT)
    assert [text.get_text() for text in left.texts] == [f"left {i}" for i in range(6)]


def test_wrong_predictions_are_marked() -> None:
    titles = [text.get_text() for text in DRAWINGS["rotated"][1]().axes[0].texts]
    assert titles == ["0", "1", "2", "3", "4", "6 ✗"]


def test_intervals_are_drawn_around_the_means() -> None:
    (ax,) = DRAWINGS["differences"][1]().axes
    points = [line for line in ax.lines if line.get_marker() == "*"]
    means = [float(np.asarray(line.get_xdata())[0]) for line in points]
    assert np.allclose(means, [values.mean() for values in ARMS.values()])


def test_a_tone_is_a_dark_line_at_its_frequency() -> None:
    ax = DRAWINGS["spectrograms"][1]().axes[0]
    picture = np.asarray(ax.images[0].get_array())
    _, _, bottom, top = ax.images[0].get_extent()
    row = int(np.argmax(picture[:, picture.shape[1] // 2]))
    frequency = top - (row / (len(picture) - 1)) * (top - bottom)
    assert frequency == pytest.approx(0.5, abs=0.04)
