"""Drawings of the lesson on overfitting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lessons_lib.data import RegressionProblem
from lessons_lib.measure import BiasVariance, mean_confidence_interval
from lessons_lib.page.figures import COLORS, label_line, label_lines, panels, role

__all__ = [
    "bias_variance_curves",
    "capacity_curve",
    "cross_validation_curve",
    "double_descent",
    "explore_capacity",
    "explore_penalty",
    "fits",
    "learning_curves",
    "training_curves",
]

FloatArray = NDArray[np.float64]


def fits(
    problem: RegressionProblem, X: FloatArray, y: FloatArray, models: Mapping[str, Any]
) -> Figure:
    """Draw each fitted model with the data and the truth, side by side.

    Parameters
    ----------
    problem : RegressionProblem
        For its truth and its interval.
    X, y : ndarrays of shape (n_samples, 1) and (n_samples,)
        The training data.
    models : mapping of str to fitted estimator
        One panel each, titled by its key; two or three.

    Returns
    -------
    Figure
    """
    fig, axes = panels(len(models), height=2.5, left=0.5)
    for ax, (title, model) in zip(axes, models.items(), strict=True):
        _fit(ax, problem, X, y, model)
        ax.set_title(title)
        ax.set_xlabel("x")
    axes[0].set_ylabel("y")
    return fig


def _fit(ax: Axes, problem: RegressionProblem, X: FloatArray, y: FloatArray, model: Any) -> None:
    grid = np.linspace(problem.low, problem.high, 201)[:, None]
    truth = problem.truth(grid)
    margin = 0.35 * np.ptp(truth) + problem.noise
    ax.plot(grid[:, 0], truth, **role("truth", marker=False))
    ax.plot(grid[:, 0], np.clip(model.predict(grid), -99, 99), **role("train", marker=False))
    ax.plot(X[:, 0], y, **role("data"))
    ax.set_xlim(problem.low - 0.05, problem.high + 0.05)
    ax.set_ylim(truth.min() - margin, truth.max() + margin)


def _band(
    ax: Axes, x: Any, values: FloatArray, name: str, *, quartiles: bool = False
) -> FloatArray:
    """Draw a curve over repetitions along the last axis, with its interval; return the curve."""
    center: FloatArray
    if quartiles:
        low, center, high = np.quantile(values, [0.25, 0.5, 0.75], axis=-1)
    else:
        interval = mean_confidence_interval(values)
        low, center, high = interval.low, interval.mean, interval.high
    ax.fill_between(x, low, high, color=role(name)["color"], alpha=0.18, linewidth=0)
    ax.plot(x, center, **role(name))
    return center


def capacity_curve(
    degrees: Sequence[int], train_errors: FloatArray, test_errors: FloatArray, noise: float
) -> Figure:
    """Draw training and test error against the degree: medians, quartiles and the noise floor.

    Parameters
    ----------
    degrees : sequence of int
        The polynomial degrees.
    train_errors, test_errors : ndarrays of shape (n_degrees, n_repeats)
        Mean squared errors.
    noise : float
        Standard deviation of the noise.

    Returns
    -------
    Figure
    """
    fig, (ax,) = panels(1, height=2.9, right=0.75)
    _capacity(ax, degrees, train_errors, test_errors, noise)
    return fig


def _capacity(
    ax: Axes,
    degrees: Sequence[int],
    train_errors: FloatArray,
    test_errors: FloatArray,
    noise: float,
) -> None:
    ax.axhline(noise**2, **role("noise", marker=False))
    for name, errors in (("train", train_errors), ("test", test_errors)):
        center = _band(ax, degrees, errors, name, quartiles=True)
        at = min(len(degrees) - 1, int(np.searchsorted(np.cumsum(center > 2), 1)))
        label_line(ax, degrees[at], min(center[at], 2.6), name, name)
    label_line(ax, degrees[-1], noise**2, "noise", "noise", dy=5)
    ax.set_yscale("log")
    ax.set_ylim(0.02, 3)
    ax.set_xlabel("degree of the polynomial")
    ax.set_ylabel("mean squared error")


def explore_capacity(
    problem: RegressionProblem,
    X: FloatArray,
    y: FloatArray,
    model: Any,
    degree: int,
    degrees: Sequence[int],
    train_errors: FloatArray,
    test_errors: FloatArray,
) -> Figure:
    """Draw one fit, and where its degree stands on the curves of training and test error.

    Parameters
    ----------
    problem, X, y, model
        As for :func:`fits`.
    degree : int
        The degree of `model`.
    degrees, train_errors, test_errors
        As for :func:`capacity_curve`.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=2.8, right=0.5)
    _fit(left, problem, X, y, model)
    left.set_ylim(-2.3, 2.3)
    left.set_title(f"degree {degree}")
    left.set_xlabel("x")
    left.set_ylabel("y")
    _capacity(right, degrees, train_errors, test_errors, problem.noise)
    right.set_ylim(0.002, 20)
    right.axvline(degree, color=COLORS["ink"].line, linewidth=1)
    right.set_title("errors of such fits")
    return fig


def training_curves(
    steps: FloatArray, train_errors: FloatArray, validation_errors: FloatArray
) -> Figure:
    """Draw training and validation error against the number of gradient steps.

    Parameters
    ----------
    steps : ndarray of shape (n_steps,)
        Numbers of steps, positive.
    train_errors, validation_errors : ndarrays of shape (n_steps, n_seeds)
        Mean squared errors.

    Returns
    -------
    Figure
    """
    fig, (ax,) = panels(1, height=2.9, right=0.85)
    for name, errors in (("train", train_errors), ("validation", validation_errors)):
        center = _band(ax, steps, errors, name)
        label_line(ax, steps[-1], center[-1], name, name)
    best = int(np.argmin(validation_errors.mean(axis=1)))
    ax.axvline(steps[best], color=COLORS["gray"].line, linewidth=1)
    ax.annotate(
        "lowest",
        (steps[best], 0.0),
        xycoords=("data", "axes fraction"),
        xytext=(4, 6),
        textcoords="offset points",
    )
    ax.set_xscale("log")
    ax.set_ylim(0, None)
    ax.set_xlabel("gradient steps")
    ax.set_ylabel("mean squared error")
    return fig


def learning_curves(
    train_sizes: Sequence[int],
    curves: Mapping[str, tuple[FloatArray, FloatArray]],
    *,
    ceiling: float,
) -> Figure:
    """Draw training and test error against the number of training rows, one panel a model.

    Parameters
    ----------
    train_sizes : sequence of int
        Numbers of training rows.
    curves : mapping of str to (train_errors, test_errors)
        Arrays of shape (n_sizes, n_repeats), as from ``selection.learning_curve``.
    ceiling : float
        Upper end of the vertical axes.

    Returns
    -------
    Figure
    """
    fig, axes = panels(len(curves), height=2.7, left=0.72, right=0.3 if len(curves) > 2 else 0.5)
    for ax, (title, arms) in zip(axes, curves.items(), strict=True):
        ax.set_ylim(0, ceiling)
        labels = []
        for name, errors in zip(("train", "test"), arms, strict=True):
            center = _band(ax, train_sizes, errors, name, quartiles=True)
            labels.append((train_sizes[-1], float(center[-1]), name, name))
        label_lines(ax, labels, dx=3)
        ax.set_title(title)
        ax.set_xlabel("training rows")
    axes[0].set_ylabel("mean squared error")
    return fig


def bias_variance_curves(
    strengths: FloatArray, parts: Sequence[BiasVariance], xlabel: str, *, at: float | None = None
) -> Figure:
    """Draw bias², variance, their sum with the noise, and the measured error.

    Parameters
    ----------
    strengths : ndarray of shape (n_strengths,)
        Penalty strengths or degrees.
    parts : sequence of BiasVariance
        One decomposition for each.
    xlabel : str
        Label of the horizontal axis.
    at : float, optional
        Where to draw a vertical line.

    Returns
    -------
    Figure
    """
    fig, (ax,) = panels(1, height=3.0, right=0.85)
    _terms(ax, strengths, parts)
    ax.set_xlabel(xlabel)
    if at is not None:
        ax.axvline(at, color=COLORS["gray"].line, linewidth=1)
    return fig


def _terms(ax: Axes, strengths: FloatArray, parts: Sequence[BiasVariance]) -> None:
    bias = np.array([part.bias_squared for part in parts])
    variance = np.array([part.variance for part in parts])
    measured = np.array([part.expected_error for part in parts])
    noise = parts[0].noise
    ax.axhline(noise, **role("noise", marker=False))
    ax.plot(strengths, np.maximum(bias, 1e-9), **role("bias"))
    ax.plot(strengths, variance, **role("variance"))
    ax.plot(strengths, bias + variance + noise, color=COLORS["ink"].line, linewidth=1.2)
    ax.plot(strengths, measured, **role("test", line=False))
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_ylim(2e-3, 2)
    ax.set_ylabel("squared error")
    right = strengths[-1]
    ends = {"bias": bias[-1], "variance": variance[-1], "noise": noise, "test": measured[-1]}
    names = {"bias": "bias²"}
    label_lines(ax, [(right, float(y), names.get(name, name), name) for name, y in ends.items()])


def explore_penalty(
    problem: RegressionProblem,
    index: int,
    strengths: FloatArray,
    parts: Sequence[BiasVariance],
    X_test: FloatArray,
) -> Figure:
    """Draw fits to many training sets at one penalty, and the terms of the error at all of them.

    Parameters
    ----------
    problem : RegressionProblem
        For its truth.
    index : int
        Which of the strengths.
    strengths, parts
        As for :func:`bias_variance_curves`.
    X_test : ndarray of shape (n_test, 1)
        Where ``parts`` hold predictions.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=2.8, right=0.65)
    x, predictions = X_test[:, 0], parts[index].predictions
    for prediction in predictions[:12]:
        left.plot(x, np.clip(prediction, -9, 9), color=COLORS["sky"].line, linewidth=0.7)
    left.plot(x, problem.truth(X_test), **role("truth", marker=False))
    left.plot(x, predictions.mean(axis=0), **role("bias", marker=False))
    left.set_ylim(-2, 2)
    left.set_xlabel("x")
    left.set_ylabel("prediction")
    left.set_title("12 fits and their mean")
    _terms(right, strengths, parts)
    right.axvline(strengths[index], color=COLORS["ink"].line, linewidth=1)
    right.set_xlabel("penalty strength λ")
    right.set_title("parts of the error")
    return fig


def cross_validation_curve(
    strengths: FloatArray,
    train_losses: FloatArray,
    validation_losses: FloatArray,
    best: int,
    simplest: int,
) -> Figure:
    """Draw cross-validated losses against the penalty, and the two choices.

    Parameters
    ----------
    strengths : ndarray of shape (n_strengths,)
        Penalty strengths.
    train_losses, validation_losses : ndarrays of shape (n_strengths, n_folds)
        As from ``selection.validation_curve``.
    best, simplest : int
        Positions of the minimum and of the choice by the one-standard-error rule.

    Returns
    -------
    Figure
    """
    fig, (ax,) = panels(1, height=2.9, left=0.72, right=0.8)
    ax.plot(strengths, train_losses.mean(axis=1), **role("train"))
    means = validation_losses.mean(axis=1)
    errors = validation_losses.std(axis=1, ddof=1) / np.sqrt(validation_losses.shape[1])
    ax.errorbar(strengths, means, yerr=errors, elinewidth=1, capsize=2, **role("validation"))
    ax.axhline(means[best] + errors[best], color=COLORS["gray"].line, linewidth=0.8, linestyle=":")
    for index, text, dx in ((best, "lowest", -14), (simplest, "1 SE", 14)):
        ax.annotate(
            text,
            (strengths[index], means[index]),
            xytext=(dx, 40),
            textcoords="offset points",
            ha="center",
            arrowprops={"arrowstyle": "-", "linewidth": 0.8, "shrinkB": 4},
        )
    ax.set_xscale("log")
    ax.set_xlabel("penalty strength λ")
    ax.set_ylabel("mean squared error")
    ends = {"train": train_losses[-1].mean(), "validation": means[-1]}
    label_lines(ax, [(strengths[-1], float(y), name, name) for name, y in ends.items()])
    return fig


def double_descent(widths: Sequence[int], n_train: int, errors: Mapping[str, FloatArray]) -> Figure:
    """Draw errors against the number of random features, without a penalty and with a tuned one.

    Parameters
    ----------
    widths : sequence of int
        Numbers of random features.
    n_train : int
        Number of training rows, where the peak is expected.
    errors : mapping of str to ndarray of shape (3, n_widths, n_seeds)
        One panel each: training and test error without a penalty, test error with a tuned one.

    Returns
    -------
    Figure
    """
    fig, axes = panels(len(errors), height=3.0, left=0.62, right=0.78)
    for ax, (title, (train, test, tuned)) in zip(axes, errors.items(), strict=True):
        for name, values in (("train", train), ("test", test), ("l2", tuned)):
            _band(ax, widths, np.maximum(values, 1e-9), name, quartiles=True)
        label_line(
            ax, widths[2], float(np.median(train[2])), "train", "train", dx=-4, dy=-13, ha="right"
        )
        ax.axvline(n_train, color=COLORS["gray"].line, linewidth=0.8)
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_ylim(0.05, 200)
        ends = (("test", "test", test), ("tuned λ", "l2", tuned))
        label_lines(ax, [(widths[-1], float(np.median(v[-1])), t, name) for t, name, v in ends])
        ax.set_title(title)
        ax.set_xlabel("number of random features")
    axes[0].set_ylabel("mean squared error")
    return fig
