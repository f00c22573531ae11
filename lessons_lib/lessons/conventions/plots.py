"""Drawings of the appendix on conventions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lessons_lib.page.figures import COLORS, label_line, label_lines, panels, role

__all__ = ["penalty_curves", "same_strength"]

FloatArray = NDArray[np.float64]


def same_strength(numbers: Mapping[str, float], house: float) -> Figure:
    """Draw the numbers that several libraries want for one and the same penalty.

    Parameters
    ----------
    numbers : mapping of str to float
        What to write into each library's parameter, by its name; above 0.
    house : float
        The strength in house units, drawn as a vertical line.

    Returns
    -------
    Figure
    """
    fig, (ax,) = panels(1, height=0.9 + 0.25 * len(numbers), left=1.75, right=0.6)
    rows = np.arange(len(numbers))[::-1]
    ax.axvline(house, color=COLORS["ink"].line, linewidth=1)
    ax.plot(list(numbers.values()), rows, **role("l2", line=False))
    for row, number in zip(rows, numbers.values(), strict=True):
        label_line(ax, number, float(row), f"{number:.3g}", "l2", dx=7)
    ax.set_xscale("log")
    ax.set_xlim(3e-6, 3e4)
    ax.set_ylim(-0.6, len(numbers) - 0.4)
    ax.set_yticks(rows, list(numbers))
    ax.set_xlabel("number to write down; line: λ of the house")
    ax.set_ylabel("")
    ax.grid(visible=True, axis="x")
    return fig


def penalty_curves(
    alphas: FloatArray,
    errors: Mapping[int, Mapping[str, FloatArray]],
    n_samples: int,
    alpha: float,
) -> Figure:
    """Draw errors against a penalty written for a sum (left) and for a mean (right) over rows.

    Parameters
    ----------
    alphas : ndarray of shape (n_strengths,)
        Strengths in units of a summed loss; those of a mean are n times smaller.
    errors : mapping of int to mapping
        For each number of rows the curves ``"train"`` and ``"test"``, of shape (n_strengths,).
    n_samples : int
        Which of them to draw with both curves; of the others only the test error, in gray.
    alpha : float
        Marked strength, in units of the summed loss.

    Returns
    -------
    Figure
    """
    fig, axes = panels(2, height=3.0, left=0.62, right=0.5, sharey=True)
    names = ("α for a sum over rows", "λ for a mean over rows")
    for ax, name, mean in zip(axes, names, (False, True), strict=True):
        for n, curves in errors.items():
            x = alphas / n if mean else alphas
            if n != n_samples:
                ax.plot(x, curves["test"], color=COLORS["gray"].line, linewidth=0.7)
                continue
            for text in ("train", "test"):
                ax.plot(x, curves[text], **role(text))
            best = int(np.argmin(curves["test"]))
            ax.plot(x[best], curves["test"][best], **{**role("test", line=False), "markersize": 10})
            ax.axvline(alpha / n if mean else alpha, color=COLORS["ink"].line, linewidth=1)
        ax.set_xscale("log")
        sizes = (min(errors), max(errors))
        first, last = float(alphas[0]), float(alphas[-1])
        ax.set_xlim((first / sizes[1], last / sizes[0]) if mean else (first, last))
        ax.set_ylim(0, 1.15)
        ax.set_xlabel(name)
        ax.set_ylabel("error / variance of y")
        x = alphas / n_samples if mean else alphas
        label_lines(
            ax,
            [(float(x[-1]), float(errors[n_samples][k][-1]), k, k) for k in ("train", "test")],
        )
    return fig
