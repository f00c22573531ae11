"""Drawings of the lesson on fraud detection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, PercentFormatter
from numpy.typing import NDArray

from lessons_lib.measure import mean_confidence_interval
from lessons_lib.page.figures import COLORS, label_line, label_lines, panels, role

__all__ = [
    "differences",
    "explore_alerts",
    "explore_base_rate",
    "reliability",
    "what_is_known",
]

FloatArray = NDArray[np.float64]
Curves = Mapping[str, FloatArray]

#: How each pattern of fraud and each state of knowledge looks: roles, in the order drawn.
_PATTERN_ROLES = ("l1", "none", "l2")
_KNOWLEDGE_ROLES = ("test", "validation", "truth")


def _percent(axis: Any) -> None:
    axis.set_major_formatter(PercentFormatter(1, decimals=0))


def _band(ax: Axes, x: FloatArray, values: FloatArray, name: str, **look: Any) -> FloatArray:
    """Draw the mean over the last axis with its interval; return the mean."""
    interval = mean_confidence_interval(values)
    ax.fill_between(x, interval.low, interval.high, color=role(name)["color"], alpha=0.18, lw=0)
    ax.plot(x, interval.mean, **role(name) | look)
    return np.asarray(interval.mean, dtype=np.float64)


def what_is_known(days: FloatArray, shares: Curves, rates: FloatArray, found: Curves) -> Figure:
    """Draw how patterns of fraud come and go, and what the best rankings find.

    Parameters
    ----------
    days : ndarray of shape (n_periods,)
        Middle of each period, in days.
    shares : mapping of str to ndarray of shape (n_periods, n_seeds)
        Percent of all frauds that fall into the period and follow the pattern; three patterns.
    rates : ndarray of shape (n_rates,)
        Shares of the transactions that are reviewed.
    found : mapping of str to ndarray of shape (n_rates, n_seeds)
        Shares of the frauds that are found, for three states of knowledge.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=2.8, left=0.62, right=1.18)
    labels = []
    for (text, values), name in zip(shares.items(), _PATTERN_ROLES, strict=True):
        mean = _band(left, days, values, name)
        labels.append((float(days[-1]), float(mean[-1]), text.replace(" ", "\n", 1), name))
    left.set_ylim(0, None)
    label_lines(left, labels, gap=22)
    left.set_xlabel("day")
    left.set_ylabel("percent of all frauds")
    left.set_title("drift")
    labels = []
    for (text, values), name in zip(found.items(), _KNOWLEDGE_ROLES, strict=True):
        mean = _band(right, rates, values, name)
        labels.append((float(rates[-1]), float(mean[-1]), text, name))
    right.set_ylim(0, 1.05)
    label_lines(right, labels)
    _percent(right.xaxis)
    right.set_xlabel("transactions reviewed")
    right.set_ylabel("true frauds found")
    right.set_title("who knows …")
    return fig


def differences(
    arms: Mapping[str, tuple[str, FloatArray]], measures: Sequence[tuple[str, str]]
) -> Figure:
    """Draw paired differences to a baseline with 95 % intervals, one panel for each measure.

    Parameters
    ----------
    arms : mapping of str to tuple of (str, ndarray of shape (n_measures, n_seeds))
        For each arm its role and the differences.
    measures : sequence of tuple of str
        Title and label of the abscissa of each panel, at most three.

    Returns
    -------
    Figure
    """
    height = 0.95 + 0.19 * len(arms)
    fig, axes = panels(len(measures), height=height, left=1.28, right=0.16)
    for index, (ax, (title, label)) in enumerate(zip(axes, measures, strict=True)):
        ax.axvline(0, color=COLORS["gray"].line, linewidth=1)
        for place, (name, values) in enumerate(arms.values()):
            interval = mean_confidence_interval(values[index])
            ends = [interval.low, interval.high]
            ax.plot(ends, [place, place], color=role(name)["color"], ls="-", lw=1.6)
            ax.plot([interval.mean], [place], **role(name, line=False))
        ax.set_yticks(range(len(arms)), list(arms))
        ax.set_ylim(len(arms) - 0.5, -0.5)
        ax.margins(x=0.08)
        ax.set_title(title)
        ax.set_xlabel(label)
    return fig


def reliability(
    curves: Mapping[str, tuple[str, FloatArray, FloatArray]], errors: Mapping[str, Curves]
) -> Figure:
    """Draw predicted against observed shares of fraud, and calibration errors.

    Parameters
    ----------
    curves : mapping of str to tuple of (str, ndarray, ndarray)
        For each arm its role, and for each bin the mean probability and the share of frauds.
    errors : mapping of str to mapping of str to ndarray of shape (n_seeds,)
        For each arm the calibration errors ``"train"`` and ``"test"``.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=2.9, left=1.28, right=0.55)
    left.plot([0, 1], [0, 1], color=COLORS["gray"].line, linewidth=1, ls="-")
    for name, predicted, observed in curves.values():
        left.plot(predicted, observed, **role(name) | {"markevery": None})
    left.set_xlim(0, 1)
    left.set_ylim(0, 1)
    ends = [
        (float(predicted[-1]), float(observed[-1]), text, name)
        for text, (name, predicted, observed) in curves.items()
    ]
    label_lines(left, ends)
    left.set_xlabel("predicted probability")
    left.set_ylabel("observed share of frauds")
    left.set_title("test rows")
    for place, parts in enumerate(errors.values()):
        for part, values in parts.items():
            interval = mean_confidence_interval(values)
            ends = [interval.low, interval.high]
            height = place + (-0.14 if part == "train" else 0.14)
            right.plot(ends, [height, height], color=role(part)["color"], ls="-", lw=1.6)
            right.plot([interval.mean], [height], **role(part, line=False))
            if place == 0:
                label_line(right, interval.mean, height, part, part, dx=8)
    right.set_yticks(range(len(errors)), list(errors))
    right.set_ylim(len(errors) - 0.5, -0.5)
    right.set_xlim(0, None)
    right.margins(x=0.2)
    right.set_xlabel("calibration error")
    right.set_title("error")
    return fig


def _curves_with_mark(ax: Axes, x: FloatArray, curves: Curves, at: int) -> None:
    """Draw curves by role with their labels, and a vertical line at one abscissa."""
    labels = []
    for name, values in curves.items():
        ax.plot(x, values, **role(name, marker=False))
        ax.plot(x[at], values[at], **role(name, line=False))
        labels.append((float(x[-1]), float(values[-1]), name, name))
    ax.axvline(x[at], color=COLORS["ink"].line, linewidth=1)
    label_lines(ax, labels, dx=4)


def explore_alerts(
    rates: FloatArray, recall: Curves, cost: Curves, at: int, cost_of_nothing: float
) -> Figure:
    """Draw what reviews find and cost, and what 1000 test transactions look like.

    Parameters
    ----------
    rates : ndarray of shape (n_rates,)
        Shares of the transactions that are reviewed.
    recall, cost : mapping of str to ndarray of shape (n_rates,)
        Shares of frauds found, and euros per transaction: ``"train"`` and ``"test"``.
    at : int
        Which rate to mark.
    cost_of_nothing : float
        Euros per transaction without reviews.

    Returns
    -------
    Figure
    """
    fig, (left, middle, right) = panels(3, height=2.7, left=0.6, right=0.46)
    left.set_ylim(0, 1.05)
    _curves_with_mark(left, rates, recall, at)
    left.set_ylabel("frauds found")
    left.set_title("recall")
    middle.axhline(cost_of_nothing, **role("none", marker=False))
    middle.set_ylim(0, max(cost_of_nothing, *(float(c.max()) for c in cost.values())) * 1.12)
    _curves_with_mark(middle, rates, cost, at)
    label_line(middle, rates[-1], cost_of_nothing, "no reviews", "none", dx=-2, dy=7, ha="right")
    middle.set_ylabel("euros each")
    middle.set_title("cost")
    for ax in (left, middle):
        _percent(ax.xaxis)
        ax.set_xlabel("reviewed")
    found = 50 * float(recall["test"][at])
    alarms = 1000 * float(rates[at]) - found
    bars = {"found": (found, "test"), "missed": (50 - found, "none"), "false": (alarms, "noise")}
    for place, (value, name) in enumerate(bars.values()):
        right.barh(place, value, height=0.6, color=role(name)["color"])
        label_line(right, value, place, f"{value:.0f}", name, dx=3)
    right.set_yticks(range(len(bars)), list(bars))
    right.set_ylim(len(bars) - 0.4, -0.6)
    right.set_xlim(0, 300)
    right.set_xlabel("of 1000")
    right.set_title(f"precision {found / (found + alarms):.2f}")
    return fig


def explore_base_rate(
    false_alarms: FloatArray,
    detector: Mapping[str, tuple[FloatArray, float, float]],
    share: float,
) -> Figure:
    """Draw precision against recall, and accuracy, for one share of frauds.

    Parameters
    ----------
    false_alarms : ndarray of shape (n_points,)
        Rates of false alarms, increasing.
    detector : mapping of str to tuple of (ndarray of shape (n_points,), float, float)
        For ``"train"`` and ``"test"`` the recall at each of these rates; recall and rate of false
        alarms at the threshold 0.5.
    share : float
        Share of the frauds, between 0 and 1.

    Returns
    -------
    Figure
    """
    fig, (left, right) = panels(2, height=2.8, left=0.62, right=0.5)
    shares = np.geomspace(1e-3, 0.5, 25)
    labels = []
    for name, (recall, tpr, fpr) in detector.items():
        hits = share * recall
        precision = hits / (hits + (1 - share) * false_alarms)
        left.plot(recall, precision, **role(name, marker=False))
        at = int(np.argmin(np.abs(recall - (0.3 if name == "test" else 0.97))))
        above = name == "train"
        label_line(
            left, recall[at], precision[at], name, name, dx=-4 if above else 5, dy=8,
            ha="right" if above else "left",
        )  # fmt: skip
        accuracy = shares * tpr + (1 - shares) * (1 - fpr)
        right.plot(shares, accuracy, **role(name, marker=False))
        here = share * tpr + (1 - share) * (1 - fpr)
        right.plot(share, here, **role(name, line=False))
        labels.append((float(shares[-1]), float(accuracy[-1]), name, name))
    left.set_xlim(0, 1.02)
    left.set_ylim(0, 1.12)
    left.set_xlabel("recall")
    left.set_ylabel("precision")
    left.set_title(f"{100 * share:g} % frauds")
    right.plot(shares, 1 - shares, **role("none", marker=False))
    labels.append((float(shares[-1]), 0.5, "never\nalerts", "none"))
    right.axvline(share, color=COLORS["ink"].line, linewidth=1)
    right.set_xscale("log")
    right.set_xticks([0.001, 0.01, 0.1, 0.5], ["0.1 %", "1 %", "10 %", "50 %"])
    right.xaxis.set_minor_locator(NullLocator())
    right.set_ylim(0.4, 1.05)
    label_lines(right, labels, dx=4, gap=14)
    right.set_xlabel("share of frauds")
    right.set_ylabel("accuracy at threshold ½")
    right.set_title("accuracy")
    return fig
