"""The drawings of the lesson on batch normalization, within their panels as the page needs it."""

from __future__ import annotations

import numpy as np
import pytest

from lessons_lib.lessons.batch_norm import plots

from .fit import assert_fits_the_page

RNG = np.random.default_rng(0)
STEPS = [0, 20, 40]
RATES = np.array([0.01, 0.1, 1.0])
ORDERS = ("none", "before", "after", "after last")


def arms(shape):
    return {"none": 0.1 + RNG.random(shape), "batch_norm": 0.1 + RNG.random(shape)}


def errors(shape):
    return {"train": RNG.random(shape), "test": RNG.random(shape)}


def draw_activations(after):
    return plots.activations(
        {"none": np.geomspace(1, 1e-9, 5), "batch_norm": np.ones(5)},
        after,
        RATES,
        arms((2, 3)),
        0.1,
    )


def draw_statistics():
    sizes = np.array([4, 8, 16])
    return plots.statistics(
        RNG.normal(size=9), RNG.normal(size=9) / 9, 0.0, sizes, errors((3, 5)), 8
    )


def draw_shift():
    return plots.variance_shift(
        {order: RNG.random((2, 4)) for order in ORDERS},
        {name: {order: RNG.random(4) for order in ORDERS} for name in ("train", "test")},
    )


def draw_cliff():
    w = np.linspace(0.5, 1.4, 9)
    path = (np.array([1.2, 0.5]), np.array([10.0, 0.0]))
    gaps = {"train": 0.5 ** np.arange(9.0), "truth": 0.4 ** np.arange(9.0)}
    return plots.cliff(gaps, (w, w**8 + 0.01), {"none": path, "l2": path})


DRAWINGS = {
    "company": (1, lambda: plots.company(dict.fromkeys(("random batches", "b"), RNG.random(5)))),
    "activations": (3, lambda: draw_activations(arms(5))),
    "activations of a run that diverged": (
        3,
        lambda: draw_activations({"none": np.full(5, np.nan), "batch_norm": np.full(5, np.inf)}),
    ),
    "statistics": (2, draw_statistics),
    "smoothness": (2, lambda: plots.smoothness(STEPS, arms((3, 6)), arms((3, 6)))),
    "effective rate": (
        3,
        lambda: plots.effective_rate(
            {0: np.geomspace(8, 9, 5), 0.01: np.geomspace(8, 5, 5), 0.05: np.geomspace(8, 1, 5)},
            errors((3, 5)),
            0.1,
        ),
    ),
    "variance shift": (2, draw_shift),
    "cliff": (2, draw_cliff),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_it_fits_the_page(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    n_panels, draw = DRAWINGS[name]
    assert_fits_the_page(draw, n_panels, monkeypatch)


def test_the_effective_rate_is_the_rate_over_the_squared_norm() -> None:
    norm = np.array([1.0, 2.0, 4.0])
    _, middle, _ = plots.effective_rate({0.01: norm}, errors((1, 5)), 0.1).axes
    drawn = np.asarray(middle.lines[0].get_ydata(), dtype=float)
    assert np.allclose(drawn, [0.1, 0.025, 0.00625])


def test_errors_are_drawn_in_percent() -> None:
    fractions = {
        "none": np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]),
        "batch_norm": np.ones((2, 3)),
    }
    ones = {"none": np.ones(5), "batch_norm": np.ones(5)}
    figure = plots.activations(ones, ones, RATES, fractions, 0.1)
    drawn = [np.asarray(line.get_ydata(), dtype=float) for line in figure.axes[1].lines[:2]]
    assert np.allclose(drawn, [[10, 20, 30], [40, 50, 60]])
