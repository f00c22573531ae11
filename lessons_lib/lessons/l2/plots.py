"""Drawings of the lesson on L2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lessons_lib.page.figures import COLORS, label_line, label_lines, panels, role

__all__ = ["filter_factors", "geometry", "opening", "ridge_trace", "trajectories"]

FloatArray = NDArray[np.float64]


def opening(plain: FloatArray, ridge: FloatArray) -> Figure:
    """Draw the first two coefficients of fits to many data sets, without and with a penalty.

    A dotted line shows where they sum to 2, as they do in the truth.

    Parameters
    ----------
    plain, ridge : ndarrays of shape (n_repeats, 2)
        Coefficients of least squares and of ridge regression.

    Returns
    -------
    Figure
    """
    fig, axes = panels(2, height=2.8)
    for ax, title, name, coefs in zip(
        axes, ("least squares", "ridge"), ("none", "l2"), (plain, ridge), strict=True
    ):
        reach = 1.1 * np.abs(coefs).max()
        ax.plot([-reach, reach], [2 + reach, 2 - reach], **role("truth", marker=False))
        ax.plot(*coefs.T, **role(name, line=False))
        ax.set_xlim(-reach, reach)
        ax.set_ylim(-reach, reach)
        ax.set_title(title)
        ax.set_xlabel("coefficient of feature 1")
    axes[0].set_ylabel("coefficient of feature 2")
    return fig


def filter_factors(
    curvatures: FloatArray, strengths: Sequence[float], lambdas: FloatArray, freedom: FloatArray
) -> Figure:
    """Draw what is kept in each singular direction, and the effective degrees of freedom.

    Parameters
    ----------
    curvatures : ndarray of shape (n_directions,)
        Squared singular values divided by the number of rows.
    strengths : sequence of float
        Penalty strengths of the left panel; three.
    lambdas, freedom : ndarrays of shape (n_strengths,)
        Effective degrees of freedom against the penalty strength.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=2.8, right=0.62)
    index = np.arange(1, len(curvatures) + 1)
    labels = []
    for strength, name in zip(strengths, ("early_stopping", "l2", "elastic_net"), strict=True):
        kept = curvatures / (curvatures + strength)
        left.plot(index, kept, **role(name))
        labels.append((float(index[-1]), float(kept[-1]), f"λ = {strength:g}", name))
    left.set_ylim(0, 1.05)
    label_lines(left, labels)
    left.set_xlabel("singular direction")
    left.set_ylabel("part that is kept")
    left.set_title("shrinkage factors")
    right.plot(lambdas, freedom, **role("l2"))
    right.set_xscale("log")
    right.set_ylim(0, None)
    right.set_xlabel("penalty strength λ")
    right.set_ylabel("effective degrees of freedom")
    right.set_title("free coefficients")
    return fig


def geometry(
    hessian: FloatArray, truth: FloatArray, shift: float, strength: float, lambdas: FloatArray
) -> Figure:
    """Draw the touching ellipse and circle, and training and test loss against the penalty.

    Parameters
    ----------
    hessian : ndarray of shape (2, 2)
        Curvature of the loss.
    truth : ndarray of shape (2,)
        The true coefficients, at which the expected test loss is lowest.
    shift : float
        How far noise has moved the least-squares solution from the truth, along the flattest
        direction of the loss.
    strength : float
        Penalty strength of the drawn solution.
    lambdas : ndarray of shape (n_strengths,)
        Penalty strengths of the right panel.

    Returns
    -------
    Figure
    """
    values, vectors = np.linalg.eigh(hessian)
    optimum = truth + shift * vectors[:, 0] * np.sign(vectors[0, 0])
    path = np.array([_ridge(hessian, optimum, s) for s in lambdas])
    solution = _ridge(hessian, optimum, strength)
    fig, (left, right) = panels(2, height=3.0, left=0.6, right=0.55)
    _valley(left, values, vectors, optimum, solution, path)
    left.plot(*truth, **role("truth", line=False) | {"marker": "*", "markersize": 9})
    label_line(left, truth[0], truth[1], "truth", "truth", dx=4, dy=8)
    labels = []
    for name, center in (("train", optimum), ("test", truth)):
        losses = _loss(hessian, path - center)
        right.plot(lambdas, losses, **role(name))
        labels.append((float(lambdas[-1]), float(losses[-1]), name, name))
        at = _loss(hessian, solution - center)
        right.plot(strength, at, **role(name, line=False) | {"markersize": 8})
    right.set_xscale("log")
    right.set_ylim(-0.05, 1.9)
    label_lines(right, labels)
    right.axvline(strength, color=COLORS["ink"].line, linewidth=1)
    right.set_xlabel("penalty strength λ")
    right.set_ylabel("loss above its minimum")
    right.set_title("training and test loss")
    return fig


def _ridge(hessian: FloatArray, optimum: FloatArray, strength: float) -> FloatArray:
    solution = np.linalg.solve(hessian + strength * np.eye(2), hessian @ optimum)
    return np.asarray(solution, dtype=np.float64)


def _loss(hessian: FloatArray, offset: FloatArray) -> FloatArray:
    return np.asarray(0.5 * np.sum(offset @ hessian * offset, axis=-1), dtype=np.float64)


def _valley(
    ax: Axes,
    values: FloatArray,
    vectors: FloatArray,
    optimum: FloatArray,
    solution: FloatArray,
    path: FloatArray,
) -> None:
    angle = np.linspace(0, 2 * np.pi, 61)
    circle = np.array([np.cos(angle), np.sin(angle)])
    ellipse = vectors @ (circle / np.sqrt(values)[:, None])
    hessian = vectors @ np.diag(values) @ vectors.T
    touching = np.sqrt(2 * _loss(hessian, solution - optimum))
    for level in (0.3, 0.6, 0.9):
        ax.plot(*(optimum[:, None] + level * ellipse), color=COLORS["gray"].line, linewidth=0.6)
    ax.plot(*(optimum[:, None] + touching * ellipse), **role("train", marker=False))
    ax.plot(*(np.linalg.norm(solution) * circle), **role("l2", marker=False))
    ax.plot(*path.T, color=COLORS["ink"].line, linewidth=0.9)
    ax.plot(*optimum, **role("train", line=False))
    ax.plot(*solution, **role("l2", line=False) | {"markersize": 7})
    ax.axhline(0, color=COLORS["gray"].line, linewidth=0.8)
    ax.axvline(0, color=COLORS["gray"].line, linewidth=0.8)
    ax.set_xlim(-1.6, 3.0)
    ax.set_ylim(-1.9, 2.5)
    ax.set_xlabel("w₁")
    ax.set_ylabel("w₂")
    ax.set_title("ellipse meets circle")


def ridge_trace(
    lambdas: FloatArray,
    coefs: FloatArray,
    highlighted: Mapping[int, str],
    errors: Mapping[str, FloatArray],
    strength: float,
) -> Figure:
    """Draw the coefficients, and training and validation error, against the penalty.

    Parameters
    ----------
    lambdas : ndarray of shape (n_strengths,)
        Increasing penalty strengths.
    coefs : ndarray of shape (n_features, n_strengths)
        Coefficients.
    highlighted : mapping of int to str
        Rows of `coefs` to label, at most four, and their labels.
    errors : mapping of str to ndarray of shape (n_strengths,)
        Curves of the right panel, by role.
    strength : float
        Where to draw the vertical line.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=3.0, left=0.62, right=0.78)
    for row in set(range(len(coefs))) - set(highlighted):
        left.plot(lambdas, coefs[row], color=COLORS["gray"].line, linewidth=0.6, linestyle="-")
    names = ("l1", "l2", "elastic_net", "dropout")
    labels = []
    for (row, text), name in zip(highlighted.items(), names, strict=False):
        left.plot(lambdas, coefs[row], **role(name))
        labels.append((float(lambdas[0]), float(coefs[row, 0]), text, name))
    left.set_xscale("log")
    left.set_xlim(lambdas[-1], lambdas[0])  # to the right the penalty weakens
    label_lines(left, labels)
    left.set_ylabel("coefficient")
    left.set_title("ridge trace")
    for name, curve in errors.items():
        right.plot(lambdas, curve, **role(name))
    right.set_xscale("log")
    right.set_xlim(lambdas[-1], lambdas[0])
    right.set_ylim(0, None)
    label_lines(right, [(float(lambdas[0]), float(c[0]), k, k) for k, c in errors.items()])
    right.set_ylabel("mean squared error")
    right.set_title("errors")
    for ax in (left, right):
        ax.axvline(strength, color=COLORS["ink"].line, linewidth=1)
        ax.set_xlabel("penalty strength λ (falling)")
    return fig


def trajectories(
    steps: FloatArray, weights: Mapping[str, FloatArray], scales: Sequence[float]
) -> Figure:
    """Draw how weights decay, one panel for each optimizer.

    Parameters
    ----------
    steps : ndarray of shape (n_steps,)
        Numbers of steps.
    weights : mapping of str to ndarray of shape (n_steps, n_seeds, 3)
        Weights, by optimizer.
    scales : sequence of float
        Size of the gradient noise of each of the three weights.

    Returns
    -------
    Figure
    """
    fig, axes = panels(len(weights), height=2.7, left=0.55, right=0.42)
    names = ("early_stopping", "l2", "l1")
    for ax, (title, values) in zip(axes, weights.items(), strict=True):
        labels = []
        for k, name in enumerate(names):
            mean = values[:, :, k].mean(axis=1)
            ax.plot(steps, mean, **role(name))
            labels.append((float(steps[-1]), float(mean[-1]), f"{scales[k]:g}", name))
        ax.set_ylim(0, 1.05)
        label_lines(ax, labels, dx=4)
        ax.set_title(title)
        ax.set_xlabel("step")
    axes[0].set_ylabel("mean weight")
    return fig
