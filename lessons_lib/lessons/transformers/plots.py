"""Drawings of the lesson on transformers and grokking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lessons_lib.page.figures import COLORS, label_lines, panels, role

__all__ = ["arms", "attention", "cursor", "grokking", "language", "norms"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer]


def _steps_axis(ax: Axes, last: int) -> None:
    ax.set_xscale("log")
    ax.set_xlim(1, last)
    ax.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
    ax.set_xlabel("step")


def _accuracies(ax: Axes, steps: IntArray, train: FloatArray, test: FloatArray) -> None:
    """Draw one curve a seed, and the name of each kind at the end of the last one."""
    labels = []
    for curves, name in ((train, "train"), (test, "test")):
        for curve in curves:
            ax.plot(steps, curve, **role(name, marker=False) | {"linewidth": 1.2})
        labels.append((float(steps[-1]), float(curves[-1, -1]), name, name))
    _steps_axis(ax, int(steps[-1]))
    ax.set_ylim(-0.04, 1.06)
    label_lines(ax, labels, dx=4)


def grokking(
    steps: IntArray, train: FloatArray, test: FloatArray, norm: FloatArray, names: Sequence[str]
) -> Figure:
    """Draw training and test accuracy of two arms, and the norm of all weights.

    Parameters
    ----------
    steps : ndarray of shape (n_records,)
        Numbers of steps.
    train, test, norm : ndarrays of shape (2, n_seeds, n_records)
        Accuracies and norms by arm.
    names : sequence of two str
        What the arms are called: without and with decay.

    Returns
    -------
    Figure
    """
    fig, axes = panels(3, height=2.7, left=0.54, right=0.58)
    for ax, name, seen, unseen in zip(axes[:2], names, train, test, strict=True):
        _accuracies(ax, steps, seen, unseen)
        ax.set_ylabel("accuracy")
        ax.set_title(name)
    labels = []
    for values, look, text in zip(norm, ("none", "l2"), ("without", "with"), strict=True):
        for curve in values:
            axes[2].plot(steps, curve, **role(look, marker=False) | {"linewidth": 1.2})
        labels.append((float(steps[-1]), float(values[-1, -1]), text, look))
    _steps_axis(axes[2], int(steps[-1]))
    axes[2].set_ylim(0, None)
    label_lines(axes[2], labels, dx=4)
    axes[2].set_ylabel("norm of the weights")
    axes[2].set_title("norm")
    return fig


def cursor(
    steps: IntArray, train: FloatArray, test: FloatArray, norm: FloatArray, at: int, top: float
) -> Figure:
    """Draw one run with a mark at one of its steps.

    Parameters
    ----------
    steps, train, test, norm : ndarrays of shape (n_records,)
        Numbers of steps, accuracies and norm.
    at : int
        The record that is marked.
    top : float
        Upper end of the axis of norms.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=2.7, left=0.62, right=0.5)
    _accuracies(left, steps, train[None], test[None])
    for values, name in ((train, "train"), (test, "test")):
        left.plot([steps[at]], [values[at]], **role(name, line=False) | {"markersize": 7})
    left.set_ylabel("accuracy")
    left.set_title("training and test accuracy")
    right.plot(steps, norm, **role("l2", marker=False))
    right.plot([steps[at]], [norm[at]], **role("l2", line=False) | {"markersize": 7})
    _steps_axis(right, int(steps[-1]))
    right.set_ylim(0, top)
    right.set_ylabel("norm of the weights")
    right.set_title("norm")
    for ax in (left, right):
        ax.axvline(float(steps[at]), color=COLORS["ink"].line, linewidth=0.8)
    return fig


def arms(results: Mapping[str, tuple[FloatArray, FloatArray]], label: str) -> Figure:
    """Draw training and test results of several arms, one point a seed.

    Parameters
    ----------
    results : mapping of str to pair of ndarrays of shape (n_seeds,)
        Training and test results by arm.
    label : str
        What they are.

    Returns
    -------
    Figure
    """
    fig, (ax,) = panels(1, height=1.3 + 0.22 * len(results), left=1.5, right=0.3)
    for place, (train, test) in enumerate(results.values()):
        for values, name in ((train, "train"), (test, "test")):
            look = role(name, line=False) | {"markersize": 6, "fillstyle": "none"}
            ax.plot(values, np.full(len(values), place), **look)
    ax.set_yticks(range(len(results)), list(results))
    ax.set_ylim(len(results) - 0.5, -0.5)
    ax.set_xlabel(label)
    return fig


def attention(weights: FloatArray, text: str, at: int) -> Figure:
    """Draw a matrix of attention weights, and what one token looks at.

    Parameters
    ----------
    weights : ndarray of shape (n_tokens, n_tokens)
        Rows sum to 1.
    text : str
        The characters; a space is written as an open box.
    at : int
        The token of the right panel.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=2.9, left=0.6, right=0.2)
    names = [character.replace(" ", "␣") for character in text]
    row, column = np.nonzero(weights > 0.005)
    left.scatter(
        column, row, s=70 * weights[row, column], color=COLORS["blue"].line, marker="s", linewidth=0
    )
    hidden_row, hidden_column = np.nonzero(weights == 0)
    small = {"markersize": 2.5, "markeredgewidth": 0.5}
    left.plot(hidden_column, hidden_row, **role("data", line=False) | small)
    left.axhline(at, color=COLORS["ink"].line, linewidth=0.8)
    places = range(len(text))
    for ax in (left, right):
        ax.set_xticks(places, names)
        ax.set_xlim(-0.6, len(text) - 0.4)
        ax.set_xlabel("looked at")
    left.set_yticks(places, names)
    left.set_ylim(len(text) - 0.4, -0.6)
    left.set_ylabel("token that looks")
    left.set_title("attention (area), hidden (×)")
    right.vlines(places, 0, weights[at], color=COLORS["blue"].line, linewidth=4)
    right.set_ylim(0, 1.05)
    right.set_ylabel("weight")
    right.set_title(f"what “{names[at]}” at place {at + 1} looks at")
    return fig


def norms(x: FloatArray, layer: FloatArray, rms: FloatArray) -> Figure:
    """Draw one token's features, and what two norms make of them.

    Parameters
    ----------
    x, layer, rms : ndarrays of shape (n_features,)
        The features, after layer normalization, after RMS normalization.

    Returns
    -------
    Figure
    """
    fig, axes = panels(3, height=2.5, left=0.58, right=0.16)
    kinds = ((x, "features"), (layer, "LayerNorm"), (rms, "RMSNorm"))
    places = np.arange(1, len(x) + 1)
    for ax, (values, name) in zip(axes, kinds, strict=True):
        ax.vlines(places, 0, values, color=COLORS["blue"].line, linewidth=1.5)
        ax.plot(places, values, **role("train", line=False))
        ax.axhline(0, color=COLORS["gray"].line, linewidth=0.8)
        ax.axhline(float(values.mean()), **role("truth", marker=False))
        ax.set_ylim((-16, 16) if ax is axes[0] else (-2.6, 2.6))
        ax.set_xlabel("feature")
        ax.set_title(name)
    axes[0].set_ylabel("value")
    return fig


def language(
    steps: IntArray, curves: Mapping[str, tuple[FloatArray, FloatArray]], baseline: float
) -> Figure:
    """Draw training and test loss of a few arms against steps.

    Parameters
    ----------
    steps : ndarray of shape (n_records,)
        Numbers of steps.
    curves : mapping of str to pair of ndarrays of shape (n_seeds, n_records)
        Training and test loss by arm; one panel for each, at most three.
    baseline : float
        Test loss of counted pairs of characters.

    Returns
    -------
    Figure
    """
    fig, axes = panels(len(curves), height=2.7, left=0.5, right=0.5)
    top = 1.06 * max(float(max(pair[0].max(), pair[1].max())) for pair in curves.values())
    for ax, (arm, pair) in zip(axes, curves.items(), strict=True):
        labels = []
        for values, name in zip(pair, ("train", "test"), strict=True):
            for curve in values:
                ax.plot(steps, curve, **role(name, marker=False) | {"linewidth": 1.2})
            labels.append((float(steps[-1]), float(values[:, -1].mean()), name, name))
        ax.plot([steps[0], steps[-1]], [baseline, baseline], **role("truth", marker=False))
        ax.set_ylim(0, top)
        ax.set_xlabel("step")
        ax.set_title(arm)
        label_lines(ax, labels, dx=4)
    axes[0].set_ylabel("nats a character")
    return fig
