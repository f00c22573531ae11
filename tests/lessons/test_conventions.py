"""The drawings of the appendix on conventions."""

from __future__ import annotations

import numpy as np
import pytest

from lessons_lib.lessons.conventions import plots

from .fit import assert_fits_the_page

ALPHAS = np.geomspace(0.1, 1e4, 26)
CURVE = 0.5 + 0.1 * (np.log10(ALPHAS) - 1) ** 2
ERRORS = {n: {"train": 0.9 * CURVE / 2, "test": CURVE / 2} for n in (20, 40, 320)}
NUMBERS = {"Ridge: alpha": 4000.0, "SGD: weight_decay": 1e-4, "L2: l2": 10.0}

DRAWINGS = {
    "numbers": (1, lambda: plots.same_strength(NUMBERS, 10.0)),
    "curves, few rows": (2, lambda: plots.penalty_curves(ALPHAS, ERRORS, 20, 10.0)),
    "curves, many rows": (2, lambda: plots.penalty_curves(ALPHAS, ERRORS, 320, 1000.0)),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_it_fits_the_page(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    n_panels, draw = DRAWINGS[name]
    assert_fits_the_page(draw, n_panels, monkeypatch)


def test_each_number_stands_in_its_row() -> None:
    (ax,) = plots.same_strength(NUMBERS, 10.0).axes
    names = {
        tick.get_text(): place
        for tick, place in zip(ax.get_yticklabels(), ax.get_yticks(), strict=True)
    }
    points = ax.lines[1].get_xydata()
    assert {(x, names[name]) for name, x in NUMBERS.items()} == {tuple(p) for p in points}


def test_the_lowest_test_error_is_marked_in_both_units() -> None:
    by_sum, by_mean = plots.penalty_curves(ALPHAS, ERRORS, 40, 10.0).axes
    best = ALPHAS[CURVE.argmin()]
    for ax, place in ((by_sum, best), (by_mean, best / 40)):
        marked = [line.get_xdata() for line in ax.lines if len(line.get_xdata()) == 1]
        assert np.allclose(marked, [[place]])
