"""Drawings of the lesson on the Elastic Net."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lessons_lib.measure import ConfidenceInterval, mean_confidence_interval
from lessons_lib.page.figures import COLORS, label_line, label_lines, panels, role

__all__ = [
    "bound_against_difference",
    "explore_ball",
    "explore_grouping",
    "group_paths",
    "kept_features",
    "paired_gains",
    "stability",
]

FloatArray = NDArray[np.float64]

_DOTS: dict[str, Any] = {"markersize": 2.0}
_LINE: dict[str, Any] = {"color": COLORS["ink"].line, "linewidth": 1.0, "linestyle": "-"}


def kept_features(frequencies: Mapping[str, FloatArray], n_groups: int, group_size: int) -> Figure:
    """Draw how often each feature is kept, one panel for each method.

    Parameters
    ----------
    frequencies : mapping of str to ndarray of shape (n_features,)
        Share of the data sets in which each feature is kept; the keys are roles, at most three.
    n_groups, group_size : int
        The first ``n_groups * group_size`` features are the true ones, group after group.

    Returns
    -------
    Figure
    """
    fig, axes = panels(len(frequencies), height=2.5, left=0.6)
    titles = {"l1": "lasso", "l2": "ridge", "elastic_net": "Elastic Net"}
    for ax, (name, share) in zip(axes, frequencies.items(), strict=True):
        position = np.arange(len(share))
        true = position < n_groups * group_size
        ax.bar(position[true], share[true], color=role(name)["color"], width=0.75)
        ax.bar(position[~true], share[~true], color=COLORS["gray"].line, width=0.75, alpha=0.5)
        for group in range(n_groups):
            start = group * group_size
            ax.plot([start - 0.4, start + group_size - 0.6], [1.05, 1.05], **_LINE)
        ax.set_ylim(0, 1.12)
        ax.set_xlabel("feature (lines: the groups)")
        ax.set_title(titles[name])
    axes[0].set_ylabel("share of data sets")
    return fig


def _boundary(l1_ratio: float, corner: float, n_points: int = 65) -> FloatArray:
    """Return the boundary of the ball through (corner, 0), of shape (2, n_points).

    Along a direction (c, s) its radius r solves (1 - ρ)/2 r² + ρ (|c| + |s|) r = t.
    """
    angle = np.linspace(0, 2 * np.pi, n_points)
    turn = np.array([np.cos(angle), np.sin(angle)])
    budget = l1_ratio * corner + (1 - l1_ratio) / 2 * corner**2
    slope = l1_ratio * np.abs(turn).sum(axis=0)
    # The root in the form that also holds for ρ = 1, where the equation is linear.
    radius = 2 * budget / (slope + np.sqrt(slope**2 + 2 * (1 - l1_ratio) * budget))
    return np.asarray(radius * turn, dtype=np.float64)


def explore_ball(
    curvature: FloatArray,
    optimum: FloatArray,
    corner: float,
    l1_ratio: float,
    l1_ratios: FloatArray,
    contacts: FloatArray,
) -> Figure:
    """Draw the ball of one mixture with the contour that touches it, and where others touch.

    Parameters
    ----------
    curvature : ndarray of shape (2, 2)
        Matrix of second derivatives of the loss.
    optimum : ndarray of shape (2,)
        Where the loss is smallest.
    corner : float
        All balls pass through the points at this distance from zero on the axes.
    l1_ratio : float
        The mixture of the left panel; one of `l1_ratios`.
    l1_ratios : ndarray of shape (n_ratios,)
        Mixtures of the right panel.
    contacts : ndarray of shape (n_ratios, 2)
        The best point within the ball of each mixture.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=3.1, left=0.64, right=0.32)
    contact = contacts[int(np.argmin(np.abs(l1_ratios - l1_ratio)))]
    ball = _boundary(l1_ratio, corner)
    left.fill(*ball, color=COLORS["purple"].line, alpha=0.15)
    for end, name in ((0.0, "l2"), (1.0, "l1")):
        limit = role(name, marker=False) | {"linewidth": 0.7}
        left.plot(*_boundary(end, corner, 5 if end else 65), **limit)
    left.plot(*ball, **role("elastic_net", marker=False) | {"linestyle": "solid"})
    angle = np.linspace(0, 2 * np.pi, 49)
    shape = np.linalg.inv(np.linalg.cholesky(curvature)).T @ [np.cos(angle), np.sin(angle)]
    offset = contact - optimum
    touching = float(np.sqrt(offset @ curvature @ offset))
    contour = optimum[:, None] + touching * shape
    left.plot(*contour, color=COLORS["gray"].line, linewidth=1.4, linestyle="-")
    left.plot(*optimum, marker="x", color=COLORS["ink"].line)
    left.plot(*contact, marker="o", markersize=7, color=COLORS["ink"].line)
    left.axhline(0, color=COLORS["ink"].line, linewidth=0.6)
    left.axvline(0, color=COLORS["ink"].line, linewidth=0.6)
    left.set_xlim(-1.7, 3.3)
    left.set_ylim(-2.3, 2.5)
    left.set_xlabel("w₁")
    left.set_ylabel("w₂")
    left.set_title("w₂ is zero" if abs(contact[1]) < 1e-9 else "both are used")
    for column, (name, text) in enumerate((("sgd", "w₁"), ("ensemble", "w₂"))):
        right.plot(l1_ratios, contacts[:, column], **role(name))
        label_line(right, l1_ratios[-1], contacts[-1, column], text, name)
    right.axvline(l1_ratio, color=COLORS["purple"].line, linewidth=1)
    right.axhline(0, color=COLORS["ink"].line, linewidth=0.6)
    right.set_xlim(0, 1)
    right.set_ylim(-1.3, 1.35)
    right.set_xlabel("ρ, from ridge to lasso")
    right.set_ylabel("coefficient at the contact")
    right.set_title("where the solution lands")
    return fig


def group_paths(
    paths: Mapping[str, tuple[FloatArray, FloatArray]], n_groups: int, group_size: int
) -> Figure:
    """Draw coefficient paths, one panel for each mixture, the groups in one color each.

    Parameters
    ----------
    paths : mapping of str to (alphas, coefs)
        Titles, and for each decreasing strengths of shape (n_alphas,) and coefficients of shape
        (n_features, n_alphas).
    n_groups, group_size : int
        The first ``n_groups * group_size`` features are the true ones, group after group.

    Returns
    -------
    Figure
    """
    fig, axes = panels(len(paths), height=2.7, left=0.66, right=0.2, sharey=True)
    colors = ("vermillion", "blue", "green", "orange")
    dashes = ("solid", (0, (4.5, 1.8)), (0, (6.0, 1.6, 1.0, 1.6)), "dotted")
    for ax, (title, (alphas, coefs)) in zip(axes, paths.items(), strict=True):
        relative = alphas / alphas[0]
        for row in coefs[n_groups * group_size :]:
            ax.plot(relative, row, color=COLORS["gray"].line, linewidth=0.5, linestyle="-")
        for j, row in enumerate(coefs[: n_groups * group_size]):
            group = j // group_size
            ax.plot(
                relative,
                row,
                color=COLORS[colors[group]].line,
                linestyle=dashes[group],
                linewidth=1.1,
            )
        ax.set_xscale("log")
        ax.set_xlim(1, relative[-1])
        ax.set_title(title)
        ax.set_xlabel("λ / largest λ")
    axes[0].set_ylabel("coefficient")
    return fig


def explore_grouping(
    coefs: FloatArray,
    l1_ratio: float,
    l1_ratios: FloatArray,
    train_errors: FloatArray,
    test_errors: FloatArray,
) -> Figure:
    """Draw the coefficients of two correlated features, and the errors against the mixture.

    Parameters
    ----------
    coefs : ndarray of shape (n_repeats, 2)
        The coefficients in many data sets.
    l1_ratio : float
        The mixture of the left panel.
    l1_ratios : ndarray of shape (n_ratios,)
        Mixtures of the right panel.
    train_errors, test_errors : ndarrays of shape (n_ratios, n_repeats)
        Mean squared errors.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=2.9, left=0.6, right=0.5)
    left.plot([0, 2], [2, 0], **role("truth", marker=False))
    left.plot(*coefs.T, **role("elastic_net", line=False))
    left.set_xlim(-0.25, 2.25)
    left.set_ylim(-0.25, 2.25)
    left.set_xlabel("coefficient of height in cm")
    left.set_ylabel("of height in inches")
    left.set_title(f"both kept: {np.mean((coefs != 0).all(axis=1)):.0%}")
    labels = []
    for name, errors in (("train", train_errors), ("test", test_errors)):
        means = errors.mean(axis=1)
        right.plot(l1_ratios, means, **role(name))
        labels.append((float(l1_ratios[-1]), float(means[-1]), name, name))
    right.axvline(l1_ratio, color=COLORS["purple"].line, linewidth=1)
    right.set_xlim(0, 1)
    right.set_ylim(0, 2.5)
    label_lines(right, labels)
    right.set_xlabel("ρ, from ridge to lasso")
    right.set_ylabel("mean squared error")
    right.set_title("errors")
    return fig


def bound_against_difference(
    pairs: Mapping[str, tuple[FloatArray, FloatArray]], largest: float
) -> Figure:
    """Draw differences of coefficients against their bound, on logarithmic axes.

    Parameters
    ----------
    pairs : mapping of str to (bounds, differences)
        Titles, and two arrays of shape (n_pairs,) for each; at most three.
    largest : float
        The largest coefficient, drawn as a horizontal line: a bound above it says nothing new.

    Returns
    -------
    Figure
    """
    fig, axes = panels(len(pairs), height=2.8, left=0.6, sharex=True, sharey=True)
    for ax, (title, (bounds, differences)) in zip(axes, pairs.items(), strict=True):
        shown = differences > 1e-5
        ax.plot(bounds[shown], differences[shown], **role("elastic_net", line=False) | _DOTS)
        ax.plot([1e-5, 100], [1e-5, 100], **_LINE)
        ax.axhline(largest, color=COLORS["gray"].line, linewidth=1, linestyle="dashed")
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xlim(3e-3, 100)
        ax.set_ylim(1e-5, 10)
        ax.set_xlabel("bound")
        ax.set_title(title)
    label_line(axes[0], 0.004, largest, "largest coefficient", "none", dx=0, dy=7)
    label_line(axes[0], 0.01, 0.01, "bound", "truth", dx=8, dy=-3)
    axes[0].set_ylabel("difference of two coefficients")
    return fig


def stability(l1_ratios: FloatArray, panels_: Mapping[str, Mapping[str, FloatArray]]) -> Figure:
    """Draw measures of stability against the mixture, with intervals, one panel for each rule.

    Parameters
    ----------
    l1_ratios : ndarray of shape (n_ratios,)
        Mixtures, positive.
    panels_ : mapping of str to mapping of str to ndarray of shape (n_ratios, n_repeats)
        Titles of panels; in each the measures by name, at most four and the same in each panel.

    Returns
    -------
    Figure
    """
    fig, axes = panels(len(panels_), height=2.9, left=0.6, right=0.15, sharey=True)
    looks = ("l1", "elastic_net", "l2", "ensemble")
    for ax, (title, measures) in zip(axes, panels_.items(), strict=True):
        for look, (text, values) in zip(looks, measures.items(), strict=False):
            interval = mean_confidence_interval(values)
            style = role(look)
            ax.plot(l1_ratios, interval.mean, **style | {"markevery": None}, label=text)
            ax.fill_between(
                l1_ratios, interval.low, interval.high, color=style["color"], alpha=0.15
            )
        ax.set_xscale("log")
        ax.set_xlim(1.04, 0.96 * float(np.min(l1_ratios)))
        ax.set_xticks(l1_ratios, [f"{value:g}" for value in l1_ratios])
        ax.minorticks_off()
        ax.set_ylim(0, 1.42)  # room for the legend
        ax.set_yticks([0, 0.25, 0.5, 0.75, 1])
        ax.set_xlabel("ρ, from lasso toward ridge")
        ax.set_title(title)
        ax.legend(loc="upper left", ncols=2, columnspacing=1.2)
    axes[0].set_ylabel("measure")
    return fig


def paired_gains(
    gains: Mapping[str, Sequence[ConfidenceInterval]], problems: Sequence[str]
) -> Figure:
    """Draw differences in error with their intervals, one panel for each rival.

    Parameters
    ----------
    gains : mapping of str to sequence of ConfidenceInterval
        Titles, and for each one relative difference in error for each problem, in percent.
    problems : sequence of str
        Names of the problems.

    Returns
    -------
    Figure
    """
    fig, axes = panels(len(gains), height=2.6, left=1.05, right=0.15)
    place = np.arange(len(problems))[::-1]
    for ax, (title, intervals) in zip(axes, gains.items(), strict=True):
        _forest(ax, place, intervals)
        ax.set_yticks(place, list(problems))
        ax.set_ylim(-0.6, len(problems) - 0.4)
        reach = 1.15 * max(max(abs(i.low), abs(i.high)) for i in intervals)
        ax.set_xlim(-reach, reach)
        ax.set_title(title)
        ax.set_xlabel("change of test error, in %")
    return fig


def _forest(ax: Axes, place: NDArray[np.intp], intervals: Sequence[ConfidenceInterval]) -> None:
    for y, interval in zip(place, intervals, strict=True):
        style = role("elastic_net", marker=False) | {"linestyle": "-"}
        ax.plot([interval.low, interval.high], [y, y], **style)
        ax.plot(interval.mean, y, **role("elastic_net", line=False))
    ax.axvline(0, color=COLORS["ink"].line, linewidth=0.8)
