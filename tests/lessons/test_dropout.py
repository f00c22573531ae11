"""The drawings of the lesson on dropout: each is drawn, within its panels, as the page needs it."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import LineCollection

from lessons_lib.lessons.dropout import plots

from .fit import assert_fits_the_page

RNG = np.random.default_rng(0)
KEPT = [np.ones(3, bool), np.array([True, False]), np.array([False, True, True]), np.ones(1, bool)]
SIGNALS = RNG.normal(3, 1, size=200)
RATES = [0.0, 0.4, 0.8]
ENDS = {"train": RNG.random((3, 5)), "test": 1 + RNG.random((3, 5))}

DRAWINGS = {
    "knockout": (
        1,
        lambda: plots.knockout(
            [0, 0.5, 0.9],
            {"none": RNG.random((3, 5)), "dropout": RNG.random((3, 5))},
            {"none": "no dropout", "dropout": "dropout"},
        ),
    ),
    "network": (2, lambda: plots.thinned_network(KEPT, SIGNALS, 3.0, 6.0, (0, 8))),
    "rates": (
        2,
        lambda: plots.curves_and_rates(
            [10, 20, 30],
            {"train": RNG.random(3), "test": RNG.random(3)},
            RNG.random(3),
            RATES,
            ENDS,
            0.4,
            2.0,
        ),
    ),
    "averages": (2, lambda: plots.averages(*RNG.random((3, 30)))),
    "intervals": (
        2,
        lambda: plots.intervals(
            [20, 60, 200, 600],
            {"dropout": 1 + RNG.random((4, 5)), "truth": 0.1 + RNG.random((4, 5))},
            ["rate 0.1", "rate 0.5"],
            {"dropout": RNG.random((2, 5)) / 2, "noise": 0.9 + RNG.random((2, 5)) / 20},
        ),
    ),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_it_fits_the_page(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    n_panels, draw = DRAWINGS[name]
    assert_fits_the_page(draw, n_panels, monkeypatch)


def test_edges_join_kept_units_only() -> None:
    left = plots.thinned_network(KEPT, SIGNALS, 3.0, 6.0, (0, 8)).axes[0]
    (edges,) = (c for c in left.collections if isinstance(c, LineCollection))
    assert len(edges.get_segments()) == 3 * 1 + 1 * 2 + 2 * 1
    alive, dropped = left.lines
    assert len(np.asarray(alive.get_xdata())) == 3 + 1 + 2 + 1
    assert len(np.asarray(dropped.get_xdata())) == 1 + 1


def test_the_histogram_counts_every_signal() -> None:
    right = plots.thinned_network(KEPT, SIGNALS, 3.0, 6.0, (2, 4)).axes[1]
    (stairs,) = right.patches
    assert stairs.get_data().values.sum() == pytest.approx(1)  # type: ignore[attr-defined]
    mean = np.asarray(right.lines[0].get_xdata(), dtype=float)
    assert np.allclose(mean, SIGNALS.mean())


def test_rates_are_drawn_with_their_means() -> None:
    right = DRAWINGS["rates"][1]().axes[1]
    for line, values in zip(right.lines, ENDS.values(), strict=False):
        assert np.allclose(np.asarray(line.get_ydata(), dtype=float), values.mean(axis=1))
