"""Drawings of the lesson on the lasso."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lessons_lib.measure import mean_confidence_interval
from lessons_lib.page.figures import COLORS, label_line, label_lines, panels, role
from lessons_lib.penalties import soft_threshold
from lessons_lib.solvers import History

__all__ = [
    "coefficient_path",
    "compression",
    "convergence",
    "explore_geometry",
    "explore_path",
    "posterior",
    "pushes",
    "selection_frequencies",
    "steps_toward_zero",
    "thresholds",
]

FloatArray = NDArray[np.float64]

# One color and one pattern for each of several curves that are not roles of the book.
_CURVES = (
    ("gray", (9.0, 2.2)),
    ("sky", (4.5, 1.8)),
    ("blue", (6.0, 1.6, 1.0, 1.6)),
    ("vermillion", ()),
    ("ink", (1.0, 1.4)),
)


def _curve(ax: Axes, x: FloatArray, y: FloatArray, index: int, text: str) -> None:
    color, dashes = _CURVES[index % len(_CURVES)]
    style: Any = (0.0, dashes) if dashes else "solid"
    marker = "o" if len(x) == 1 else "none"  # a single point has no line
    (line,) = ax.plot(x, y, color=COLORS[color].line, linewidth=1.6, marker=marker, label=text)
    line.set_linestyle(style)


def pushes() -> Figure:
    """Draw both penalties of one coefficient, and how strongly each pushes it toward zero.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=2.5, right=0.4)
    w = np.linspace(-2, 2, 201)
    left.plot(w, np.abs(w), **role("l1", marker=False))
    left.plot(w, w**2 / 2, **role("l2", marker=False))
    label_line(left, -1.2, 1.2, "|w|", "l1", dx=8, dy=5)
    label_line(left, 1.2, 0.72, "w²/2", "l2", dx=4, dy=-8)
    left.set_ylabel("penalty")
    right.plot(w[w < 0], np.sign(w[w < 0]), **role("l1", marker=False))
    right.plot(w[w > 0], np.sign(w[w > 0]), **role("l1", marker=False))
    right.plot([0, 0], [-1, 1], color=COLORS["vermillion"].line, linewidth=0.8)
    right.plot(w, w, **role("l2", marker=False))
    label_line(right, -2, -1, "L1", "l1", dx=2, dy=8)
    label_line(right, 1.6, 1.6, "L2", "l2", dx=-6, dy=4, ha="right")
    right.set_ylabel("derivative")
    for ax in (left, right):
        ax.set_xlabel("coefficient w")
    return fig


def steps_toward_zero(subgradient: FloatArray, proximal: FloatArray, decay: FloatArray) -> Figure:
    """Draw how one coefficient moves under the penalty alone: from far away, and near zero.

    Parameters
    ----------
    subgradient, proximal, decay : ndarrays of shape (n_steps + 1,)
        The coefficient under L1 subgradient steps, L1 proximal steps and L2 gradient steps.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=2.6, right=0.85)
    arms = (("subgradient", "none", subgradient), ("proximal", "l1", proximal), ("L2", "l2", decay))
    step = np.arange(len(subgradient), dtype=float)
    for ax in (left, right):
        for _, name, values in arms:
            ax.plot(step, values, **role(name, marker=False))
        ax.set_xlabel("step")
        ax.set_xlim(0, len(step) - 1)
    left.set_ylabel("coefficient")
    left.set_title("the whole way")
    right.set_title("near zero")
    right.set_ylim(-0.016, 0.016)
    right.set_xlim(len(step) - 25, len(step) - 1)
    label_lines(left, [(step[-1], float(v[-1]), text, name) for text, name, v in arms])
    label_lines(right, [(step[-1], float(v[-1]), t, name) for t, name, v in arms[:2]])
    return fig


def thresholds(threshold: float) -> Figure:
    """Draw what L1, L2 and a choice of the best subset make of a least-squares coefficient.

    Parameters
    ----------
    threshold : float
        Penalty strength for features with unit curvature.

    Returns
    -------
    Figure
    """
    fig, (ax,) = panels(1, height=3.0, right=0.75)
    v = np.linspace(-3, 3, 301)
    kept = np.where(np.abs(v) > threshold, v, 0.0)
    ax.plot(v, v, color=COLORS["gray"].line, linewidth=0.7)
    ax.plot(v, kept, **role("none", marker=False))
    ax.plot(v, v / (1 + threshold), **role("l2", marker=False))
    ax.plot(v, soft_threshold(v, threshold), **role("l1", marker=False))
    ends = (
        ("subset", "none", 3.0),
        ("L1", "l1", 3.0 - threshold),
        ("L2", "l2", 3 / (1 + threshold)),
    )
    label_lines(ax, [(3.0, y, text, name) for text, name, y in ends])
    ax.set_xlabel("least-squares coefficient")
    ax.set_ylabel("penalized coefficient")
    return fig


def explore_geometry(
    curvature: FloatArray, optimum: FloatArray, budget: float, l1: FloatArray, l2: FloatArray
) -> Figure:
    """Draw diamond and circle with the contour of the loss that touches each.

    Parameters
    ----------
    curvature : ndarray of shape (2, 2)
        Matrix of second derivatives of the loss.
    optimum : ndarray of shape (2,)
        Where the loss is smallest.
    budget : float
        Largest L1 or L2 norm.
    l1, l2 : ndarrays of shape (2,)
        The best points within the diamond and within the circle.

    Returns
    -------
    Figure
    """
    fig, axes = panels(2, height=3.3, left=0.55, right=0.1)
    angle = np.linspace(0, 2 * np.pi, 49)
    turn = np.array([np.cos(angle), np.sin(angle)])
    circle = budget * turn
    diamond = budget * np.array([[1, 0, -1, 0, 1], [0, 1, 0, -1, 0]])
    shape = np.linalg.inv(np.linalg.cholesky(curvature)).T @ np.array(
        [np.cos(angle), np.sin(angle)]
    )
    for ax, name, region, contact in zip(
        axes, ("l1", "l2"), (diamond, circle), (l1, l2), strict=True
    ):
        ax.fill(*region, color=COLORS["vermillion" if name == "l1" else "blue"].line, alpha=0.15)
        ax.plot(*region, **role(name, marker=False))
        offset = contact - optimum
        touching = float(np.sqrt(offset @ curvature @ offset))
        for radius, width in ((touching, 1.5), (touching / 2, 0.7)):
            ring = optimum[:, None] + radius * shape
            ax.plot(*ring, color=COLORS["gray"].line, linewidth=width)
        ax.plot(*optimum, marker="x", color=COLORS["ink"].line)
        ax.plot(*contact, marker="o", markersize=7, color=COLORS["ink"].line)
        zeros = [f"w{i + 1} = 0" for i in range(2) if abs(contact[i]) < 1e-9]
        ax.set_title(f"{name.upper()}: " + (" and ".join(zeros) or "no zero"))
        ax.axhline(0, color=COLORS["ink"].line, linewidth=0.6)
        ax.axvline(0, color=COLORS["ink"].line, linewidth=0.6)
        ax.set_xlim(-3.2, 3.2)
        ax.set_ylim(-2.9, 2.9)
        ax.set_xlabel("w1")
        ax.set_ylabel("w2")
    return fig


def _paths(ax: Axes, alphas: FloatArray, coefs: FloatArray, names: Sequence[str]) -> None:
    shown = np.argsort(-np.abs(coefs[:, -1]))[:6]
    palette = ("blue", "vermillion", "green", "purple", "orange", "sky")
    roles = ("train", "test", "validation", "bias", "early_stopping", "variance")
    colors = dict(zip(shown.tolist(), palette, strict=False))
    for j, row in enumerate(coefs):
        ax.plot(alphas, row, color=COLORS[colors.get(j, "gray")].line, linewidth=1.3)
    labels = [
        (float(alphas[-1]), float(coefs[j, -1]), names[j], name)
        for j, name in zip(shown, roles, strict=False)
    ]
    ax.set_xscale("log")
    ax.set_xlim(alphas[0], alphas[-1])  # weaker penalties to the right, as the path is walked
    ax.axhline(0, color=COLORS["ink"].line, linewidth=0.6)
    ax.set_xlabel("penalty strength λ (falling)")
    label_lines(ax, labels)


def coefficient_path(
    alphas: FloatArray, coefs: FloatArray, names: Sequence[str], knots: FloatArray
) -> Figure:
    """Draw all coefficients against the penalty strength, with the knots of the path.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
        Decreasing penalty strengths.
    coefs : ndarray of shape (n_features, n_alphas)
        Coefficients.
    names : sequence of str
        Names of the features; the six largest at the end are labeled.
    knots : ndarray of shape (n_knots,)
        Strengths at which a feature joins or leaves.

    Returns
    -------
    Figure
    """
    fig, (ax,) = panels(1, height=3.1, right=0.6)
    _paths(ax, alphas, coefs, names)
    for knot in knots[(knots <= alphas[0]) & (knots >= alphas[-1])]:
        ax.axvline(knot, color=COLORS["gray"].line, linewidth=0.5, linestyle=":")
    ax.set_ylabel("coefficient")
    return fig


def explore_path(
    index: int,
    alphas: FloatArray,
    coefs: FloatArray,
    names: Sequence[str],
    train_errors: FloatArray,
    validation_errors: FloatArray,
) -> Figure:
    """Draw coefficients and errors along the path, and where one strength stands.

    Parameters
    ----------
    index : int
        Which of the strengths.
    alphas, coefs, names
        As for :func:`coefficient_path`.
    train_errors, validation_errors : ndarrays of shape (n_alphas, n_splits)
        Mean squared errors on rows that were fitted to, and on rows that were not.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=2.9, right=0.8)
    _paths(left, alphas, coefs, names)
    left.plot(np.full(len(coefs), alphas[index]), coefs[:, index], **role("data") | {"marker": "o"})
    left.set_ylabel("coefficient")
    left.set_title(f"{np.count_nonzero(coefs[:, index])} of {len(coefs)} features")
    ends = []
    for name, errors in (("train", train_errors), ("validation", validation_errors)):
        means = errors.mean(axis=1)
        right.plot(alphas, means, **role(name))
        ends.append((float(alphas[-1]), float(means[-1]), name, name))
    right.set_xscale("log")
    right.set_xlim(alphas[0], alphas[-1])
    right.set_ylim(bottom=0)
    label_lines(right, ends)
    right.set_xlabel("penalty strength λ (falling)")
    right.set_ylabel("mean squared error")
    right.set_title("errors")
    for ax in (left, right):
        ax.axvline(alphas[index], color=COLORS["ink"].line, linewidth=1)
    return fig


def convergence(histories: Mapping[str, History], scale: float) -> Figure:
    """Draw the duality gap of several solvers against iterations and against time.

    Parameters
    ----------
    histories : mapping of str to History
        One for each solver, at most five.
    scale : float
        Unit of the gap: the mean square of the targets.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=3.0, right=0.2)
    for index, (text, history) in enumerate(histories.items()):
        gap = np.maximum(history.dual_gap / scale, 1e-16)
        # About 80 points are enough for the eye, on a logarithmic axis.
        rows = np.unique(np.geomspace(1, len(gap), 80).astype(int)) - 1
        if len(gap) > 2:  # a direct method has no iterations to be compared
            _curve(left, rows[1:].astype(float), gap[rows[1:]], index, text)
        _curve(right, 1e3 * history.seconds[rows[1:]], gap[rows[1:]], index, text)
    for ax, label in ((left, "iterations"), (right, "milliseconds")):
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_ylim(3e-17, 5)
        ax.set_xlabel(label)
        ax.set_ylabel("duality gap / mean square of y")
    # Computers differ in speed: the axis takes whole decades and the label the side with room.
    times = 1e3 * np.concatenate([history.seconds[1:] for history in histories.values()])
    first, last = math.floor(math.log10(times.min())), math.ceil(math.log10(times.max()))
    right.set_xlim(10.0**first, 10.0 ** max(last, first + 1))
    for text, history in histories.items():
        if len(history.dual_gap) == 2:
            place = 1e3 * float(history.seconds[-1])
            late = math.log10(place) > (first + last) / 2
            label_line(
                right,
                place,
                max(float(history.dual_gap[-1] / scale), 1e-16),
                text,
                "truth",
                dx=-5 if late else 5,
                dy=8,
                ha="right" if late else "left",
            )
    left.legend(loc="lower left")
    return fig


def posterior(grid: FloatArray, densities: FloatArray, mode: float, mean: float) -> Figure:
    """Draw the posterior of one coefficient under a Laplace prior, with mode and mean.

    Parameters
    ----------
    grid : ndarray of shape (n_points,)
        Values of the coefficient.
    densities : ndarray of shape (2, n_points)
        Prior and posterior.
    mode, mean : float
        Of the posterior.

    Returns
    -------
    Figure
    """
    fig, (ax,) = panels(1, height=2.6, right=0.3)
    prior, after = densities
    ax.plot(grid, prior, **role("none", marker=False))
    ax.plot(grid, after, **role("l1", marker=False))
    top = float(after.max())
    for value, text, name in ((mode, "mode", "l1"), (mean, "mean", "sgd")):
        ax.plot([value, value], [0, top], color=COLORS["ink"].line, linewidth=0.8)
        left = value <= min(mode, mean)
        label_line(
            ax, value, 0.35 * top, text, name, dx=-4 if left else 4, ha="right" if left else "left"
        )
    label_line(ax, grid[0], float(prior[0]), "prior", "none", dx=2, dy=10)
    ax.set_ylim(0, 1.1 * top)
    ax.set_xlabel("coefficient")
    ax.set_ylabel("density")
    return fig


def selection_frequencies(
    correlated: FloatArray, names: Sequence[str], twins: FloatArray, similarity: FloatArray
) -> Figure:
    """Draw how often each feature is selected, and the coefficients of two near-copies.

    Parameters
    ----------
    correlated : ndarray of shape (n_features,)
        Share of resamples in which each feature is selected.
    names : sequence of str
        Names of the features.
    twins : ndarray of shape (n_repeats, 2)
        Coefficients that the lasso gave to two nearly equal features.
    similarity : ndarray of shape (n_repeats, 2)
        The same for ridge regression.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=3.2, left=0.75, right=0.3)
    left.plot(twins[:, 0], twins[:, 1], **role("l1", line=False))
    left.plot(similarity[:, 0], similarity[:, 1], **role("l2", line=False))
    left.set_xlim(-0.3, 2.3)
    left.set_ylim(-0.3, 2.3)
    label_line(left, 1.15, 1.2, "L2", "l2")
    label_line(left, 0.1, 2.05, "L1", "l1")
    left.set_xlabel("coefficient of the first copy")
    left.set_ylabel("of the second")
    left.set_title("two near-copies")
    order = np.argsort(-correlated)
    position = np.arange(len(order))
    right.bar(position, correlated[order], color=COLORS["vermillion"].line, width=0.7)
    right.set_ylim(0, 1)
    right.set_xticks([])
    right.set_xlabel(f"{len(names)} features, ordered")
    right.set_ylabel("share of resamples")
    right.set_title("selected")
    return fig


def compression(sizes: FloatArray, arms: Mapping[str, FloatArray], dense: FloatArray) -> Figure:
    """Draw test accuracy against the bytes that a model takes.

    Parameters
    ----------
    sizes : ndarray of shape (n_sizes,)
        Bytes.
    arms : mapping of str to ndarray of shape (n_sizes, n_seeds)
        Accuracy, at most five arms.
    dense : ndarray of shape (n_seeds,)
        Accuracy of the model with all units.

    Returns
    -------
    Figure
    """
    fig, (ax,) = panels(1, height=3.0, right=0.3)
    kilobytes = sizes / 1000
    for index, (text, values) in enumerate(arms.items()):
        interval = mean_confidence_interval(values)
        color, _ = _CURVES[(index + 2) % len(_CURVES)]
        x = kilobytes * 1.025 ** (index - 2)  # side by side, so that the bars can be told apart
        _curve(ax, x, interval.mean, index + 2, text)
        ax.errorbar(
            x,
            interval.mean,
            yerr=interval.half_width,
            color=COLORS[color].line,
            linestyle="none",
            elinewidth=0.9,
        )
    ax.axhline(dense.mean(), color=COLORS["gray"].line, linewidth=0.8)
    label_line(ax, kilobytes[0], float(dense.mean()), "all units", "none", dx=0, dy=7)
    ax.set_xscale("log")
    ax.set_xticks(kilobytes, [f"{value:.2g}" for value in kilobytes])
    ax.minorticks_off()
    ax.set_xlabel("stored size in kilobytes")
    ax.set_ylabel("test accuracy")
    ax.set_ylim(0.35, 1.02)  # room for the legend
    ax.legend(loc="lower right")
    return fig
