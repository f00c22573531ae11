r"""Say how sure a mean is: confidence intervals, and differences of paired runs.

**Repetitions lie along the last axis**: folds, repeats or seeds. `mean_confidence_interval` and
`paired_difference` reduce that axis.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from lessons_lib._validation import check_interval

__all__ = ["ConfidenceInterval", "mean_confidence_interval", "paired_difference"]

FloatArray = NDArray[np.float64]


IntArray = NDArray[np.intp]


RandomState = int | np.random.Generator | None


Loss = Callable[[Any, Any], float]


@dataclass(frozen=True, eq=False)
class ConfidenceInterval:
    """A mean and the ends of its confidence interval.

    The fields are numbers, or arrays if several means were asked for. A format specification
    is applied to the mean and to the half width.

    Parameters
    ----------
    mean, low, high : float or ndarray
        The mean and the ends of the interval.
    confidence : float
        The confidence level.

    Examples
    --------
    >>> f"{mean_confidence_interval([0.9, 1.0, 1.1]):.2f}"
    '1.00 ± 0.25'
    """

    mean: Any
    low: Any
    high: Any
    confidence: float

    @property
    def half_width(self) -> Any:
        """Half the length of the interval: what stands after the ± sign."""
        return (self.high - self.low) / 2

    def __format__(self, spec: str) -> str:
        return f"{self.mean:{spec}} ± {self.half_width:{spec}}"


def mean_confidence_interval(values: ArrayLike, *, confidence: float = 0.95) -> ConfidenceInterval:
    r"""Return the mean over repetitions with its Student-t confidence interval.

    .. math:: \bar v \pm t_{n-1,\,(1+c)/2}\; \frac{s}{\sqrt{n}}, \qquad
              s^2 = \frac{1}{n-1} \sum_{i=1}^n (v_i - \bar v)^2.

    Parameters
    ----------
    values : array-like of shape (..., n)
        One value for each independent repetition (seed), along the last axis; ``n >= 2``.
    confidence : float, default=0.95
        The level :math:`c`, between 0 and 1.

    Returns
    -------
    ConfidenceInterval
        Mean, low and high, of shape (...); numbers if `values` is one-dimensional.

    Raises
    ------
    ValueError
        If there are fewer than 2 repetitions, a value is not finite, or `confidence` is not
        between 0 and 1.

    Notes
    -----
    The interval is exact for independent normal values. It states how well the *mean* is known,
    not how much single repetitions differ; folds of one cross-validation, which share training
    rows, are not independent, and then it is too narrow.

    References
    ----------
    Student (1908). The probable error of a mean. Biometrika 6(1), 1-25.

    Examples
    --------
    >>> interval = mean_confidence_interval([0.9, 1.0, 1.1])
    >>> round(interval.low, 3), round(interval.high, 3)
    (0.752, 1.248)
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim == 0 or values.shape[-1] < 2:
        raise ValueError(f"values must have shape (..., n >= 2), got {values.shape}.")
    if not np.all(np.isfinite(values)):
        raise ValueError("values must be finite, got NaN or infinity.")
    if not 0 < check_interval("confidence", confidence, -np.inf) < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence!r}.")
    # In units of a power of two, which changes no digit, no square can overflow or vanish.
    exponent = np.frexp(np.abs(values).max(initial=0.0))[1]
    scaled = np.ldexp(values, -exponent)
    center = scaled.mean(axis=-1)
    quantile = stats.t.ppf((1 + confidence) / 2, df=values.shape[-1] - 1)
    half_width = quantile * stats.sem(scaled, axis=-1)
    ends = (center, center - half_width, center + half_width)
    mean, low, high = (np.ldexp(end, exponent) for end in ends)
    if values.ndim == 1:
        mean, low, high = float(mean), float(low), float(high)
    return ConfidenceInterval(mean, low, high, confidence)


def paired_difference(
    values: ArrayLike, baseline: ArrayLike, *, confidence: float = 0.95
) -> ConfidenceInterval:
    r"""Return the mean of ``values - baseline`` over paired repetitions, with its interval.

    Repetition :math:`i` of both used the same seed (the same data, split and initialization). What
    they have in common cancels in the difference, so this interval is usually much shorter than
    those of the two means; whether those overlap says little.

    Parameters
    ----------
    values, baseline : array-like of shape (..., n)
        One value for each repetition, along the last axis, in the same order; ``n >= 2``.
    confidence : float, default=0.95
        The confidence level, between 0 and 1.

    Returns
    -------
    ConfidenceInterval
        For losses, an interval entirely below 0 says that `values` beat the baseline.

    Raises
    ------
    ValueError
        If the shapes differ, or as in `mean_confidence_interval`.

    Examples
    --------
    >>> f"{paired_difference([1.1, 2.1, 3.0], [1.0, 1.9, 2.9]):.2f}"
    '0.13 ± 0.14'
    """
    values = np.asarray(values, dtype=np.float64)
    baseline = np.asarray(baseline, dtype=np.float64)
    if values.shape != baseline.shape:
        raise ValueError(
            f"values and baseline must have the same shape, got {values.shape} and "
            f"{baseline.shape}."
        )
    return mean_confidence_interval(values - baseline, confidence=confidence)
