"""Features as small whole numbers, so that a split search can count instead of sort."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lessons_lib._validation import FloatArray

__all__ = ["MAX_BINS", "Bins", "bin_features"]

#: As many different values as a byte has.
MAX_BINS = 256


class Bins(NamedTuple):
    """Features whose values were replaced by the numbers of their bins.

    Attributes
    ----------
    codes : ndarray of uint8 of shape (n_samples, n_features)
        Number of the bin of each value; bins are numbered upward from 0 for each feature.
    low, high : ndarray of shape (n_bins, n_features)
        Smallest and largest value in each bin; NaN beyond a feature's last bin. They are equal if
        every bin holds one value, and then nothing is lost.
    """

    codes: NDArray[np.uint8]
    low: FloatArray
    high: FloatArray


def bin_features(X: FloatArray, max_bins: int | None = None) -> Bins | None:
    """Sort the values of every feature into at most 256 bins.

    A feature with at most `max_bins` different values gets a bin for each, which is exact. The
    values of another feature are divided into `max_bins` groups of neighbors with about equally
    many samples; a threshold inside a group can no longer be found.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    max_bins : int or None, default=None
        Largest number of bins, 2 to 256. With None only exact bins are made.

    Returns
    -------
    Bins or None
        None if `max_bins` is None and a feature has more than 256 different values.

    Examples
    --------
    >>> bins = bin_features(np.array([[0.5], [2.0], [0.5], [7.0]]))
    >>> bins.codes.ravel().tolist(), bins.low.ravel().tolist()
    ([0, 1, 0, 2], [0.5, 2.0, 7.0])
    >>> bins = bin_features(np.arange(10.0)[:, None], max_bins=2)
    >>> bins.low.ravel().tolist(), bins.high.ravel().tolist()
    ([0.0, 5.0], [4.0, 9.0])
    """
    limit = MAX_BINS if max_bins is None else max_bins
    columns = []
    for x in np.sort(X, axis=0).T:
        is_first = np.concatenate(([True], x[1:] != x[:-1]))
        if is_first.sum() > limit:
            if max_bins is None:
                return None
            is_first = _merge(is_first, limit)
        first = np.flatnonzero(is_first)
        columns.append((x[first], x[np.append(first[1:], len(x)) - 1]))

    codes = np.empty(X.shape, dtype=np.uint8)
    low = np.full((max(len(lowest) for lowest, _ in columns), X.shape[1]), np.nan)
    high = low.copy()
    for j, (lowest, highest) in enumerate(columns):
        codes[:, j] = highest.searchsorted(X[:, j])
        low[: len(lowest), j] = lowest
        high[: len(highest), j] = highest
    return Bins(codes, low, high)


def _merge(is_first: NDArray[np.bool_], max_bins: int) -> NDArray[np.bool_]:
    """Mark where the bins of one sorted feature begin, given where its different values begin."""
    first = np.flatnonzero(is_first)
    group = first * max_bins // len(is_first)  # by rank: equally many samples in each
    starts = np.zeros_like(is_first)
    starts[first[np.concatenate(([True], group[1:] != group[:-1]))]] = True
    return starts
