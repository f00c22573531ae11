"""Drawings of the lesson on dropout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lessons_lib.measure import mean_confidence_interval
from lessons_lib.page.figures import COLORS, label_line, label_lines, panels, role

__all__ = ["averages", "curves_and_rates", "intervals", "knockout", "thinned_network"]

FloatArray = NDArray[np.float64]


def knockout(
    removed: Sequence[float], accuracies: Mapping[str, FloatArray], labels: Mapping[str, str]
) -> Figure:
    """Draw the accuracy against the part of the hidden units that is removed.

    Parameters
    ----------
    removed : sequence of float
        Parts removed, from 0 to 1.
    accuracies : mapping of str to ndarray of shape (n_parts, n_seeds)
        Accuracies, by role.
    labels : mapping of str to str
        Label of each role's line.

    Returns
    -------
    Figure
    """
    fig, (ax,) = panels(1, height=2.8, right=0.9)
    ends = []
    for name, values in accuracies.items():
        interval = mean_confidence_interval(values)
        ax.fill_between(
            removed, interval.low, interval.high, color=role(name)["color"], alpha=0.2, linewidth=0
        )
        ax.plot(removed, interval.mean, **role(name))
        ends.append((float(removed[-1]), float(interval.mean[-1]), labels[name], name))
    ax.set_ylim(0, 1)
    label_lines(ax, ends)
    ax.set_xlabel("part of the hidden units removed")
    ax.set_ylabel("accuracy on test rows")
    return fig


# ---------------------------------------------------------------------------- thinned network


def thinned_network(
    kept: Sequence[NDArray[np.bool_]],
    signals: FloatArray,
    at_test: float,
    unscaled: float,
    limits: tuple[float, float],
) -> Figure:
    """Draw one subnetwork, and the signal that all subnetworks send to the output.

    Parameters
    ----------
    kept : sequence of ndarray of bool
        For each layer, inputs first and output last, which units are kept.
    signals : ndarray of shape (n_draws,)
        Output for many masks, in training mode.
    at_test : float
        Output at test time.
    unscaled : float
        Output at test time if nothing is scaled anywhere.
    limits : pair of float
        Ends of the axis of the signal.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=3.0, left=0.5, right=0.3)
    _network(left, kept)
    edges = np.linspace(*limits, 31)
    counts, _ = np.histogram(np.clip(signals, *limits), edges)
    share = counts / len(signals)
    right.stairs(share, edges, color=COLORS["blue"].line, fill=True, alpha=0.3)
    right.plot([signals.mean()] * 2, [0, 0.62], **role("train", marker=False))
    right.plot([at_test] * 2, [0, 0.74], **role("test", marker=False))
    right.plot([unscaled] * 2, [0, 0.86], **role("truth", marker=False))
    right.set_xlim(*limits)
    right.set_ylim(0, 1.0)
    for x, height, text, name in (
        (float(signals.mean()), 0.66, "training, mean", "train"),
        (at_test, 0.78, "test", "test"),
        (unscaled, 0.90, "test, not scaled", "truth"),
    ):
        # Labels stand on the side where there is room.
        ha = "left" if x < np.mean(limits) else "right"
        label_line(right, x, height, text, name, dx=3 if ha == "left" else -3, ha=ha)
    right.set_xlabel("signal at the output")
    right.set_ylabel("share of masks")
    right.set_title("what arrives")
    return fig


def _network(ax: Axes, kept: Sequence[NDArray[np.bool_]]) -> None:
    """Draw units as dots, dropped ones as crosses, and the edges between kept units."""
    places = [
        np.column_stack([np.full(len(layer), depth), np.arange(len(layer)) - (len(layer) - 1) / 2])
        for depth, layer in enumerate(kept)
    ]
    edges = [
        (places[depth][i], places[depth + 1][j])
        for depth in range(len(kept) - 1)
        for i in np.flatnonzero(kept[depth])
        for j in np.flatnonzero(kept[depth + 1])
    ]
    ax.add_collection(LineCollection(edges, colors=COLORS["green"].line, linewidths=0.5))
    points, alive = np.concatenate(places), np.concatenate(kept)
    unit: dict[str, Any] = {"linestyle": "none", "zorder": 3}
    ax.plot(*points[alive].T, marker="o", markersize=9, color=COLORS["green"].line, **unit)
    ax.plot(*points[~alive].T, marker="x", markersize=7, color=COLORS["gray"].line, **unit)
    ax.set_xlim(-0.4, len(kept) - 0.6)
    ax.set_ylim(-3.2, 3.2)
    ax.grid(visible=False)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    names = ["in", *map(str, range(1, len(kept) - 1)), "out"]
    ax.set_xticks(range(len(kept)), names)
    ax.set_xlabel("layer")
    ax.set_title("one training step")


# -------------------------------------------------------------------------------------- rates


def curves_and_rates(
    updates: Sequence[int],
    curves: Mapping[str, FloatArray],
    seen: FloatArray,
    rates: Sequence[float],
    ends: Mapping[str, FloatArray],
    rate: float,
    top: float,
) -> Figure:
    """Draw losses along training for one rate, and at its end for all rates.

    Parameters
    ----------
    updates : sequence of int
        Numbers of updates.
    curves : mapping of str to ndarray of shape (n_times,)
        Mean losses in evaluation mode, by role.
    seen : ndarray of shape (n_times,)
        Mean loss as training sees it, with units dropped.
    rates : sequence of float
        All rates.
    ends : mapping of str to ndarray of shape (n_rates, n_seeds)
        Losses after the last update, by role.
    rate : float
        The rate of the left panel.
    top : float
        Upper end of both vertical axes.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=2.9, right=0.72)
    labels = []
    for name, curve in curves.items():
        left.plot(updates, curve, **role(name))
        labels.append((float(updates[-1]), float(curve[-1]), name, name))
    left.plot(updates, seen, **role("dropout", marker=False) | {"linewidth": 1.2})
    labels.append((float(updates[-1]), float(seen[-1]), "as seen", "dropout"))
    labels_right = []
    for name, values in ends.items():
        interval = mean_confidence_interval(values)
        right.fill_between(
            rates, interval.low, interval.high, color=role(name)["color"], alpha=0.2, linewidth=0
        )
        right.plot(rates, interval.mean, **role(name))
        labels_right.append((float(rates[-1]), float(interval.mean[-1]), name, name))
    right.axvline(rate, color=COLORS["ink"].line, linewidth=1)
    for ax, texts in ((left, labels), (right, labels_right)):
        ax.set_ylim(0, top)
        label_lines(ax, texts)
        ax.set_ylabel("loss")
    left.set_xlabel("updates")
    left.set_title("along training")
    right.set_xlabel("dropout rate of the hidden layer")
    right.set_title("at the end")
    return fig


# ----------------------------------------------------------------------------------- averages


def averages(scaled: FloatArray, arithmetic: FloatArray, geometric: FloatArray) -> Figure:
    """Draw the probabilities of the scaled network against two averages of all subnetworks.

    Parameters
    ----------
    scaled : ndarray of shape (n_probabilities,)
        Of the whole network with scaled weights.
    arithmetic, geometric : ndarrays of the same shape
        Averages over all subnetworks.

    Returns
    -------
    Figure
    """
    fig, axes = panels(2, height=2.9)
    for ax, values, title in zip(
        axes, (geometric, arithmetic), ("geometric mean", "arithmetic mean"), strict=True
    ):
        ax.plot([0, 1], [0, 1], **role("truth", marker=False))
        ax.plot(scaled, values, **role("dropout", line=False) | {"markersize": 3})
        ax.set_xlim(-0.03, 1.03)
        ax.set_ylim(-0.03, 1.03)
        ax.set_xlabel("probability, whole network")
        ax.set_title(title)
    axes[0].set_ylabel("probability, all subnetworks")
    return fig


# ---------------------------------------------------------------------------------- intervals


def intervals(
    sizes: Sequence[int],
    spreads: Mapping[str, FloatArray],
    settings: Sequence[str],
    coverages: Mapping[str, FloatArray],
) -> Figure:
    """Draw two uncertainties against the number of rows, and measured coverages.

    Parameters
    ----------
    sizes : sequence of int
        Numbers of training rows.
    spreads : mapping of str to ndarray of shape (n_sizes, n_seeds)
        Standard deviations of a prediction: ``"dropout"`` and ``"truth"``.
    settings : sequence of str
        Short names of the settings of the right panel.
    coverages : mapping of str to ndarray of shape (n_settings, n_seeds)
        Parts of the test rows inside their interval: ``"dropout"`` and ``"noise"``.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=3.0, left=0.75, right=0.3)
    texts = {"dropout": "over masks", "truth": "posterior"}
    for name, values in spreads.items():
        mean = values.mean(axis=1)
        left.plot(sizes, mean, **role(name, line=False))
        left.plot(sizes, mean, **role(name, marker=False))
        label_line(left, sizes[2], float(mean[2]), texts[name], name, dx=0, dy=10)
    left.set_xscale("log")
    left.set_yscale("log")
    left.set_xlabel("training rows")
    left.set_ylabel("standard deviation of a prediction")
    left.set_title("linear model")
    places = np.arange(len(settings))[::-1]
    for name, text in (("dropout", "masks alone"), ("noise", "plus noise")):
        interval = mean_confidence_interval(coverages[name])
        right.errorbar(
            interval.mean,
            places,
            xerr=interval.half_width,
            **role(name, line=False) | {"markersize": 6},
        )
        label_line(right, float(interval.mean[0]), places[0], text, name, dx=0, dy=11, ha="center")
    right.axvline(0.95, **role("truth", marker=False))
    right.set_yticks(places, list(settings))
    right.set_xlim(0, 1.05)
    right.set_ylim(-0.6, len(settings) - 0.2)
    right.set_xlabel("test rows inside their 95 % interval")
    right.set_title("networks, diabetes")
    return fig
