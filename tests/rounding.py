"""How far two right computations of the same numbers may be apart.

A sum or product of n terms, in any order, errs by at most n·u relative to the size of the terms,
where u = eps/2 is half the distance from 1 to the next number (N. Higham, "Accuracy and Stability
of Numerical Algorithms", 2002, section 3.1). Two ways of computing it differ by up to twice that,
n·eps. What follows may amplify the difference by its condition number.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike


def rounding(dtype: DTypeLike, terms: int, condition: float = 1.0) -> float:
    """Return the largest difference, relative to the size of the terms.

    `terms` counts the operations on the longest way from an input to an output: those of the
    longest sum, and of all that comes before and after it.
    """
    return float(terms * np.finfo(dtype).eps * condition)


def assert_close(
    actual: Any,
    expected: Any,
    *,
    terms: int,
    condition: float = 1.0,
    scale: float = 1.0,
    dtype: DTypeLike = np.float64,
) -> None:
    """Compare within what rounding explains.

    `scale` is the size of the terms that were added, if it may be larger than that of the result,
    and `dtype` the type in which they were added.
    """
    values = np.abs(np.asarray(expected))
    size = max(scale, float(values.max(initial=0, where=np.isfinite(values))))
    atol = rounding(dtype, terms, condition) * size
    np.testing.assert_allclose(actual, expected, rtol=0, atol=atol)
