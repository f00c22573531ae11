"""Drawings of the lesson on batch normalization."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lessons_lib.measure import mean_confidence_interval
from lessons_lib.page.figures import COLORS, label_line, label_lines, panels, role

__all__ = [
    "activations",
    "cliff",
    "company",
    "effective_rate",
    "smoothness",
    "statistics",
    "variance_shift",
]

FloatArray = NDArray[np.float64]


def company(accuracies: Mapping[str, FloatArray]) -> Figure:
    """Draw the accuracy of the same networks under several ways to be evaluated.

    Parameters
    ----------
    accuracies : mapping of str to ndarray of shape (n_seeds,)
        Fractions of right labels; the keys are written beside the dots.

    Returns
    -------
    Figure
    """
    fig, (ax,) = panels(1, height=2.1, left=1.55, right=0.2)
    for place, values in enumerate(accuracies.values()):
        ax.plot(100 * values, np.full(len(values), -place), **role("test", line=False))
    ax.set_yticks(-np.arange(len(accuracies)), list(accuracies))
    ax.set_ylim(0.5 - len(accuracies), 0.5)
    ax.set_xlim(0, 102)
    ax.set_xlabel("right labels of test digits, in %")
    return fig


def activations(
    at_start: Mapping[str, FloatArray],
    after: Mapping[str, FloatArray],
    rates: FloatArray,
    errors: Mapping[str, FloatArray],
    rate: float,
) -> Figure:
    """Draw the size of activations by layer, and the errors of both networks by learning rate.

    Parameters
    ----------
    at_start, after : mapping of {"none", "batch_norm"} to ndarray of shape (n_layers,)
        Standard deviation of each layer's output before and after training; NaN where training
        diverged.
    rates : ndarray of shape (n_rates,)
        Learning rates.
    errors : mapping of {"none", "batch_norm"} to ndarray of shape (2, n_rates)
        Training and test error, as fractions.
    rate : float
        The learning rate of `after`.

    Returns
    -------
    Figure
    """
    fig, axes = panels(3, height=2.7, left=0.55, right=0.3)
    layers = np.arange(1, 1 + len(next(iter(at_start.values()))))
    low, high = 1e-7, 1e5
    for name, text in (("none", "without"), ("batch_norm", "with")):
        start = np.clip(at_start[name], low, high)
        axes[0].plot(layers, start, **role(name, line=False))
        axes[0].plot(layers, np.clip(after[name], low, high), **role(name, marker=False))
        dy = 12 if (name == "batch_norm") != bool(start[0] > 1) else -12
        label_line(axes[0], float(layers[2]), float(start[2]), text, name, dx=0, dy=dy)
    axes[0].set_yscale("log")
    axes[0].set_ylim(low / 3, high * 3)
    axes[0].set_xlabel("hidden layer")
    axes[0].set_ylabel("standard deviation")
    axes[0].set_title("activations")
    for ax, name, title in zip(
        axes[1:], ("none", "batch_norm"), ("without", "with batch norm"), strict=True
    ):
        _errors(ax, rates, errors[name], rate)
        ax.set_xlabel("learning rate")
        ax.set_title(title)
    axes[1].set_ylabel("wrong labels in %")
    return fig


def _errors(ax: Axes, x: FloatArray, errors: FloatArray, here: float) -> None:
    """Draw training and test error in percent, and mark one place."""
    for name, values in zip(("train", "test"), errors, strict=True):
        ax.plot(x, 100 * values, **role(name))
    ax.set_xscale("log")
    ax.set_ylim(-3, 103)
    label_lines(
        ax,
        [
            (float(x[0]), 100 * float(v[0]), n, n)
            for n, v in zip(("train", "test"), errors, strict=True)
        ],
        dx=4,
    )
    ax.axvline(here, color=COLORS["ink"].line, linewidth=1)


def statistics(
    means: FloatArray,
    running: FloatArray,
    truth: float,
    sizes: FloatArray,
    errors: Mapping[str, FloatArray],
    size: int,
) -> Figure:
    """Draw batch means and the running mean, and both errors against the batch size.

    Parameters
    ----------
    means, running : ndarrays of shape (n_batches,)
        Mean of one unit over each batch, and its running mean.
    truth : float
        Mean over all training rows.
    sizes : ndarray of shape (n_sizes,)
        Numbers of rows behind the statistics.
    errors : mapping of {"train", "test"} to ndarray of shape (n_sizes, n_seeds)
        Errors of networks trained with such statistics, as fractions.
    size : int
        The number of rows of the left panel.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=2.8, right=0.6)
    steps = np.arange(1, 1 + len(means))
    left.plot(steps, means, **role("data"))
    left.plot(steps, np.full(len(steps), truth), **role("truth", marker=False))
    left.plot(steps, running, **role("batch_norm", marker=False))
    label_lines(
        left,
        [
            (float(steps[-1]), float(running[-1]), "running", "batch_norm"),
            (float(steps[-1]), truth, "truth", "truth"),
        ],
    )
    left.set_ylim(truth - 1.6, truth + 1.6)
    left.set_xlabel("batch")
    left.set_ylabel("mean of one unit")
    left.set_title("noise of the statistics")
    labels = []
    for name, values in errors.items():
        interval = mean_confidence_interval(100 * values)
        right.fill_between(
            sizes, interval.low, interval.high, color=role(name)["color"], alpha=0.18, linewidth=0
        )
        right.plot(sizes, interval.mean, **role(name))
        labels.append((float(sizes[-1]), float(interval.mean[-1]), name, name))
    right.set_xscale("log", base=2)
    right.set_xticks(sizes, [f"{s:g}" for s in sizes])
    right.set_ylim(-1, None)
    label_lines(right, labels)
    right.axvline(size, color=COLORS["ink"].line, linewidth=1)
    right.set_xlabel("rows behind the statistics")
    right.set_ylabel("wrong labels in %")
    right.set_title("errors")
    return fig


def smoothness(
    steps: Sequence[int], ranges: Mapping[str, FloatArray], changes: Mapping[str, FloatArray]
) -> Figure:
    """Draw how loss and gradient vary along the gradient, during training.

    Parameters
    ----------
    steps : sequence of int
        Training steps at which it was measured.
    ranges, changes : mapping of {"none", "batch_norm"} to ndarray of shape (n_steps, n_seeds)
        Range of the loss along the way, and relative change of the gradient.

    Returns
    -------
    Figure
    """
    fig, axes = panels(2, height=2.7, right=0.62)
    for ax, title, values in zip(
        axes, ("loss along the gradient", "change of the gradient"), (ranges, changes), strict=True
    ):
        labels = []
        for name, text in (("none", "without"), ("batch_norm", "with")):
            low, median, high = np.quantile(values[name], [0.25, 0.5, 0.75], axis=-1)
            color: Any = role(name)["color"]
            ax.fill_between(steps, low, high, color=color, alpha=0.18, linewidth=0)
            ax.plot(steps, median, **role(name))
            labels.append((float(steps[-1]), float(median[-1]), text, name))
        ax.set_yscale("log")
        label_lines(ax, labels)
        ax.set_xlabel("training step")
        ax.set_title(title)
    axes[0].set_ylabel("largest less smallest loss")
    axes[1].set_ylabel("relative to the gradient")
    return fig


def effective_rate(
    norms: Mapping[float, FloatArray],
    errors: Mapping[str, FloatArray],
    learning_rate: float,
    every: int = 1,
) -> Figure:
    """Draw weight norms and effective learning rates during training, by strength of the decay.

    Parameters
    ----------
    norms : mapping of float to ndarray of shape (n_steps,)
        Norm of the weights of one layer during training; at most three strengths.
    errors : mapping of {"train", "test"} to ndarray of shape (n_strengths, n_seeds)
        Errors at the end, as fractions.
    learning_rate : float
        Learning rate of all.
    every : int, default=1
        Number of training steps between two norms.

    Returns
    -------
    Figure
    """
    fig, axes = panels(3, height=2.7, left=0.62, right=0.6)
    names = ("early_stopping", "l2", "elastic_net")
    for ax, title, power in ((axes[0], "norm ‖w‖", 1), (axes[1], "η/‖w‖²", -2)):
        labels = []
        for (strength, norm), name in zip(norms.items(), names, strict=False):
            values = norm if power == 1 else learning_rate / norm**2
            steps = every * np.arange(len(norm))
            ax.plot(steps, values, **role(name))
            labels.append((float(steps[-1]), float(values[-1]), f"{strength:g}", name))
        ax.set_yscale("log")
        label_lines(ax, labels, dx=4)
        ax.set_xlabel("step")
        ax.set_title(title)
    axes[0].set_ylabel("first layer")
    places = np.arange(len(norms))
    labels = []
    for name, fractions in errors.items():
        interval = mean_confidence_interval(100 * fractions)
        axes[2].errorbar(places, interval.mean, interval.half_width, **_bars(name))
        labels.append((float(places[-1]), float(interval.mean[-1]), name, name))
    axes[2].set_ylim(-0.5, None)
    label_lines(axes[2], labels)
    axes[2].set_xticks(places, [f"{strength:g}" for strength in norms])
    axes[2].set_xlim(-0.3, len(places) - 0.7)
    axes[2].set_xlabel("decay λ")
    axes[2].set_ylabel("wrong labels in %")
    axes[2].set_title("errors")
    return fig


def _bars(name: str) -> dict[str, Any]:
    """Return the keywords of ``errorbar`` for a role."""
    return role(name) | {"markevery": 1, "capsize": 3, "elinewidth": 1}


def variance_shift(
    ratios: Mapping[str, FloatArray], errors: Mapping[str, Mapping[str, FloatArray]]
) -> Figure:
    """Draw the variance ratio at each batch normalization, and both errors, by order of layers.

    Parameters
    ----------
    ratios : mapping of str to ndarray of shape (n_layers, n_seeds)
        Evaluation variance over running variance, by order.
    errors : mapping of {"train", "test"} to mapping of str to ndarray of shape (n_seeds,)
        Errors as fractions, by order.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=2.7, left=1.05, right=0.3)
    places = -np.arange(len(ratios))
    for layer, name in enumerate(("l2", "l1")):
        values = [mean_confidence_interval(ratio[layer]) for ratio in ratios.values()]
        left.plot([v.mean for v in values], places, **role(name, line=False))
        dy = 11 if layer else -11  # the two would touch side by side
        label_line(left, values[1].mean, -1, f"layer {layer + 1}", name, dx=0, dy=dy, ha="center")
    left.axvline(1, color=COLORS["ink"].line, linewidth=1)
    left.set_xlim(0, 1.15)
    left.set_xlabel("variance: evaluation / running")
    left.set_title("variance shift")
    for name, by_order in errors.items():
        intervals = [mean_confidence_interval(100 * values) for values in by_order.values()]
        center = np.array([interval.mean for interval in intervals])
        widths = np.array([interval.half_width for interval in intervals])
        right.errorbar(center, places, xerr=widths, **(_bars(name) | {"linestyle": "none"}))
        label_line(right, center[0], 0.0, name, name, dx=0, dy=11, ha="center")
    right.set_xlim(-1, None)
    right.set_xlabel("wrong labels in %")
    right.set_title("errors")
    for ax in (left, right):
        ax.set_yticks(places, list(ratios))
        ax.set_ylim(0.5 - len(ratios), 0.6)
    left.set_ylabel(" ")
    return fig


def cliff(
    gaps: Mapping[str, FloatArray],
    loss: tuple[FloatArray, FloatArray],
    paths: Mapping[str, tuple[FloatArray, FloatArray]],
) -> Figure:
    """Draw how power iteration converges, and steps on a cliff with and without clipping.

    Parameters
    ----------
    gaps : mapping of {"train", "truth"} to ndarray of shape (n_iterations,)
        Relative error of the estimated singular value, measured and from theory.
    loss : (w, value)
        The curve of the loss.
    paths : mapping of {"none", "l2"} to (w, value)
        Points visited without clipping and with it.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=2.8, right=0.62)
    labels = []
    for (name, values), text in zip(gaps.items(), ("measured", "theory"), strict=True):
        iterations = np.arange(1, 1 + len(values))
        left.plot(iterations, values, **role(name))
        labels.append((float(iterations[-1]), float(values[-1]), text, name))
    left.set_yscale("log")
    label_lines(left, labels)
    left.set_xlabel("power iterations")
    left.set_ylabel("relative error of σ")
    left.set_title("power iteration")
    right.plot(*loss, **role("truth", marker=False))
    right.set_yscale("log")
    right.set_xlim(loss[0][0], loss[0][-1])
    right.set_ylim(1e-5, float(loss[1].max()) * 3)
    for (name, (w, value)), text in zip(paths.items(), ("unclipped", "clipped"), strict=True):
        right.plot(w, np.maximum(value, 1e-5), **(role(name) | {"linewidth": 0.8, "markevery": 1}))
        label_line(right, w[1], max(value[1], 1e-5), text, name, dx=6, dy=6)
    right.set_xlabel("w")
    right.set_ylabel("loss")
    right.set_title("a cliff")
    return fig
