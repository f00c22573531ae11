"""Drawings of the lesson on the noise of SGD and the loss landscape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from lessons_lib.measure import mean_confidence_interval, paired_difference
from lessons_lib.page.figures import COLORS, label_line, label_lines, panels, role

__all__ = [
    "by_temperature",
    "explore_cloud",
    "explore_rescaling",
    "explore_trajectory",
    "margin",
    "surfaces",
    "training_paths",
]

FloatArray = NDArray[np.float64]


def training_paths(levels: FloatArray, errors: Mapping[str, tuple[str, FloatArray]]) -> Figure:
    """Draw the test error at the moments at which the training loss passes given levels.

    Parameters
    ----------
    levels : ndarray of shape (n_levels,)
        Falling training losses.
    errors : mapping of str to (str, ndarray of shape (n_levels, n_seeds))
        For each label a role and the test errors, in percent. The first is the baseline, from
        which the right panel draws the paired differences.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=2.8, left=0.62, right=0.5)
    first, (_, baseline) = next(iter(errors.items()))
    means, differences = [], []
    for text, (name, values) in errors.items():
        mean = values.mean(axis=1)
        left.plot(levels, mean, **role(name))
        means.append((float(levels[-1]), float(mean[-1]), text, name))
        if values is baseline:
            right.plot(levels, 0 * levels, **role(name))
            continue
        less = paired_difference(values, baseline)
        color = role(name)["color"]
        right.fill_between(levels, less.low, less.high, color=color, alpha=0.15, lw=0)
        right.plot(levels, less.mean, **role(name))
        differences.append((float(levels[-1]), float(less.mean[-1]), text, name))
    for ax, labels in ((left, means), (right, differences)):
        ax.set_xscale("log")
        ax.set_xlim(levels[0], levels[-1])  # to the right the training goes on
        ax.set_xticks(levels, [f"{level:g}" for level in levels])
        ax.xaxis.set_minor_locator(NullLocator())
        label_lines(ax, labels)
        ax.set_xlabel("training loss (falling)")
    left.set_ylabel("test error (%)")
    left.set_title("test error")
    right.set_ylabel("points")
    right.set_title(f"less that of {first}")
    return fig


def by_temperature(
    temperatures: Sequence[float], differences: FloatArray, labels: Sequence[str]
) -> Figure:
    """Draw paired differences of several arms against learning rate over batch size.

    Parameters
    ----------
    temperatures : sequence of float
        Learning rate over batch size, of each arm.
    differences : ndarray of shape (n_arms, n_seeds)
        Test error less that of the baseline, in points.
    labels : sequence of str
        One text for each arm.

    Returns
    -------
    Figure
    """
    fig, (ax,) = panels(1, height=2.8, left=0.6, right=0.2)
    interval = mean_confidence_interval(differences)
    seen: set[float] = set()
    for k, (temperature, text) in enumerate(zip(temperatures, labels, strict=True)):
        second = temperature in seen
        seen.add(temperature)
        x = temperature * (1.06 if second else 1 / 1.06)  # two arms of one temperature
        name = "test" if second else "sgd"
        color = role(name)["color"]
        ax.plot([x, x], [interval.low[k], interval.high[k]], color=color, lw=1.2, ls="-")
        ax.plot(x, interval.mean[k], **role(name, line=False))
        side, ha = (5, "left") if second else (-5, "right")
        label_line(ax, x, float(interval.mean[k]), text, name, dx=side, ha=ha)
    ax.axhline(0, color=COLORS["gray"].line, linewidth=0.8)
    ax.set_xscale("log")
    ax.set_xlim(min(temperatures) / 2.2, max(temperatures) * 2)
    ticks = sorted(seen)
    ax.set_xticks(ticks, [f"1/{1 / tick:.0f}" for tick in ticks])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel("learning rate / batch size")
    ax.set_ylabel("test error less baseline (points)")
    return fig


def explore_cloud(
    cloud: FloatArray,
    length: float,
    batch_size: int,
    sizes: Sequence[int],
    measured: Mapping[str, FloatArray],
    predicted: Mapping[str, FloatArray],
) -> Figure:
    """Draw gradients of mini-batches around the full one, and their mean squared distance.

    Parameters
    ----------
    cloud : ndarray of shape (n_draws, 2)
        Mini-batch gradients, in units of the full gradient's length: the part along it, and the
        part along the direction of most noise.
    length : float
        Length of the full gradient.
    batch_size : int
        Where to draw the vertical line.
    sizes : sequence of int
        Batch sizes of the right panel.
    measured, predicted : mapping of str to ndarray of shape (n_sizes,)
        Mean squared distances, under ``"with"`` and ``"without"`` replacement.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=3.0, left=0.66, right=0.3)
    left.plot(*cloud.T, **role("sgd", line=False) | {"markersize": 2.5})
    left.plot([0, 1], [0, 0], **role("train", marker=False))
    left.plot(1, 0, **role("train", line=False) | {"markersize": 7})
    left.set_xlim(-5, 7)
    left.set_ylim(-6, 6)
    label_line(left, 1, 0, "full gradient", "train", dx=-4, dy=-14, ha="center")
    left.set_xlabel("along the full gradient")
    left.set_ylabel("along the most noise")
    left.set_title("mini-batch gradients")
    for name, kind in (("test", "with"), ("sgd", "without")):
        shown = predicted[kind] > 0  # the whole data set without replacement has no noise
        right.plot(np.array(sizes)[shown], predicted[kind][shown], **role(name, marker=False))
        right.plot(np.array(sizes)[shown], measured[kind][shown], **role(name, line=False))
    right.axhline(length**2, **role("train", marker=False))
    right.set_xscale("log", base=2)
    right.set_yscale("log")
    right.set_xticks(sizes, [str(size) for size in sizes])
    right.tick_params(axis="x", labelsize=7.5)
    right.xaxis.set_minor_locator(NullLocator())
    right.set_xlim(0.7, 2 * sizes[-1])
    right.set_ylim(1e-4, 100)
    label_line(right, 1, length**2, "signal |g|²", "train", dx=2, dy=-8)
    height = float(predicted["with"][2])
    label_line(right, sizes[2], height, "with replacement", "test", dx=4, dy=12)
    height = float(predicted["without"][-2])
    label_line(right, sizes[-2], height, "without", "sgd", dx=-6, dy=-12, ha="right")
    right.axvline(batch_size, color=COLORS["ink"].line, linewidth=1)
    right.set_xlabel("batch size B")
    right.set_ylabel("mean squared distance")
    right.set_title("noise")
    return fig


def margin(
    X: FloatArray,
    signs: FloatArray,
    best: FloatArray,
    directions: Mapping[str, FloatArray],
    times: FloatArray,
    angles: FloatArray,
) -> Figure:
    """Draw separating lines at several times, and the angle to the largest margin.

    Parameters
    ----------
    X : ndarray of shape (n_samples, 2)
        Points.
    signs : ndarray of shape (n_samples,)
        Their classes, +1 or -1.
    best : ndarray of shape (2,)
        Normal vector of the line with the largest margin.
    directions : mapping of str to ndarray of shape (2,)
        Normal vectors of other lines, at most three, by label.
    times, angles : ndarrays of shape (n_times,)
        The right panel.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=3.0, left=0.6, right=0.35)
    for sign, name in ((1, "train"), (-1, "test")):
        left.plot(*X[signs == sign].T, **role(name, line=False))
    reach = np.array([-3.9, 3.9])
    lines = {"margin": best} | dict(directions)
    names = ("truth", "none", "sgd", "early_stopping")
    for name, (text, normal) in zip(names, lines.items(), strict=False):
        along = np.array([-normal[1], normal[0]]) / np.linalg.norm(normal)
        along *= np.sign(along[1])
        x, y = along[:, None] * reach
        left.plot(x, y, **role(name, marker=False))
        label_line(left, float(x[1]), float(y[1]), text, name, dx=0, dy=7, ha="center")
    left.set_xlim(-5, 5)
    left.set_ylim(-4.4, 4.9)
    left.set_xlabel("feature 1")
    left.set_ylabel("feature 2")
    left.set_title("separating lines")
    right.plot(times, angles, **role("sgd"))
    right.set_xscale("log")
    right.set_ylim(0, None)
    right.set_xlabel("training time t")
    right.set_ylabel("angle to the max-margin line (°)")
    right.set_title("a logarithmic drift")
    return fig


def surfaces(
    steps: FloatArray,
    losses: Mapping[str, FloatArray],
    levels: Sequence[float] = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0),
) -> Figure:
    """Draw loss surfaces as contours, one panel for each network.

    Parameters
    ----------
    steps : ndarray of shape (n_steps,)
        Both coordinates.
    losses : mapping of str to ndarray of shape (n_steps, n_steps)
        Surfaces, by title.
    levels : sequence of float
        The contours.

    Returns
    -------
    Figure
    """
    fig, axes = panels(len(losses), height=2.6, left=0.6, right=0.2)
    for ax, (title, surface) in zip(axes, losses.items(), strict=True):
        _contours(ax, steps, steps, surface, levels)
        ax.plot(0, 0, **role("train", line=False) | {"markersize": 7})
        ax.set_xticks([-1, 0, 1])
        ax.set_yticks([-1, 0, 1])
        ax.set_title(title)
        ax.set_xlabel("direction 1, filter lengths")
    axes[0].set_ylabel("direction 2, filter lengths")
    return fig


def _contours(
    ax: Axes, x: FloatArray, y: FloatArray, surface: FloatArray, levels: Sequence[float]
) -> None:
    gray = COLORS["gray"].line
    lines = ax.contour(x, y, surface, levels=levels, colors=gray, linewidths=0.8)
    ax.clabel(lines, fmt="%g", fontsize=7.5)
    ax.grid(visible=False)
    ax.set_xlim(x[0], x[-1])
    ax.set_ylim(y[0], y[-1])


def explore_trajectory(
    x: FloatArray,
    y: FloatArray,
    surface: FloatArray,
    path: FloatArray,
    steps: FloatArray,
    curves: Mapping[str, FloatArray],
    done: int,
    levels: Sequence[float] = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2),
) -> Figure:
    """Draw a training run on its loss surface, and its training and test loss.

    Parameters
    ----------
    x, y : ndarrays of shape (n_x,) and (n_y,)
        Coordinates of the surface.
    surface : ndarray of shape (n_y, n_x)
        Training losses.
    path : ndarray of shape (n_points, 2)
        The run.
    steps : ndarray of shape (n_points,)
        Number of updates at each of its points.
    curves : mapping of str to ndarray of shape (n_points,)
        Losses along the run, by role.
    done : int
        How many points of the run to draw.
    levels : sequence of float
        The contours.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=3.1, left=0.66, right=0.5)
    _contours(left, x, y, surface, levels)
    left.plot(*path[:done].T, **role("train", marker=False) | {"linewidth": 1.2})
    left.plot(*path[done - 1], **role("train", line=False) | {"markersize": 6})
    left.plot(*path[0], **role("none", line=False) | {"markersize": 7})
    left.set_xlabel("first principal direction")
    left.set_ylabel("second principal direction")
    left.set_xticks([-20, -10, 0])
    left.set_yticks([-10, 0, 10])
    left.set_title("the way down")
    labels = []
    for name, values in curves.items():
        right.plot(steps, values, **role(name))
        labels.append((float(steps[-1]), float(values[-1]), name, name))
    right.set_ylim(0, 2.5)
    label_lines(right, labels)
    right.axvline(steps[done - 1], color=COLORS["ink"].line, linewidth=1)
    right.set_xlabel("update")
    right.set_ylabel("loss")
    right.set_title("training and test loss")
    return fig


def explore_rescaling(
    steps: FloatArray,
    plain: Mapping[str, FloatArray],
    normalized: Mapping[str, FloatArray],
    factors: FloatArray,
    measures: Mapping[str, tuple[str, FloatArray]],
    factor: float,
) -> Figure:
    """Draw slices of a rescaled network, and what three measures of sharpness say of it.

    Parameters
    ----------
    steps : ndarray of shape (n_steps,)
        Positions along both directions.
    plain, normalized : mapping of str to ndarray of shape (n_steps,)
        Losses along a direction of fixed length and along a filter-normalized one, by role.
    factors : ndarray of shape (n_factors,)
        Factors of the right panel.
    measures : mapping of str to (str, ndarray of shape (n_factors,))
        For each label a role and the measure, relative to the network that is not rescaled.
    factor : float
        Where to draw the vertical line.

    Returns
    -------
    Figure
    """
    fig, axes = panels(3, height=2.9, left=0.52, right=0.16)
    for ax, title, slices in (
        (axes[0], "equal steps", plain),
        (axes[1], "filter-normalized", normalized),
    ):
        for name, values in slices.items():
            ax.plot(steps, values, **role(name))
        ax.set_ylim(0, 5)
        ax.set_title(title)
        ax.set_xlabel("position along the direction")
    axes[0].set_ylabel("loss")
    for name, values in plain.items():
        middle = len(steps) // 2
        label_line(axes[1], 0, float(values[middle]), name, name, dx=0, dy=9, ha="center")
    right = axes[2]
    for text, (name, values) in measures.items():
        right.plot(factors, values, **role(name))
        label_line(right, factors[-1], float(values[-1]), text, name, dx=-8, dy=7, ha="right")
    right.axvline(factor, color=COLORS["ink"].line, linewidth=1)
    right.set_xscale("log")
    right.set_yscale("log")
    right.set_ylim(0.4, 1500)
    right.set_xlabel("factor a")
    right.set_title("relative sharpness")
    return fig
