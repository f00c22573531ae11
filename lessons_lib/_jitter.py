r"""Change every number that a lesson starts from by about one part in :math:`10^{13}`.

Processors, BLAS kernels and numbers of threads round differently in the last place. A result that
such a change moves is not the same for every reader. With ``LESSONS_LIB_JITTER=<seed>`` in the
environment the library imitates it: data sets, initial weights and what estimators are fitted to
pass through :func:`jitter`. Without the variable they stay as they are, to the last bit.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["VARIABLE", "jitter"]

VARIABLE = "LESSONS_LIB_JITTER"
SIZE = 1e-13


def jitter(values: NDArray[Any]) -> NDArray[Any]:
    r"""Return :math:`v\,(1 + 10^{-13}\varepsilon)` for each number if the environment asks for it.

    What is the same on every processor stays the same. Equal numbers get the same
    :math:`\varepsilon \in [-1, 1)`, a hash of :math:`|v|` and the seed, so that ties, duplicate
    rows and repeated calls remain. Whole numbers, for which it is 0, have exact sums.

    Parameters
    ----------
    values : ndarray
        Numbers of any shape. float32, where :math:`10^{-13}` would vanish, gets :math:`10^{-6}`;
        what is not a float stays as it is.

    Returns
    -------
    ndarray of the same shape, dtype and memory order
        `values` itself if ``LESSONS_LIB_JITTER`` is not set or empty.

    Raises
    ------
    ValueError
        If ``LESSONS_LIB_JITTER`` is not a whole number >= 0.

    References
    ----------
    G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014:
    the hash, SplitMix64.
    """
    seed = os.environ.get(VARIABLE)
    if not seed or values.dtype not in (np.float32, np.float64):
        return values
    if not seed.isdecimal():
        raise ValueError(f"{VARIABLE} must be a whole number >= 0, got {seed!r}.")
    size = SIZE if values.dtype == np.float64 else 1e-6
    noise = _noise(np.atleast_1d(np.abs(values)), int(seed)).reshape(values.shape)
    noise *= values != np.rint(values)
    jittered: NDArray[Any] = np.multiply(values, 1 + size * noise, dtype=np.float64)
    return jittered.astype(values.dtype)


def _noise(values: NDArray[Any], seed: int) -> NDArray[np.float64]:
    """Hash each number, together with the seed, into [-1, 1)."""
    start = np.uint64((seed + 1) * 0x9E3779B97F4A7C15 % 2**64)
    bits = values.astype(np.float64).view(np.uint64) + start
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    bits ^= bits >> np.uint64(31)
    return bits / 2.0**63 - 1
