"""Drawings of the lesson on early stopping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from lessons_lib.measure import mean_confidence_interval
from lessons_lib.page.figures import COLORS, label_line, label_lines, panels, role

__all__ = [
    "explore_descent",
    "explore_rule",
    "filters",
    "opening",
    "patience",
    "two_valleys",
    "validation_size",
]

FloatArray = NDArray[np.float64]


def _band(ax: Axes, x: FloatArray, values: FloatArray, name: str) -> FloatArray:
    """Draw the mean over the last axis with its interval; return the mean."""
    interval = mean_confidence_interval(values)
    ax.fill_between(x, interval.low, interval.high, color=role(name)["color"], alpha=0.18, lw=0)
    ax.plot(x, interval.mean, **role(name))
    return np.asarray(interval.mean, dtype=np.float64)


def _log_ticks(ax: Axes, values: Sequence[int]) -> None:
    """Make the abscissa logarithmic, with a tick at every value."""
    ax.set_xscale("log")
    ax.set_xticks(values, [str(value) for value in values])
    ax.xaxis.set_minor_locator(NullLocator())


def _vertical(ax: Axes, x: float) -> None:
    ax.axvline(x, color=COLORS["ink"].line, linewidth=1)


def opening(errors: Mapping[str, Mapping[str, FloatArray]], stops: Sequence[float]) -> Figure:
    """Draw training and test error against the epoch, one panel for each kind of labels.

    Parameters
    ----------
    errors : mapping of str to mapping of str to ndarray of shape (n_epochs, n_seeds)
        By title, then by role.
    stops : sequence of float
        For each panel the epoch of the lowest validation loss.

    Returns
    -------
    Figure
    """
    fig, axes = panels(len(errors), height=2.7, left=0.6, right=0.5, sharey=True)
    for ax, (title, curves), stop in zip(axes, errors.items(), stops, strict=True):
        labels = []
        for name, values in curves.items():
            epochs = np.arange(1.0, len(values) + 1)
            mean = _band(ax, epochs, values, name)
            labels.append((float(epochs[-1]), float(mean[-1]), name, name))
        _vertical(ax, stop)
        ax.set_ylim(-0.02, 0.62)
        label_lines(ax, labels)
        ax.set_title(title)
        ax.set_xlabel("epoch")
    axes[0].set_ylabel("share of wrong answers")
    return fig


def filters(progress: FloatArray, steps: FloatArray, freedom: Mapping[str, FloatArray]) -> Figure:
    """Draw what descent and ridge keep in a direction, and the free coefficients that makes.

    Parameters
    ----------
    progress : ndarray of shape (n_points,)
        Learning rate times steps times curvature, the abscissa of the left panel.
    steps : ndarray of shape (n_times,)
        Numbers of steps, the abscissa of the right panel.
    freedom : mapping of str to ndarray of shape (n_times,)
        Effective degrees of freedom, under ``"early_stopping"`` and ``"l2"``.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=2.8, left=0.62, right=0.55)
    left.plot(progress, -np.expm1(-progress), **role("early_stopping"))
    left.plot(progress, progress / (1 + progress), **role("l2"))
    for x, text, name, dx, ha in (
        (0.9, "descent", "early_stopping", -5, "right"),
        (2.5, "ridge", "l2", 6, "left"),
    ):
        y = -np.expm1(-x) if name == "early_stopping" else x / (1 + x)
        label_line(left, x, y, text, name, dx=dx, dy=6 if ha == "right" else -6, ha=ha)
    left.set_xscale("log")
    left.set_ylim(0, 1.05)
    left.set_xlabel("η t h")
    left.set_ylabel("part that is kept")
    left.set_title("one direction")
    labels = []
    for name, values in freedom.items():
        right.plot(steps, values, **role(name))
        text = "ridge" if name == "l2" else "descent"
        labels.append((float(steps[-1]), float(values[-1]), text, name))
    right.set_xscale("log")
    right.set_ylim(0, None)
    label_lines(right, labels)
    right.set_xlabel("steps t")
    right.set_ylabel("effective degrees of freedom")
    right.set_title("all directions")
    return fig


def explore_descent(
    fit: Mapping[str, FloatArray],
    points: tuple[FloatArray, FloatArray],
    kept: Mapping[str, FloatArray],
    steps: FloatArray,
    errors: Mapping[str, FloatArray],
    now: float,
) -> Figure:
    """Draw the fit, the filter factors and the errors at one number of steps.

    Parameters
    ----------
    fit : mapping of str to ndarray of shape (n_points,)
        ``"x"`` and curves by role.
    points : tuple of ndarrays of shape (n_samples,)
        Inputs and targets of the training data.
    kept : mapping of str to ndarray of shape (n_directions,)
        ``"early_stopping"`` and ``"l2"``.
    steps : ndarray of shape (n_times,)
        Numbers of steps of the last panel.
    errors : mapping of str to ndarray of shape (n_times,)
        Training and test error.
    now : float
        Number of steps to mark.

    Returns
    -------
    Figure
    """
    fig, (left, middle, right) = panels(3, height=2.7, left=0.6, right=0.53)
    left.plot(fit["x"], fit["truth"], **role("truth", marker=False))
    left.plot(fit["x"], fit["early_stopping"], **role("early_stopping", marker=False))
    left.plot(*points, **role("data"))
    left.set_ylim(-2, 2)
    left.set_xlabel("x")
    left.set_ylabel("y")
    left.set_title("fit")
    index = np.arange(1.0, len(kept["l2"]) + 1)
    labels = []
    for name, text in (("early_stopping", "descent"), ("l2", "ridge")):
        middle.plot(index, kept[name], **role(name))
        labels.append((float(index[-1]), float(kept[name][-1]), text, name))
    middle.set_ylim(-0.03, 1.05)
    label_lines(middle, labels, dx=4)
    middle.set_xlabel("singular direction")
    middle.set_title("part that is kept")
    labels = []
    for name, values in errors.items():
        right.plot(steps, np.minimum(values, 1.2), **role(name))
        labels.append((float(steps[-1]), float(min(values[-1], 1.2)), name, name))
    right.set_xscale("log")
    right.set_ylim(0, 1.25)
    label_lines(right, labels, dx=4)
    _vertical(right, now)
    right.set_xlabel("steps")
    right.set_title("squared error")
    return fig


def patience(values: Sequence[int], errors: Mapping[str, FloatArray], epochs: FloatArray) -> Figure:
    """Draw test error and epochs spent against the patience.

    Parameters
    ----------
    values : sequence of int
        The patiences.
    errors : mapping of str to ndarray of shape (n_patiences, n_seeds)
        Test error by role: ``"early_stopping"`` with the best weights, ``"none"`` with the last.
    epochs : ndarray of shape (n_patiences, n_seeds)
        Number of epochs run.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=2.7, left=0.66, right=0.6)
    x = np.asarray(values, dtype=np.float64)
    labels = []
    for name, text in (("none", "last"), ("early_stopping", "best")):
        mean = _band(left, x, errors[name], name)
        labels.append((float(x[-1]), float(mean[-1]), text, name))
    left.set_ylabel("test error")
    left.set_title("which weights are kept")
    _band(right, x, epochs, "early_stopping")
    right.set_ylim(0, None)
    right.set_ylabel("epochs run")
    right.set_title("what it costs")
    for ax in (left, right):
        _log_ticks(ax, values)
        ax.set_xlabel("patience")
    label_lines(left, labels)
    return fig


def validation_size(
    sizes: Sequence[int], regret: FloatArray, optimism: FloatArray, unstopped: float
) -> Figure:
    """Draw what a small validation set costs, and how much it flatters.

    Parameters
    ----------
    sizes : sequence of int
        Numbers of validation rows.
    regret, optimism : ndarrays of shape (n_sizes, n_seeds)
        Test error above that of the best epoch; loss on other rows less the reported one.
    unstopped : float
        Regret of training to the end.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=2.7, left=0.7, right=0.2)
    x = np.asarray(sizes, dtype=np.float64)
    _band(left, x, regret, "early_stopping")
    left.axhline(unstopped, **role("none", marker=False))
    label_line(left, x[-1], unstopped, "never stopped", "none", dx=0, dy=-7, ha="right")
    left.set_ylim(0, 1.1 * max(unstopped, float(regret.mean(axis=1).max())))
    left.set_ylabel("test error above the best epoch")
    left.set_title("regret")
    _band(right, x, optimism, "validation")
    right.axhline(0, color=COLORS["gray"].line, linewidth=0.8)
    right.set_ylabel("loss on other rows − reported")
    right.set_title("optimism")
    for ax in (left, right):
        _log_ticks(ax, sizes)
        ax.set_xlabel("validation rows")
    return fig


def explore_rule(
    curves: Mapping[str, FloatArray],
    stop: tuple[int, int],
    patiences: Sequence[int],
    regret: FloatArray,
    now: int,
) -> Figure:
    """Draw one run with the place where the rule stops, and the regret against the patience.

    Parameters
    ----------
    curves : mapping of str to ndarray of shape (n_epochs,)
        Loss by role: train, validation, test.
    stop : tuple of int
        Best and last epoch, from 0.
    patiences : sequence of int
        Abscissa of the right panel.
    regret : ndarray of shape (n_patiences, n_draws)
        Test error above that of the best epoch.
    now : int
        Patience to mark.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=2.8, left=0.66, right=0.72)
    best, last = stop
    labels = []
    for name, values in curves.items():
        epochs = np.arange(1, len(values) + 1)
        left.plot(epochs, values, **role(name, marker=False))
        labels.append((float(epochs[-1]), float(min(values[-1], 3.6)), name, name))
    left.axvspan(best + 1, last + 1, color=COLORS["gray"].line, alpha=0.22, lw=0)
    _vertical(left, best + 1)
    left.plot(best + 1, curves["validation"][best], **role("validation", line=False))
    left.set_ylim(0, 3.7)
    label_lines(left, labels)
    left.set_xlabel("epoch")
    left.set_ylabel("cross-entropy")
    left.set_title("one run")
    x = np.asarray(patiences, dtype=np.float64)
    mean = _band(right, x, regret, "early_stopping")
    at = list(patiences).index(now)
    right.plot(now, mean[at], **role("early_stopping", line=False) | {"markersize": 9})
    _log_ticks(right, patiences)
    right.set_ylim(0, 0.3)
    right.set_xlabel("patience")
    right.set_ylabel("test error above the best epoch")
    right.set_title("many runs")
    return fig


def two_valleys(
    steps: FloatArray, train: FloatArray, test: FloatArray, stops: Mapping[str, float]
) -> Figure:
    """Draw errors that fall, rise and fall again, and the places where rules stop.

    Parameters
    ----------
    steps : ndarray of shape (n_times,)
        Numbers of steps.
    train, test : ndarrays of shape (n_times, n_seeds)
        Errors.
    stops : mapping of str to float
        Number of steps, by label.

    Returns
    -------
    Figure
    """
    fig, (ax,) = panels(1, height=2.8, right=0.6)
    labels = []
    for name, values in (("train", train), ("test", test)):
        mean = _band(ax, steps, values, name)
        labels.append((float(steps[-1]), float(mean[-1]), name, name))
    ax.set_xscale("log")
    ax.set_ylim(0, 15)
    for text, step in stops.items():
        _vertical(ax, step)
        label_line(ax, step, 14.2, text, "truth", dx=4)
    label_lines(ax, labels)
    ax.set_xlabel("steps")
    ax.set_ylabel("squared error")
    return fig
