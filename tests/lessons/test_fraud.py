"""The drawings of the lesson on fraud detection: each fits the page and shows its numbers."""

from __future__ import annotations

import numpy as np
import pytest

from lessons_lib.lessons.fraud import plots

from .fit import assert_fits_the_page

RNG = np.random.default_rng(0)
DAYS = np.arange(5.0, 60.0, 10)
SHARES = {
    name: RNG.random((6, 4)) + 5 * k
    for k, name in enumerate(("card testing", "stolen card", "account takeover"))
}
RATES = np.array([0.01, 0.05, 0.1, 0.3])
FOUND = {
    name: np.sort(RNG.random((4, 3)), axis=0)
    for name in ("features", "hidden risks, too", "the truth")
}
ARMS = {
    "L2": ("l2", RNG.normal(0.05, 0.01, (2, 10))),
    "L2, dropout, stop": ("bias", RNG.normal(0, 0.01, (2, 10))),
    "random forest": ("ensemble", RNG.normal(0.1, 0.01, (2, 10))),
}
MEASURES = [("ordering", "average precision gained"), ("money", "euros saved each")]
BINS = np.linspace(0.05, 0.95, 10)
CURVES = {"none": ("none", BINS, BINS / 2), "forest": ("ensemble", BINS, BINS)}
ERRORS = {
    name: {"train": RNG.random(10) / 50, "test": 0.03 + RNG.random(10) / 50}
    for name in ("none", "SMOTE, corrected")
}
RECALL = {"train": np.array([0.2, 0.95, 1, 1]), "test": np.array([0.1, 0.3, 0.4, 0.6])}
COST = {"train": np.array([3.0, 1.0, 1.0, 2.0]), "test": np.array([5.0, 4.0, 4.5, 5.5])}
FALSE_ALARMS = np.geomspace(1e-3, 1, 9)
DETECTOR = {
    "train": (np.linspace(0.9, 1, 9), 0.9, 0.001),
    "test": (np.linspace(0.1, 1, 9), 0.2, 0.01),
}

DRAWINGS = {
    "known": (2, lambda: plots.what_is_known(DAYS, SHARES, RATES, FOUND)),
    "differences": (2, lambda: plots.differences(ARMS, MEASURES)),
    "reliability": (2, lambda: plots.reliability(CURVES, ERRORS)),
    "alerts": (3, lambda: plots.explore_alerts(RATES, RECALL, COST, 1, 5.6)),
    "base rate": (2, lambda: plots.explore_base_rate(FALSE_ALARMS, DETECTOR, 0.05)),
    "rare": (2, lambda: plots.explore_base_rate(FALSE_ALARMS, DETECTOR, 0.001)),
    "balanced": (2, lambda: plots.explore_base_rate(FALSE_ALARMS, DETECTOR, 0.5)),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_it_fits_the_page(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    n_panels, draw = DRAWINGS[name]
    assert_fits_the_page(draw, n_panels, monkeypatch)


def drawn(ax: object) -> list[np.ndarray]:
    return [np.asarray(line.get_xydata(), dtype=float) for line in ax.lines]  # type: ignore[attr-defined]


def texts(ax: object) -> set[str]:
    return {text.get_text() for text in ax.texts}  # type: ignore[attr-defined]


def test_the_differences_are_means_with_their_intervals() -> None:
    for index, ax in enumerate(plots.differences(ARMS, MEASURES).axes):
        points = [xy[0] for xy in drawn(ax) if len(xy) == 1]
        means = [(values[index].mean(), k) for k, (_, values) in enumerate(ARMS.values())]
        assert np.allclose(points, means)
        bars = [xy for xy in drawn(ax) if len(xy) == 2 and xy[0, 1] == xy[1, 1]]
        assert all(bar[0, 0] < x < bar[1, 0] for bar, (x, _) in zip(bars, means, strict=True))
        assert [label.get_text() for label in ax.get_yticklabels()] == list(ARMS)


def test_a_thousand_transactions_are_counted() -> None:
    left, middle, right = plots.explore_alerts(RATES, RECALL, COST, 1, 5.6).axes
    widths = [bar.get_width() for bar in right.patches]  # type: ignore[attr-defined]
    assert widths == pytest.approx([15, 35, 35])  # found, missed, false: 50 reviews, recall 0.3
    assert {"15", "35"} <= texts(right)
    assert right.get_title() == "precision 0.30"
    for ax, curves in ((left, RECALL), (middle, COST)):
        points = [xy[0] for xy in drawn(ax) if len(xy) == 1]
        assert np.allclose(points, [(0.05, curves["train"][1]), (0.05, curves["test"][1])])


@pytest.mark.parametrize("share", [0.001, 0.05, 0.5])
def test_precision_follows_bayes_and_accuracy_the_share(share: float) -> None:
    left, right = plots.explore_base_rate(FALSE_ALARMS, DETECTOR, share).axes
    for (recall, tpr, fpr), curve in zip(DETECTOR.values(), drawn(left), strict=True):
        alerts = share * recall + (1 - share) * FALSE_ALARMS
        assert np.allclose(curve, np.column_stack([recall, share * recall / alerts]))
        here = share, share * tpr + (1 - share) * (1 - fpr)
        assert any(np.allclose(xy, here) for xy in drawn(right) if len(xy) == 1)
    assert left.get_title() == f"{100 * share:g} % frauds"


def test_the_best_rankings_are_means_over_data_sets() -> None:
    left, right = plots.what_is_known(DAYS, SHARES, RATES, FOUND).axes
    for ax, x, curves in ((left, DAYS, SHARES), (right, RATES, FOUND)):
        for line, values in zip(drawn(ax), curves.values(), strict=True):
            assert np.allclose(line, np.column_stack([x, values.mean(axis=1)]))


def test_reliability_has_the_diagonal_and_both_parts() -> None:
    left, right = plots.reliability(CURVES, ERRORS).axes
    diagonal, none, forest = drawn(left)
    assert np.allclose(diagonal, [[0, 0], [1, 1]])
    assert np.allclose(none[:, 1], BINS / 2)
    assert np.allclose(forest[:, 1], BINS)
    means = [part.mean() for parts in ERRORS.values() for part in parts.values()]
    assert np.allclose([xy[0, 0] for xy in drawn(right) if len(xy) == 1], means)
    assert {"train", "test"} <= texts(right)
