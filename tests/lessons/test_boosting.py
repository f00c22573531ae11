"""The drawings of the lesson on boosting: each is drawn, within its panels, as the page needs."""

from __future__ import annotations

import numpy as np
import pytest

from lessons_lib.lessons.boosting import plots
from lessons_lib.lessons.boosting.exercises import cost_of_waiting, measured_cost_of_waiting

from .fit import assert_fits_the_page

RNG = np.random.default_rng(0)
COUNTS = [1, 10, 100]
X = np.linspace(0, 1, 9)
LARGE = {"train": np.array([6000.0, 3000, 500]), "test": np.array([6000.0, 3500, 4200])}
SMALL = {"train": np.array([0.1, 0.05, 0.0]), "test": np.array([0.11, 0.06, 0.03])}

DRAWINGS = {
    "opening": (2, lambda: plots.opening(COUNTS, LARGE, LARGE, 3200.0)),
    "rounds": (2, lambda: plots.rounds(X, X, X, (X, X), COUNTS, SMALL, 10)),
    "time": (2, lambda: plots.time(dict.fromkeys((0.3, 0.1, 0.03), LARGE))),
    "stagewise": (
        2,
        lambda: plots.stagewise(30 * X[None, :3], 31 * X[None, :3], LARGE, X[:3], 0.1),
    ),
    "margins": (
        2,
        lambda: plots.margins({"train": X, "test": X - 0.5}, COUNTS, SMALL, 10),
    ),
    "leaf penalty": (2, lambda: plots.leaf_penalty([0.0, 1.0, 10.0], *RNG.random((2, 3, 9)) / 2)),
    "arms": (1, lambda: plots.arms({"depth 3": RNG.random(5), "ridge": RNG.random(5)}, "error")),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_it_fits_the_page(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    n_panels, draw = DRAWINGS[name]
    assert_fits_the_page(draw, n_panels, monkeypatch)


def test_time_is_the_rate_times_the_rounds() -> None:
    left, right = plots.time({0.3: LARGE, 0.03: LARGE}).axes
    for line, rate in zip(right.lines, (0.3, 0.3, 0.03, 0.03), strict=True):
        assert np.allclose(np.asarray(line.get_xdata(), dtype=float), [rate, 2 * rate, 3 * rate])
    assert all(list(np.asarray(line.get_xdata())) == [1, 2, 3] for line in left.lines)


def test_the_share_at_or_below_a_margin_of_zero_is_the_error() -> None:
    margin = np.array([-0.5, 0.0, 0.5, 0.75])
    left = plots.margins({"train": margin}, COUNTS, SMALL, 10).axes[0]
    x, share = (np.asarray(values, dtype=float) for values in left.lines[0].get_data())
    assert share[np.abs(x).argmin()] == 0.5
    assert share[-1] == 1.0


def test_the_value_of_the_experiment_was_measured() -> None:
    assert measured_cost_of_waiting() == pytest.approx(cost_of_waiting(), abs=0.001)
