"""Drawings of the lesson on boosting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lessons_lib.measure import mean_confidence_interval
from lessons_lib.page.figures import COLORS, label_line, label_lines, panels, role

__all__ = ["arms", "leaf_penalty", "margins", "opening", "rounds", "stagewise", "time"]

FloatArray = NDArray[np.float64]


def opening(
    counts: Sequence[int],
    boosting: Mapping[str, FloatArray],
    forest: Mapping[str, FloatArray],
    ridge: float,
) -> Figure:
    """Draw training and test error of boosting and of a forest against the number of trees.

    Parameters
    ----------
    counts : sequence of int
        Numbers of trees.
    boosting, forest : mapping of str to ndarray of shape (n_counts,)
        Mean squared errors under ``"train"`` and ``"test"``.
    ridge : float
        Test error of ridge regression.

    Returns
    -------
    Figure
    """
    fig, axes = panels(2, height=3.0, left=0.68, right=0.55)
    for ax, curves, title in zip(axes, (boosting, forest), ("boosting", "forest"), strict=True):
        labels = []
        for name, curve in curves.items():
            ax.plot(counts, curve, **role(name, marker=False))
            labels.append((float(counts[-1]), float(curve[-1]), name, name))
        ax.plot([counts[0], counts[-1]], [ridge, ridge], **role("none", marker=False))
        labels.append((float(counts[-1]), ridge, "ridge", "none"))
        ax.set_xscale("log")
        ax.set_ylim(0, 7000)
        label_lines(ax, labels)
        ax.set_xlabel("number of trees")
        ax.set_ylabel("mean squared error")
        ax.set_title(title)
    return fig


def rounds(
    x: FloatArray,
    prediction: FloatArray,
    truth: FloatArray,
    data: tuple[FloatArray, FloatArray],
    counts: Sequence[int],
    errors: Mapping[str, FloatArray],
    n_rounds: int,
) -> Figure:
    """Draw the sum of some trees, and training and test error against the number of rounds.

    Parameters
    ----------
    x, prediction, truth : ndarrays of shape (n_points,)
        Inputs, what the sum says there, and the noise-free target.
    data : pair of ndarrays of shape (n_samples,)
        Inputs and targets of the training rows.
    counts : sequence of int
        Numbers of rounds of the right panel.
    errors : mapping of str to ndarray of shape (n_counts,)
        Training and test error, by role.
    n_rounds : int
        Rounds of the drawn sum.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=3.0, left=0.62, right=0.5)
    left.plot(*data, **role("data", line=False) | {"markersize": 3.5})
    left.plot(x, truth, **role("truth", marker=False))
    left.plot(x, prediction, **role("ensemble", marker=False) | {"linewidth": 1.4})
    left.set_ylim(-2.1, 2.1)
    left.set_xlabel("x")
    left.set_ylabel("y")
    left.set_title("sum (solid), truth (dotted)")
    labels = []
    for name, curve in errors.items():
        right.plot(counts, curve, **role(name, marker=False))
        labels.append((float(counts[-1]), float(curve[-1]), name, name))
    right.axvline(n_rounds, color=COLORS["ink"].line, linewidth=1)
    right.set_xscale("log")
    right.set_ylim(-0.02, 0.6)
    label_lines(right, labels)
    right.set_xlabel("rounds")
    right.set_ylabel("mean squared error")
    right.set_title("training and test error")
    return fig


def time(curves: Mapping[float, Mapping[str, FloatArray]]) -> Figure:
    """Draw errors for several learning rates against rounds, and against rate times rounds.

    Parameters
    ----------
    curves : mapping of float to mapping of str to ndarray of shape (n_rounds,)
        For each learning rate, largest first and at most three, the errors ``"train"`` and
        ``"test"`` after each round.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=3.0, left=0.68, right=0.75)
    ends: dict[Axes, list[tuple[float, float, str, str]]] = {left: [], right: []}
    for (rate, errors), name in zip(curves.items(), ("l1", "l2", "elastic_net"), strict=False):
        made = np.arange(1, len(errors["test"]) + 1)
        for ax, at in ((left, made), (right, rate * made)):
            for kind, width in (("test", 1.8), ("train", 0.9)):
                ax.plot(at, errors[kind], **role(name, marker=False) | {"linewidth": width})
            ends[ax].append((float(at[-1]), float(errors["test"][-1]), f"ν = {rate:g}", name))
    for ax, label in ((left, "rounds t"), (right, "time νt")):
        ax.set_ylim(0, 7000)
        ax.set_xlabel(label)
        ax.set_ylabel("mean squared error")
    left.set_title("test (bold), training (thin)")
    right.set_title("the same against νt")
    for x, y, text, name in ends[left]:
        label_line(left, x, y, text, name, dy=9, ha="left" if x < 300 else "center")
    label_lines(right, ends[right])
    return fig


def stagewise(
    stages: FloatArray,
    lasso: FloatArray,
    errors: Mapping[str, FloatArray],
    budgets: FloatArray,
    budget: float,
) -> Figure:
    """Draw the path of forward stagewise over the lasso's, and its errors.

    Parameters
    ----------
    stages, lasso : ndarrays of shape (n_features, n_budgets)
        Coefficients of both at the same L1 norms.
    errors : mapping of str to ndarray of shape (n_budgets,)
        Training and test error of forward stagewise, by role.
    budgets : ndarray of shape (n_budgets,)
        The L1 norms.
    budget : float
        The norm to mark.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=3.0, left=0.68, right=0.5)
    for exact, small in zip(lasso, stages, strict=True):
        left.plot(budgets, exact, color=COLORS["gray"].line, ls="-", lw=3.2, alpha=0.45)
        left.plot(budgets, small, **role("l1", marker=False) | {"linewidth": 1})
    left.set_ylim(-30, 30)
    left.set_xlabel("L1 norm of the coefficients")
    left.set_ylabel("coefficient")
    left.set_title("stagewise (thin), lasso (gray)")
    labels = []
    for name, curve in errors.items():
        right.plot(budgets, curve, **role(name, marker=False))
        labels.append((float(budgets[-1]), float(curve[-1]), name, name))
    right.set_ylim(0, 6500)
    label_lines(right, labels)
    right.set_xlabel("L1 norm of the coefficients")
    right.set_ylabel("mean squared error")
    right.set_title("errors of stagewise")
    for ax in (left, right):
        ax.axvline(budget, color=COLORS["ink"].line, linewidth=1)
    return fig


def margins(
    values: Mapping[str, FloatArray],
    counts: Sequence[int],
    errors: Mapping[str, FloatArray],
    n_rounds: int,
) -> Figure:
    """Draw how the margins are distributed, and the errors against the number of rounds.

    Parameters
    ----------
    values : mapping of str to ndarray of shape (n_samples,)
        Margins of training and test rows, by role.
    counts : sequence of int
        Numbers of rounds of the right panel.
    errors : mapping of str to ndarray of shape (n_counts,)
        Shares of wrong rows, by role.
    n_rounds : int
        Rounds to mark.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=3.0, left=0.62, right=0.5)
    levels = np.linspace(-1, 1, 81)
    for name, margin in values.items():
        share = (margin[:, None] <= levels).mean(axis=0)
        left.plot(levels, share, **role(name, marker=False))
    left.axvline(0, color=COLORS["gray"].line, linewidth=0.8)
    left.set_ylim(-0.03, 1.03)
    left.set_xlabel("margin")
    left.set_ylabel("share of rows at or below")
    left.set_title("margins: train (solid), test")
    labels = []
    for name, curve in errors.items():
        right.plot(counts, curve, **role(name, marker=False))
        labels.append((float(counts[-1]), float(curve[-1]), name, name))
    right.axvline(n_rounds, color=COLORS["ink"].line, linewidth=1)
    right.set_xscale("log")
    right.set_ylim(-0.005, 0.125)
    label_lines(right, labels)
    right.set_xlabel("rounds")
    right.set_ylabel("share of wrong rows")
    right.set_title("training and test error")
    return fig


def leaf_penalty(penalties: Sequence[float], train: FloatArray, test: FloatArray) -> Figure:
    """Draw the log loss after each round for several leaf penalties.

    Parameters
    ----------
    penalties : sequence of float
        Leaf penalties, at most three.
    train, test : ndarrays of shape (n_penalties, n_rounds)
        Mean log loss.

    Returns
    -------
    Figure
    """
    fig, axes = panels(2, height=2.9, left=0.62, right=0.62)
    made = np.arange(1, train.shape[1] + 1)
    for ax, curves, title in zip(axes, (train, test), ("training", "test"), strict=True):
        labels = []
        for value, curve, name in zip(penalties, curves, ("l1", "l2", "elastic_net"), strict=False):
            ax.plot(made, curve, **role(name, marker=False))
            labels.append((float(made[-1]), float(curve[-1]), f"λ = {value:g}", name))
        ax.set_ylim(-0.06, 0.7)
        label_lines(ax, labels)
        ax.set_xlabel("rounds")
        ax.set_ylabel("log loss")
        ax.set_title(title)
    return fig


def arms(results: Mapping[str, FloatArray], label: str) -> Figure:
    """Draw the mean of each arm with its interval.

    Parameters
    ----------
    results : mapping of str to ndarray of shape (n_splits,)
        Measured values, by arm.
    label : str
        What was measured.

    Returns
    -------
    Figure
    """
    fig, (ax,) = panels(1, height=0.9 + 0.3 * len(results), left=1.5, right=0.2)
    for place, values in enumerate(results.values()):
        interval = mean_confidence_interval(values)
        ax.plot([interval.low, interval.high], [place, place], color=COLORS["ink"].line, ls="-")
        ax.plot([interval.mean], [place], **role("test", line=False))
    ax.set_yticks(range(len(results)), list(results))
    ax.set_ylim(len(results) - 0.5, -0.5)
    ax.set_ylabel("")
    ax.set_xlabel(label)
    return fig
