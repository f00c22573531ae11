"""The drawings of the lesson on early stopping: each fits the page and shows its numbers."""

from __future__ import annotations

import numpy as np
import pytest

from lessons_lib.lessons.early_stopping import plots

from .fit import assert_fits_the_page

RNG = np.random.default_rng(0)
EPOCHS = np.arange(1.0, 13.0)
STEPS = np.geomspace(1, 1e4, 5)
RUNS = RNG.random((12, 4)) / 2
LOSSES = {name: RNG.random(12) for name in ("train", "validation", "test")}
ERRORS = {name: RNG.random(5) for name in ("train", "test")}
KEPT = {"early_stopping": np.array([0.9, 0.5, 0.1]), "l2": np.array([0.8, 0.4, 0.1])}
FIT = {name: np.linspace(-1, 1, 9) for name in ("x", "truth", "early_stopping")}
POINTS = (np.array([0.0, 0.5]), np.array([0.1, 0.4]))

DRAWINGS = {
    "opening": (
        2,
        lambda: plots.opening(
            {title: {"train": RUNS, "test": RUNS + 0.1} for title in ("a", "b")}, (4.0, 9.0)
        ),
    ),
    "filters": (
        2,
        lambda: plots.filters(
            np.geomspace(0.01, 100, 9),
            STEPS,
            {"early_stopping": np.arange(5.0), "l2": np.arange(5.0) / 2},
        ),
    ),
    "descent": (
        3,
        lambda: plots.explore_descent(FIT, POINTS, KEPT, STEPS, ERRORS, 100.0),
    ),
    "patience": (
        2,
        lambda: plots.patience(
            (1, 5, 20), {"none": RNG.random((3, 4)), "early_stopping": RNG.random((3, 4))}, RUNS[:3]
        ),
    ),
    "size": (
        2,
        lambda: plots.validation_size((5, 30, 300), RUNS[:3], RUNS[3:6], 0.13),
    ),
    "rule": (
        2,
        lambda: plots.explore_rule(LOSSES, (4, 9), (1, 5, 20), RUNS[:3] / 4, 5),
    ),
    "valleys": (
        1,
        lambda: plots.two_valleys(STEPS, RUNS[:5] * 10, RUNS[5:10] * 10, {"the rule": 10.0}),
    ),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_it_fits_the_page(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    n_panels, draw = DRAWINGS[name]
    assert_fits_the_page(draw, n_panels, monkeypatch)


def drawn(ax: object) -> list[np.ndarray]:
    return [np.asarray(line.get_xydata(), dtype=float) for line in ax.lines]  # type: ignore[attr-defined]


def test_the_rule_marks_the_epoch_kept_and_the_epochs_beyond() -> None:
    left, right = plots.explore_rule(LOSSES, (4, 9), (1, 5, 20), RUNS[:3] / 4, 5).axes
    strip = left.patches[0].get_extents().transformed(left.transData.inverted())  # type: ignore[attr-defined]
    assert (strip.x0, strip.x1) == pytest.approx((5, 10))  # epochs are drawn from 1
    points = [xy[0] for xy in drawn(left) if len(xy) == 1]
    assert any(np.allclose(p, (5, LOSSES["validation"][4])) for p in points)
    assert any(np.allclose(xy, (5, RUNS[1].mean() / 4)) for xy in drawn(right) if len(xy) == 1)


def test_descent_lies_above_ridge() -> None:
    progress = np.geomspace(0.01, 100, 9)
    freedom = {"early_stopping": np.arange(5.0), "l2": np.arange(5.0)}
    descent, ridge = drawn(plots.filters(progress, STEPS, freedom).axes[0])
    assert np.all(descent[:, 1] > ridge[:, 1])
    assert np.allclose(ridge[:, 1], progress / (1 + progress))


def test_the_errors_drawn_are_means_over_seeds() -> None:
    curves = {"train": RUNS, "test": RUNS + 0.1}
    for ax in plots.opening({"a": curves, "b": curves}, (4.0, 9.0)).axes:
        lines = drawn(ax)
        assert np.allclose(lines[0], np.column_stack([EPOCHS, RUNS.mean(axis=1)]))
        assert any(np.allclose(xy[:, 0], (4.0, 9.0)[ax.get_title() == "b"]) for xy in lines[2:])
