"""Drawings of the lesson on ensembles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lessons_lib.ensembles import ensemble_mse
from lessons_lib.measure import mean_confidence_interval
from lessons_lib.page.figures import COLORS, label_line, label_lines, panels, role

__all__ = [
    "arms",
    "averaged_errors",
    "feature_subsampling",
    "gains",
    "label_noise",
    "opening",
    "out_of_bag",
    "staircase",
]

FloatArray = NDArray[np.float64]


def opening(
    members: FloatArray, one_tree: FloatArray, average: FloatArray, mean_only: FloatArray
) -> Figure:
    """Draw, for each split, the errors of the members, of one tree and of the average.

    Parameters
    ----------
    members : ndarray of shape (n_splits, n_members)
        Mean squared test errors of the members.
    one_tree, average, mean_only : ndarray of shape (n_splits,)
        Those of a tree fitted to all training rows, of the average of the members, and of the
        constant prediction.

    Returns
    -------
    Figure
    """
    fig, (ax,) = panels(1, height=3.0, left=0.72, right=0.92)
    split = np.arange(1, len(members) + 1)
    ax.vlines(split, members.min(axis=1), members.max(axis=1), color=COLORS["gray"].line, lw=1)
    ends = []
    for values, text, name in (
        (members.mean(axis=1), "members", "none"),
        (one_tree, "one tree", "train"),
        (mean_only, "constant", "truth"),
        (average, "average", "ensemble"),
    ):
        look = role(name, line=name == "truth", marker=name != "truth")
        ax.plot(split, values, **look | ({} if name == "truth" else {"markersize": 6}))
        ends.append((float(split[-1]), float(values[-1]), text, name))
    ax.set_ylim(0, None)
    ax.set_xticks(split)
    label_lines(ax, ends, dx=9)
    ax.set_xlabel("random split")
    ax.set_ylabel("mean squared test error")
    return fig


def averaged_errors(
    rho: float,
    k: int,
    counts: Sequence[int],
    measured: FloatArray,
    errors: FloatArray,
    average: FloatArray,
) -> Figure:
    """Draw the error of an average against the number of members, and the errors themselves.

    Parameters
    ----------
    rho : float
        Correlation of the errors, whose mean square is 1.
    k : int
        Number of members, one of `counts`.
    counts : sequence of int
        Numbers of members for the left panel.
    measured : ndarray of shape (n_counts,)
        Mean squared errors of averages of simulated errors.
    errors : ndarray of shape (n_members, n_rows)
        Errors of at most `k` members, for the right panel.
    average : ndarray of shape (n_rows,)
        Average error of all `k` members.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=2.9, left=0.6, right=0.55)
    numbers = np.asarray(counts)
    left.plot(numbers, ensemble_mse(1.0, rho, numbers), **role("ensemble", marker=False))
    left.plot(numbers, measured, **role("data", line=False))
    left.plot([numbers[0], numbers[-1]], [rho, rho], **role("noise", marker=False))
    at = float(ensemble_mse(1.0, rho, k))
    left.plot([k], [at], **role("ensemble", line=False) | {"marker": "o", "markersize": 8})
    left.set_xscale("log")
    left.set_xticks([1, 10, 100], ["1", "10", "100"])
    left.set_ylim(-0.04, 1.08)
    label_line(left, numbers[-1], rho, "C / V", "noise")
    left.set_xlabel("number of members k")
    left.set_ylabel("error of the average / V")
    left.set_title("error of the average")
    rows = np.arange(1, errors.shape[1] + 1)
    for member in errors:
        right.plot(rows, member, **role("data", line=False) | {"markersize": 3.5})
    right.plot(rows, average, **role("ensemble", marker=False))
    right.axhline(0, color=COLORS["gray"].line, linewidth=0.8)
    right.set_ylim(-3.6, 3.6)
    right.set_xlim(0, len(rows) + 1)
    right.set_xlabel("row")
    right.set_ylabel("error / √V")
    right.set_title("members (×) and average")
    return fig


def staircase(
    x: FloatArray,
    prediction: FloatArray,
    truth: FloatArray,
    data: tuple[FloatArray, FloatArray],
    depth: int,
    depths: Sequence[int],
    errors: Mapping[str, FloatArray],
    top: float,
) -> Figure:
    """Draw an average of regression trees, and training and test error against the depth.

    Parameters
    ----------
    x, prediction, truth : ndarrays of shape (n_points,)
        Inputs, what the average says there, and the noise-free target.
    data : pair of ndarrays of shape (n_samples,)
        Inputs and targets of the training rows.
    depth : int
        Depth of the drawn trees, one of `depths`.
    depths : sequence of int
        Depths of the right panel.
    errors : mapping of str to ndarray of shape (n_depths,)
        Curves of the right panel by role: training and test error of the average, and under
        ``"none"`` the test error of a single tree.
    top : float
        Upper end of the axis of errors.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=3.0, left=0.64, right=0.8)
    left.plot(*data, **role("data", line=False) | {"markersize": 3.5})
    left.plot(x, truth, **role("truth", marker=False))
    left.plot(x, prediction, **role("ensemble", marker=False) | {"linewidth": 1.4})
    left.set_ylim(-2.1, 2.1)
    left.set_xlabel("x")
    left.set_ylabel("y")
    left.set_title("average (solid), truth (dotted)")
    texts = {"train": "train", "test": "test", "none": "test, 1 tree"}
    labels = []
    for name, curve in errors.items():
        right.plot(depths, curve, **role(name))
        labels.append((float(depths[-1]), float(curve[-1]), texts[name], name))
    right.axvline(depth, color=COLORS["ink"].line, linewidth=1)
    right.set_ylim(0, top)
    right.set_xticks(depths)
    label_lines(right, labels)
    right.set_xlabel("depth of the trees")
    right.set_ylabel("mean squared error")
    right.set_title("training and test error")
    return fig


def out_of_bag(counts: Sequence[int], curves: Mapping[str, FloatArray]) -> Figure:
    """Draw out-of-bag and test error against the number of trees.

    Parameters
    ----------
    counts : sequence of int
        Numbers of trees.
    curves : mapping of str to ndarray of shape (n_counts,)
        Mean squared errors: ``"test"``, ``"out of bag"`` and ``"theory"`` for the latter.

    Returns
    -------
    Figure
    """
    fig, (ax,) = panels(1, height=2.9, left=0.72, right=0.95)
    names = {"test": "test", "out of bag": "validation", "theory": "truth"}
    labels = []
    for text, name in names.items():
        ax.plot(counts, curves[text], **role(name))
        labels.append((float(counts[-1]), float(curves[text][-1]), text, name))
    ax.set_xscale("log")
    ax.set_xticks(list(counts), [str(k) for k in counts])
    ax.set_ylim(0, None)
    label_lines(ax, labels)
    ax.set_xlabel("number of trees")
    ax.set_ylabel("mean squared error")
    return fig


def feature_subsampling(
    candidates: Sequence[int], V: FloatArray, C: FloatArray, counts: Sequence[int]
) -> Figure:
    """Draw what looking at fewer features does to `V`, to `C` and to the average.

    Parameters
    ----------
    candidates : sequence of int
        Numbers of features looked at in each node.
    V, C : ndarrays of shape (n_candidates, n_splits)
        Moments of the trees' errors.
    counts : sequence of int
        Numbers of trees of the right panel, increasing.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=3.0, left=0.68, right=0.72)
    labels = []
    for values, text, name in ((V, "V", "variance"), (C, "C", "ensemble")):
        interval = mean_confidence_interval(values)
        color = role(name)["color"]
        left.fill_between(
            candidates, interval.low, interval.high, color=color, alpha=0.2, linewidth=0
        )
        left.plot(candidates, interval.mean, **role(name))
        labels.append((float(candidates[-1]), float(interval.mean[-1]), text, name))
    left.set_ylim(0, None)
    left.set_xticks(list(candidates))
    label_lines(left, labels)
    left.set_xlabel("features looked at")
    left.set_ylabel("squared error")
    left.set_title("one tree (V), two trees (C)")
    labels = []
    numbers = np.asarray(counts)
    for at, name in ((0, "l1"), ((len(candidates) - 1) // 2, "elastic_net"), (-1, "l2")):
        curve = ensemble_mse(V[at].mean(), C[at].mean(), numbers)
        right.plot(numbers, curve, **role(name))
        text = f"{candidates[at]} feature{'s' if candidates[at] > 1 else ''}"
        labels.append((float(numbers[-1]), float(curve[-1]), text, name))
    right.set_xscale("log")
    right.set_ylim(0, None)
    label_lines(right, labels)
    right.set_xlabel("number of trees k")
    right.set_ylabel("V/k + (k − 1)/k · C")
    right.set_title("their average")
    return fig


def gains(changes: Mapping[str, FloatArray]) -> Figure:
    """Draw by how much bagging lowers the error of several models, with intervals.

    Parameters
    ----------
    changes : mapping of str to ndarray of shape (n_splits,)
        Relative decrease of the error, by model.

    Returns
    -------
    Figure
    """
    fig, (ax,) = panels(1, height=2.7, left=1.25, right=0.2)
    for place, values in enumerate(changes.values()):
        interval = mean_confidence_interval(values)
        ax.plot([interval.low, interval.high], [place, place], color=COLORS["ink"].line, ls="-")
        ax.plot([interval.mean], [place], **role("ensemble", line=False))
    ax.axvline(0, color=COLORS["gray"].line, linewidth=1)
    ax.set_yticks(range(len(changes)), list(changes))
    ax.set_ylim(len(changes) - 0.5, -0.5)
    ax.set_ylabel("")
    ax.set_xlabel("part of the error that bagging removes")
    return fig


def label_noise(
    counts: Sequence[int],
    by_count: Mapping[int, FloatArray],
    leaves: Sequence[int],
    train: FloatArray,
    test: FloatArray,
) -> Figure:
    """Draw errors of forests against the number of trees, and against the size of leaves.

    Parameters
    ----------
    counts : sequence of int
        Numbers of trees.
    by_count : mapping of int to ndarray of shape (n_counts, n_seeds)
        Test errors, by the least number of samples in a leaf; at most three.
    leaves : sequence of int
        Least numbers of samples in a leaf, for the right panel.
    train, test : ndarrays of shape (n_leaves, n_seeds)
        Errors of the largest forests.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=3.0, left=0.62, right=0.72)
    labels = []
    for (leaf, values), name in zip(by_count.items(), ("l1", "l2", "elastic_net"), strict=False):
        mean = values.mean(axis=1)
        left.plot(counts, mean, **role(name))
        labels.append((float(counts[-1]), float(mean[-1]), f"leaf ≥ {leaf}", name))
    left.set_xscale("log")
    left.set_ylim(0, None)
    label_lines(left, labels)
    left.set_xlabel("number of trees")
    left.set_ylabel("test error")
    left.set_title("more trees")
    labels = []
    for values, name in ((train, "train"), (test, "test")):
        interval = mean_confidence_interval(values)
        color = role(name)["color"]
        right.fill_between(leaves, interval.low, interval.high, color=color, alpha=0.2, linewidth=0)
        right.plot(leaves, interval.mean, **role(name))
        labels.append((float(leaves[-1]), float(interval.mean[-1]), name, name))
    right.set_xscale("log")
    right.set_xticks(list(leaves), [str(leaf) for leaf in leaves])
    right.set_ylim(0, None)
    label_lines(right, labels)
    right.set_xlabel("least samples in a leaf")
    right.set_ylabel("error")
    right.set_title("smaller trees")
    return fig


def arms(results: Mapping[str, FloatArray], measures: Sequence[str]) -> Figure:
    """Draw several measures of several arms, with intervals; one panel for each measure.

    Parameters
    ----------
    results : mapping of str to ndarray of shape (n_measures, n_seeds)
        Measured values, by arm.
    measures : sequence of str
        Names of the measures, at most three.

    Returns
    -------
    Figure
    """
    fig, axes = panels(len(measures), height=2.6, left=0.82, right=0.16)
    for index, (ax, measure) in enumerate(zip(axes, measures, strict=True)):
        for place, values in enumerate(results.values()):
            interval = mean_confidence_interval(values[index])
            ax.plot([interval.low, interval.high], [place, place], color=COLORS["ink"].line, ls="-")
            ax.plot([interval.mean], [place], **role("ensemble", line=False))
        ax.set_yticks(range(len(results)), list(results))
        ax.set_ylim(len(results) - 0.5, -0.5)
        ax.margins(x=0.12)
        ax.set_xlabel(measure)
    return fig
