"""Drawings of the lesson on data augmentation, noise and soft targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import scipy.signal
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from lessons_lib.measure import mean_confidence_interval
from lessons_lib.page.figures import COLORS, label_line, label_lines, panels, role

__all__ = [
    "calibration",
    "data_efficiency",
    "differences",
    "gallery",
    "logit_gaps",
    "rotated_digits",
    "spectrograms",
]

FloatArray = NDArray[np.float64]
Style = dict[str, Any]


# ------------------------------------------------------------------------------------ pictures


def gallery(groups: Sequence[Mapping[str, FloatArray]], *, columns: int = 3) -> Figure:
    """Draw titled pictures, one panel for each group.

    Parameters
    ----------
    groups : sequence of mapping of str to ndarray of shape (height, width) or (height, width, 3)
        Pictures with numbers from 0 to 1, by title; a gray picture is drawn as ink on white.
        Titles within a group differ. Two or three groups of equally many pictures.
    columns : int, default=3
        Pictures side by side in a panel.

    Returns
    -------
    Figure
    """
    rows = -(-max(len(group) for group in groups) // columns)
    fig, axes = panels(len(groups), height=0.8 + 1.08 * rows, left=0.08, right=0.08)
    for ax, group in zip(axes, groups, strict=True):
        _grid(ax, list(group.values()), list(group), columns, 1.2)
    return fig


def _grid(
    ax: Axes, pictures: Sequence[FloatArray], titles: Sequence[str], columns: int, step: float
) -> None:
    """Draw pictures in a grid whose cells are 1 wide and `step` high, each with a title above."""
    rows = -(-len(pictures) // columns)
    for i, (picture, title) in enumerate(zip(pictures, titles, strict=True)):
        column, row = i % columns, i // columns
        left, bottom = column + 0.06, (rows - 1 - row) * step
        _picture(ax, picture, (left, left + 0.88, bottom, bottom + 0.88))
        ax.text(column + 0.5, bottom + 0.92, title, ha="center", va="bottom", fontsize=8.5)
    ax.set_xlim(0, columns)
    ax.set_ylim(0, rows * step)
    ax.set_axis_off()


def _picture(ax: Axes, picture: FloatArray, extent: tuple[float, float, float, float]) -> None:
    options: Style = {"cmap": "gray_r", "vmin": 0, "vmax": 1} if picture.ndim == 2 else {}
    # Without interpolation the page stores one pixel of the file for each pixel of the picture.
    ax.imshow(picture, extent=extent, interpolation="none", aspect="auto", **options)


# ------------------------------------------------------------------------------------- arms


def differences(values: Mapping[str, FloatArray], xlabel: str) -> Figure:
    """Draw paired differences to a baseline as intervals, one line for each arm.

    Parameters
    ----------
    values : mapping of str to ndarray of shape (n_seeds,)
        Difference to the baseline in each repetition.
    xlabel : str
        What differs.

    Returns
    -------
    Figure
    """
    fig, (ax,) = panels(1, height=0.9 + 0.25 * len(values), left=1.45)
    places = np.arange(len(values))[::-1]
    for place, changes in zip(places, values.values(), strict=True):
        interval = mean_confidence_interval(changes)
        ax.plot([interval.low, interval.high], [place, place], color=COLORS["olive"].line)
        ax.plot(interval.mean, place, **role("augmentation", line=False) | {"markersize": 7})
    ax.axvline(0, **role("none", marker=False))
    ax.set_yticks(places, list(values))
    ax.set_ylim(-0.6, len(values) - 0.4)
    ax.set_xlabel(xlabel)
    return fig


# --------------------------------------------------------------------------------- explorable 1


def rotated_digits(
    pictures: Sequence[FloatArray],
    labels: Sequence[int],
    predicted: Sequence[int],
    angles: ArrayLike,
    changes: Mapping[str, FloatArray],
    angle: float,
    strengths: Sequence[float],
    errors: Mapping[str, FloatArray],
    strength: float,
) -> Figure:
    """Draw turned digits with their predictions, the change of predictions, and the errors.

    Parameters
    ----------
    pictures : sequence of ndarray of shape (8, 8)
        Six test digits, already turned.
    labels, predicted : sequence of int
        What they are, and what the network takes them for.
    angles : array-like of shape (n_angles,)
        Angles of the middle panel in degrees.
    changes : mapping of str to ndarray of shape (n_angles,)
        Mean change of the predictions, by role.
    angle : float
        The angle of the pictures.
    strengths : sequence of float
        Largest angles in training.
    errors : mapping of str to ndarray of shape (n_strengths, n_seeds)
        Errors on upright digits: ``"train"`` and ``"test"``.
    strength : float
        The largest angle in the training of the network shown.

    Returns
    -------
    Figure
    """
    fig, (left, middle, right) = panels(3, height=3.0, left=0.62, right=0.12)
    marks = ["" if guess == label else " ✗" for guess, label in zip(predicted, labels, strict=True)]
    titles = [f"{guess}{mark}" for guess, mark in zip(predicted, marks, strict=True)]
    _grid(left, pictures, titles, 2, 1.2)
    left.set_title("seen as")

    places = np.asarray(angles, dtype=np.float64)
    texts = {"none": "trained upright", "augmentation": f"trained to ±{strength:g}°"}
    for name, values in changes.items():
        middle.plot(places, values, **role(name))
        height = 0.93 if name == "none" else 0.83
        middle.text(
            0.04,
            height,
            texts[name],
            transform=middle.transAxes,
            color=COLORS["gray" if name == "none" else "olive"].text,
        )
    middle.axvline(angle, color=COLORS["ink"].line, linewidth=1)
    middle.set_ylim(0, 1.15)
    middle.set_xticks(places[:: max(1, len(places) // 4)])
    middle.set_xlabel("turned by, degrees")
    middle.set_ylabel("change of the prediction")
    middle.set_title("turned test digits")

    for name, table in errors.items():
        mean = table.mean(axis=1)
        right.plot(strengths, mean, **role(name))
        at = len(strengths) // 2
        label_line(right, strengths[at], float(mean[at]), name, name, dx=-4, dy=9, ha="right")
    right.axvline(strength, color=COLORS["ink"].line, linewidth=1)
    right.set_ylim(bottom=-0.02)
    right.set_xlabel("largest angle in training")
    right.set_ylabel("error, upright digits")
    right.set_title("what it costs")
    return fig


# -------------------------------------------------------------------------------------- sounds


def spectrograms(sounds: Mapping[str, FloatArray], sample_rate: int) -> Figure:
    """Draw the strength of each frequency over time, one panel for each sound.

    Parameters
    ----------
    sounds : mapping of str to ndarray of shape (n_samples,)
        Two or three sounds by title.
    sample_rate : int
        Samples per second.

    Returns
    -------
    Figure
    """
    fig, axes = panels(len(sounds), height=2.4)
    longest = max(map(len, sounds.values())) / sample_rate
    for ax, (title, signal) in zip(axes, sounds.items(), strict=True):
        frequency, _, spectrum = scipy.signal.stft(signal, sample_rate, nperseg=256, noverlap=160)
        decibel = 20 * np.log10(np.abs(spectrum) + 1e-6)
        loudness = np.clip((decibel - decibel.max() + 60) / 60, 0, 1)
        low = frequency <= 2500  # nothing but noise lies above
        # Few grays compress well.
        gray = np.round(15 * loudness[low]) / 15
        end = len(signal) / sample_rate
        _picture(ax, gray[::-1], (0, end, 0, float(frequency[low][-1]) / 1000))
        ax.set_xlim(0, longest)
        ax.set_ylim(0, 2.5)
        ax.grid(visible=False)
        ax.set_title(title)
        ax.set_xlabel("time, s")
        ax.set_ylabel("frequency, kHz")
    return fig


# ------------------------------------------------------------------------------- data efficiency

# What is no technique of the book, and so has no role: in ink, solid.
_OTHER: Style = {
    "color": COLORS["ink"].line,
    "linestyle": "solid",
    "linewidth": 1.8,
    "marker": "s",
    "markersize": 4.5,
}


def data_efficiency(
    sizes: Sequence[int], errors: Mapping[str, FloatArray], texts: Mapping[str, str]
) -> Figure:
    """Draw test errors against the number of training rows.

    Parameters
    ----------
    sizes : sequence of int
        Numbers of rows.
    errors : mapping of str to ndarray of shape (n_sizes, n_seeds)
        Test errors: ``"none"``, ``"augmentation"`` and ``"convolution"``.
    texts : mapping of str to str
        Label of each line.

    Returns
    -------
    Figure
    """
    fig, (ax,) = panels(1, height=2.9, right=1.15)
    ax.set_xscale("log")
    ax.set_ylim(0, 0.85)
    ends = []
    for name, values in errors.items():
        interval = mean_confidence_interval(values)
        look = _OTHER if name == "convolution" else role(name) | {"markevery": 1}
        ax.fill_between(
            sizes, interval.low, interval.high, color=look["color"], alpha=0.15, linewidth=0
        )
        ax.plot(sizes, interval.mean, **look)
        color = "truth" if name == "convolution" else name  # of the label
        ends.append((float(sizes[-1]), float(interval.mean[-1]), texts[name], color))
    ax.set_xticks(sizes, [str(size) for size in sizes])
    ax.minorticks_off()
    label_lines(ax, ends)
    ax.set_xlabel("training rows")
    ax.set_ylabel("error on shifted test digits")
    return fig


# ---------------------------------------------------------------------------------- soft targets


def logit_gaps(
    updates: Sequence[int], gaps: Mapping[float, FloatArray], bounds: Mapping[float, float]
) -> Figure:
    """Draw how far the right logit is above the others, along training.

    Parameters
    ----------
    updates : sequence of int
        Numbers of updates.
    gaps : mapping of float to ndarray of shape (n_times,)
        Mean gap, by strength of the smoothing; up to three.
    bounds : mapping of float to float
        Gap of the smallest loss; an infinite one is not drawn.

    Returns
    -------
    Figure
    """
    fig, (ax,) = panels(1, height=2.8, right=0.75)
    looks = (("none", role("none")), ("augmentation", role("augmentation")), ("truth", _OTHER))
    ends = []
    for (name, look), (epsilon, values) in zip(looks, gaps.items(), strict=False):
        ax.plot(updates, values, **look | {"markevery": 0.12})
        ends.append((float(updates[-1]), float(values[-1]), f"ε = {epsilon:g}", name))
        if np.isfinite(bounds[epsilon]):
            ax.axhline(bounds[epsilon], **role("truth", marker=False) | {"linewidth": 1})
    ax.set_ylim(0, 1.1 * max(float(np.max(values)) for values in gaps.values()))
    label_lines(ax, ends)
    ax.set_xlabel("updates")
    ax.set_ylabel("right logit above the others")
    return fig


def calibration(
    curve: tuple[FloatArray, FloatArray, FloatArray],
    strengths: Sequence[float],
    losses: Mapping[str, FloatArray],
    errors: Mapping[str, FloatArray],
    at: int,
) -> Figure:
    """Draw reliability, losses and calibration errors for one strength of label smoothing.

    Parameters
    ----------
    curve : tuple of ndarray of shape (n_bins,)
        Confidence, accuracy and part of the rows of each bin.
    strengths : sequence of float
        All strengths.
    losses : mapping of str to ndarray of shape (n_strengths,)
        Mean log losses: ``"train"`` and ``"test"``.
    errors : mapping of str to ndarray of shape (n_strengths,)
        Mean calibration errors: ``"augmentation"`` as trained, ``"none"`` after a temperature.
    at : int
        Which strength the first panel shows.

    Returns
    -------
    Figure
    """
    fig, (left, middle, right) = panels(3, height=2.9, left=0.62, right=0.12)
    confidence, accuracy, part = curve
    left.plot([0, 1], [0, 1], **role("truth", marker=False))
    left.plot(confidence, accuracy, **role("augmentation", marker=False))
    left.scatter(confidence, accuracy, s=8 + 160 * part, color=COLORS["olive"].line)
    left.set_xlim(0, 1.05)
    left.set_ylim(0, 1.05)
    left.set_xlabel("confidence")
    left.set_ylabel("accuracy")
    left.set_title("test rows")
    texts = {"augmentation": "as trained", "none": "with temperature"}
    for ax, curves in ((middle, losses), (right, errors)):
        top = 1.15 * max(float(np.max(values)) for values in curves.values())
        for name, values in curves.items():
            ax.plot(strengths, values, **role(name))
        ends = [
            (float(strengths[-1]), float(values[-1]), texts.get(name, name), name)
            for name, values in curves.items()
        ]
        ax.set_ylim(0, top)
        for x, y, text, name in ends:
            label_line(ax, x, y, text, name, dx=-2, dy=9, ha="right")
        ax.axvline(strengths[at], color=COLORS["ink"].line, linewidth=1)
        ax.set_xlabel("smoothing ε")
    middle.set_ylabel("log loss")
    middle.set_title("loss")
    right.set_ylabel("calibration error")
    right.set_title("calibration")
    return fig
