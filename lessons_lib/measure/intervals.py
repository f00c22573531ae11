r"""Say how sure a mean is: confidence intervals that know what was repeated.

An interval answers the question "what if I did it again?", and depends on what *again* means. Three
things are repeated in this book, and each has its own interval:

============  =========================================  ==========================================
``"seeds"``   new data and a new start each time         Student's t: the runs are independent
``"splits"``  new random splits of the same data set     corrected after Nadeau and Bengio: the runs
                                                         share rows, so that they agree too well
``"rows"``    nothing is run again; each test row of     Student's t over the rows: what other test
              one model has its loss                     rows would say of the *same* model
============  =========================================  ==========================================

A share of independent trials (runs that succeeded, rows that were right) has an exact binomial
interval. **Repetitions lie along the last axis**: `confidence_interval` and
`paired_confidence_interval` reduce that axis.

"No difference" is not what an interval around zero says: `ConfidenceInterval.within` claims
equivalence against a margin only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from lessons_lib._validation import FloatArray, check_integer, check_interval

__all__ = [
    "ConfidenceInterval",
    "Unit",
    "confidence_interval",
    "mean_confidence_interval",
    "paired_confidence_interval",
    "paired_difference",
    "share_confidence_interval",
]

Unit = Literal["seeds", "splits", "rows"]
"""What is repeated."""


@dataclass(frozen=True, eq=False)
class ConfidenceInterval:
    """A mean or a share, and the ends of its confidence interval.

    The fields are numbers, or arrays if several means were asked for.

    A format specification is applied to each number: ``f"{gain:.2f}"`` shows the mean and half the
    width, or the share and both ends where they are not equally far from it. With ``over`` behind
    it, ``f"{gain:.2f over}"``, it also says what was repeated.

    Parameters
    ----------
    mean, low, high : float or ndarray
        The mean and the ends of the interval.
    confidence : float
        The confidence level.
    over : str, default=""
        What was repeated, and how often: ``"20 splits"``.

    Examples
    --------
    >>> gain = confidence_interval([0.9, 1.0, 1.1], over="seeds")
    >>> f"{gain:.2f}"
    '1.00 ± 0.25'
    >>> f"{gain:.2f over}"
    '1.00 ± 0.25 over 3 seeds'
    """

    mean: Any
    low: Any
    high: Any
    confidence: float
    over: str = ""

    @property
    def half_width(self) -> Any:
        """Half the length of the interval: what stands after the ± sign."""
        return (self.high - self.low) / 2

    @property
    def sign(self) -> Any:
        """1 if the whole interval is above zero, -1 if it is below, 0 if it holds zero."""
        sign = np.sign(self.low) * (np.sign(self.low) == np.sign(self.high))
        return sign.astype(int) if np.ndim(sign) else int(sign)

    def within(self, margin: float) -> Any:
        r"""Tell whether the mean is equivalent to zero: the interval lies in :math:`(-m, m)`.

        An interval that holds zero says that the data do not show the sign of a difference; a wide
        one says so of any difference. Only an interval inside of a margin, fixed beforehand as the
        largest difference that does not matter, says that there is none that matters. This is the
        two one-sided tests procedure at half of the level of the interval, 2.5 % each for 95 %.

        Parameters
        ----------
        margin : float
            The largest difference :math:`m > 0` that does not matter, in the unit of the mean.

        Returns
        -------
        bool or ndarray of bool

        Raises
        ------
        ValueError
            If `margin` is not positive and finite.

        References
        ----------
        Schuirmann (1987). A comparison of the two one-sided tests procedure and the power approach
        for assessing the equivalence of average bioavailability. Journal of Pharmacokinetics and
        Biopharmaceutics 15(6), 657-680.

        Examples
        --------
        >>> confidence_interval([0.1, -0.2, 0.0, 0.1], over="seeds").within(0.3)
        True
        """
        if not 0 < margin < np.inf:
            raise ValueError(f"margin must be positive and finite, got {margin!r}.")
        inside = (-margin < self.low) & (self.high < margin)
        return inside if np.ndim(inside) else bool(inside)

    def __format__(self, spec: str) -> str:
        numbers = spec.removesuffix("over").rstrip(" ")
        if numbers != spec and not self.over:
            raise ValueError("this interval does not know what was repeated: leave out 'over'.")
        tail = f" over {self.over}" if numbers != spec else ""
        if np.allclose(self.high - self.mean, self.mean - self.low, equal_nan=True):
            return f"{self.mean:{numbers}} ± {self.half_width:{numbers}}{tail}"
        return f"{self.mean:{numbers}} ({self.low:{numbers}} to {self.high:{numbers}}){tail}"


def confidence_interval(
    values: ArrayLike,
    *,
    over: Unit,
    test_share: float | None = None,
    confidence: float = 0.95,
) -> ConfidenceInterval:
    r"""Return the mean over repetitions with the confidence interval that fits what was repeated.

    With :math:`n` values of mean :math:`\bar v` and variance :math:`s^2` it is

    .. math:: \bar v \pm t_{n-1,\,(1+c)/2}\; s \sqrt{\frac1n + k}.

    **Seeds and rows**: the values are independent and :math:`k = 0`. **Splits**: two random test
    sets, each a share :math:`\rho` of the data set, have the part :math:`\rho` of their rows in
    common, so that their errors correlate by about :math:`\rho`. More splits do not bring more
    data: the variance of the mean is about :math:`s^2 (1/n + \rho / (1 - \rho))`, thus

    .. math:: k = \frac{\rho}{1 - \rho},

    which is :math:`n_\text{test} / n_\text{train}` where each split uses all rows.

    Parameters
    ----------
    values : array-like of shape (..., n)
        One value for each repetition, along the last axis; ``n >= 2``.
    over : {"seeds", "splits", "rows"}
        What was repeated: see the module's table. Twenty seeds that only split the same rows again
        are splits.
    test_share : float, optional
        :math:`\rho`, the rows of one test set over *all* rows of the data set, between 0 and 1:
        needed for splits, and only there.
    confidence : float, default=0.95
        The level :math:`c`, between 0 and 1.

    Returns
    -------
    ConfidenceInterval
        Mean, low and high, of shape (...); numbers if `values` is one-dimensional.

    Raises
    ------
    ValueError
        If there are fewer than 2 repetitions, a value is not finite, an argument is out of its
        range, or `test_share` is missing or not wanted.

    Notes
    -----
    The interval states how well the *mean* is known, not how much single repetitions differ. For
    splits it is an approximation: the true correlation also depends on the model, and no unbiased
    estimate of it exists. For the error of one model a nominal 95 % interval covers about as often;
    for the difference of two models that err alike it is on the safe side, and covers more often.
    Bouckaert and Frank find that with this correction repeated comparisons agree with each other,
    which they do not without it.

    References
    ----------
    Student (1908). The probable error of a mean. Biometrika 6(1), 1-25.

    Nadeau, Bengio (2003). Inference for the generalization error. Machine Learning 52, 239-281,
    section 3.

    Bouckaert, Frank (2004). Evaluating the replicability of significance tests for comparing
    learning algorithms. PAKDD, LNCS 3056, 3-12.

    Examples
    --------
    >>> errors = [0.9, 1.0, 1.1, 1.0]
    >>> f"{confidence_interval(errors, over='seeds'):.2f over}"
    '1.00 ± 0.13 over 4 seeds'
    >>> f"{confidence_interval(errors, over='splits', test_share=0.5):.2f over}"
    '1.00 ± 0.29 over 4 splits'
    """
    extra = _shared_variance(over, test_share)
    _check_confidence(confidence)
    array = _check_values(values)
    n = array.shape[-1]
    # In units of a power of two, which changes no digit, no square can overflow or vanish.
    exponent = np.frexp(np.abs(array).max(initial=0.0))[1]
    scaled = np.ldexp(array, -exponent)
    center, s = scaled.mean(axis=-1), scaled.std(axis=-1, ddof=1)
    half_width = stats.t.ppf((1 + confidence) / 2, df=n - 1) * s * np.sqrt(1 / n + extra)
    ends = (center, center - half_width, center + half_width)
    mean, low, high = (np.ldexp(end, exponent) for end in ends)
    if array.ndim == 1:
        mean, low, high = float(mean), float(low), float(high)
    return ConfidenceInterval(mean, low, high, confidence, f"{n} {over}")


def _shared_variance(over: Unit, test_share: float | None) -> float:
    """Return k: what repeating adds to 1/n because repetitions share rows."""
    if over not in get_args(Unit):
        raise ValueError(f"over must be one of {', '.join(get_args(Unit))}; got {over!r}.")
    if over != "splits":
        if test_share is not None:
            raise ValueError(f"test_share is for splits only; got {test_share!r} over {over}.")
        return 0.0
    if test_share is None or not 0 < test_share < 1:
        raise ValueError(
            "test_share must be the part of all rows that one split tests on, between 0 and 1; "
            f"got {test_share!r}."
        )
    return test_share / (1 - test_share)


def _check_values(values: ArrayLike) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 0 or array.shape[-1] < 2:
        raise ValueError(f"values must have shape (..., n >= 2), got {array.shape}.")
    if not np.all(np.isfinite(array)):
        raise ValueError("values must be finite, got NaN or infinity.")
    return array


def _check_confidence(confidence: float) -> None:
    if not 0 < check_interval("confidence", confidence, -np.inf) < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence!r}.")


def paired_confidence_interval(
    values: ArrayLike,
    baseline: ArrayLike,
    *,
    over: Unit,
    test_share: float | None = None,
    confidence: float = 0.95,
) -> ConfidenceInterval:
    r"""Return the mean of ``values - baseline`` over paired repetitions, with its interval.

    Repetition :math:`i` of both used the same seed (the same data, split and initialization) or the
    same row. What they have in common cancels in the difference, so this interval is usually much
    shorter than those of the two means; whether those overlap says little.

    Parameters
    ----------
    values, baseline : array-like of shape (..., n)
        One value for each repetition, along the last axis, in the same order; ``n >= 2``.
    over, test_share, confidence
        As in `confidence_interval`.

    Returns
    -------
    ConfidenceInterval
        For losses, an interval entirely below 0 says that `values` beat the baseline.

    Raises
    ------
    ValueError
        If the shapes differ, or as in `confidence_interval`.

    Examples
    --------
    >>> gain = paired_confidence_interval([1.1, 2.1, 3.0], [1.0, 1.9, 2.9], over="seeds")
    >>> f"{gain:.2f}", gain.sign
    ('0.13 ± 0.14', 0)
    """
    return confidence_interval(
        _difference(values, baseline), over=over, test_share=test_share, confidence=confidence
    )


def _difference(values: ArrayLike, baseline: ArrayLike) -> FloatArray:
    ours: FloatArray = np.asarray(values, dtype=np.float64)
    theirs: FloatArray = np.asarray(baseline, dtype=np.float64)
    if ours.shape != theirs.shape:
        raise ValueError(
            f"values and baseline must have the same shape, got {ours.shape} and {theirs.shape}."
        )
    difference: FloatArray = ours - theirs
    return difference


def share_confidence_interval(
    successes: int, n: int, *, unit: str = "rows", confidence: float = 0.95
) -> ConfidenceInterval:
    r"""Return the share of successes in independent trials, with the exact binomial interval.

    The ends are the shares :math:`p` at which so many successes, or more, and so many, or fewer,
    would be as rare as :math:`(1-c)/2`. They are quantiles of beta distributions,

    .. math:: p_\text{low} = B_{(1-c)/2}(k,\; n-k+1), \qquad
              p_\text{high} = B_{(1+c)/2}(k+1,\; n-k),

    and 0 and 1 where there is no success and no failure. The interval covers at least as often as
    it says, and more often where few values of :math:`k` are possible.

    Parameters
    ----------
    successes : int
        :math:`k`, from 0 to `n`.
    n : int
        Number of trials, at least 1.
    unit : str, default="rows"
        What a trial is, in the plural, for the printed text.
    confidence : float, default=0.95
        The level :math:`c`, between 0 and 1.

    Returns
    -------
    ConfidenceInterval
        ``mean`` is the share.

    Raises
    ------
    TypeError
        If a count is not an integer.
    ValueError
        If a count or the level is out of its range.

    References
    ----------
    Clopper, Pearson (1934). The use of confidence or fiducial limits illustrated in the case of the
    binomial. Biometrika 26(4), 404-413.

    Examples
    --------
    >>> f"{share_confidence_interval(3, 30, unit='data sets'):.0% over}"
    '10% (2% to 27%) over 30 data sets'
    """
    n = check_integer("n", n, 1)
    successes = check_integer("successes", successes, 0)
    if successes > n:
        raise ValueError(f"successes must be at most n = {n}, got {successes}.")
    _check_confidence(confidence)
    tail, failures = (1 - confidence) / 2, n - successes
    low = float(stats.beta.ppf(tail, successes, failures + 1)) if successes else 0.0
    high = float(stats.beta.ppf(1 - tail, successes + 1, failures)) if failures else 1.0
    return ConfidenceInterval(successes / n, low, high, confidence, f"{n} {unit}")


def mean_confidence_interval(values: ArrayLike, *, confidence: float = 0.95) -> ConfidenceInterval:
    """Return the interval of `confidence_interval` over seeds, without a word on what they are.

    It takes all repetitions for independent. Of repeated splits of one data set they are not, and
    then this interval is too narrow: prefer `confidence_interval`, which asks.

    Parameters
    ----------
    values : array-like of shape (..., n)
        One value for each independent repetition, along the last axis; ``n >= 2``.
    confidence : float, default=0.95
        The level, between 0 and 1.

    Returns
    -------
    ConfidenceInterval
        Mean, low and high, of shape (...); numbers if `values` is one-dimensional.

    Raises
    ------
    ValueError
        If there are fewer than 2 repetitions, a value is not finite, or `confidence` is not
        between 0 and 1.

    Examples
    --------
    >>> interval = mean_confidence_interval([0.9, 1.0, 1.1])
    >>> round(interval.low, 3), round(interval.high, 3)
    (0.752, 1.248)
    """
    return confidence_interval(values, over="seeds", confidence=confidence)


def paired_difference(
    values: ArrayLike, baseline: ArrayLike, *, confidence: float = 0.95
) -> ConfidenceInterval:
    """Return the interval of `paired_confidence_interval` over independent seeds.

    Parameters
    ----------
    values, baseline : array-like of shape (..., n)
        One value for each independent repetition, along the last axis, in the same order.
    confidence : float, default=0.95
        The confidence level, between 0 and 1.

    Returns
    -------
    ConfidenceInterval
        For losses, an interval entirely below 0 says that `values` beat the baseline.

    Raises
    ------
    ValueError
        If the shapes differ, or as in `confidence_interval`.

    Examples
    --------
    >>> f"{paired_difference([1.1, 2.1, 3.0], [1.0, 1.9, 2.9]):.2f}"
    '0.13 ± 0.14'
    """
    return mean_confidence_interval(_difference(values, baseline), confidence=confidence)
