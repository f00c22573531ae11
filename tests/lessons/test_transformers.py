"""The drawings of the lesson on transformers: each is drawn, within its panels."""

from __future__ import annotations

import numpy as np
import pytest

from lessons_lib.lessons.transformers import plots

from .fit import assert_fits_the_page

RNG = np.random.default_rng(0)
STEPS = np.array([1, 10, 100, 1000, 2000])
CURVES = RNG.random((2, 3, 5))
WEIGHTS = np.tril(np.ones((6, 6))) / np.arange(1, 7)[:, None]

DRAWINGS = {
    "grokking": (
        3,
        lambda: plots.grokking(STEPS, CURVES, CURVES, 50 * CURVES, ["no decay", "decay 1"]),
    ),
    "cursor": (2, lambda: plots.cursor(STEPS, *CURVES[0, :2], 50 * CURVES[0, 0], 2, 90.0)),
    "arms": (
        1,
        lambda: plots.arms({"none": CURVES[:, 0], "label smoothing": CURVES[:, 1]}, "accuracy"),
    ),
    "attention": (2, lambda: plots.attention(WEIGHTS, "is bet", 3)),
    "norms": (3, lambda: plots.norms(*RNG.normal(size=(3, 12)))),
    "language": (
        3,
        lambda: plots.language(STEPS, dict.fromkeys(["none", "decay", "dropout"], CURVES), 2.5),
    ),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_it_fits_the_page(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    n_panels, draw = DRAWINGS[name]
    assert_fits_the_page(draw, n_panels, monkeypatch)


def test_the_norm_of_each_seed_is_drawn() -> None:
    ax = plots.grokking(STEPS, CURVES, CURVES, 50 * CURVES, ["a", "b"]).axes[2]
    drawn = np.array([line.get_ydata() for line in ax.lines], dtype=float)
    assert np.allclose(drawn, 50 * CURVES.reshape(6, 5))


def test_a_hidden_place_is_marked_and_not_drawn() -> None:
    left = plots.attention(WEIGHTS, "is bet", 3).axes[0]
    column, row = (np.asarray(data) for data in left.lines[0].get_data())
    assert len(row) == 15
    assert np.all(column > row)
    assert len(left.collections[0].get_sizes()) == 21


def test_training_and_test_results_are_told_apart() -> None:
    ax = plots.arms({"none": (np.array([1.0, 1.0]), np.array([0.0, 0.1]))}, "accuracy").axes[0]
    assert [np.asarray(line.get_xdata(), dtype=float).mean() for line in ax.lines] == [1.0, 0.05]
