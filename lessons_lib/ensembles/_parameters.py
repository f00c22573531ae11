"""Checks of parameters that trees and ensembles share."""

from __future__ import annotations

import math
import numbers

import numpy as np

from lessons_lib._validation import check_integer, check_interval

__all__ = [
    "RandomState",
    "check_generator",
    "check_share",
    "count_features",
    "count_samples",
]

RandomState = int | np.random.Generator | np.random.RandomState | None


def check_generator(random_state: object) -> np.random.Generator:
    """Return a generator for what scikit-learn and NumPy accept as a source of random numbers.

    Parameters
    ----------
    random_state : int, Generator, RandomState or None
        A seed; a generator, which is used itself; or NumPy's older ``RandomState``, which is asked
        for a seed. None takes a new seed from the operating system each time.

    Returns
    -------
    Generator

    Raises
    ------
    TypeError, ValueError
        For something else, or a negative seed.
    """
    if isinstance(random_state, np.random.Generator) or random_state is None:
        return np.random.default_rng(random_state)
    if isinstance(random_state, np.random.RandomState):
        return np.random.default_rng(random_state.randint(2**31 - 1))
    if not isinstance(random_state, numbers.Integral) or isinstance(random_state, bool):
        raise TypeError(
            "random_state must be an integer, a Generator, a RandomState or None, "
            f"got {random_state!r}."
        )
    return np.random.default_rng(check_integer("random_state", random_state, 0))


def count_samples(name: str, value: object, low: int, n_samples: int) -> int:
    """Return a least number of samples, given as a number or as a fraction of all.

    Parameters
    ----------
    name : str
    value : int or float
        A whole number of at least `low`, or a fraction in (0, 1], which is rounded up.
    low : int
        Smallest result.
    n_samples : int

    Returns
    -------
    int
    """
    if isinstance(value, numbers.Integral):
        return check_integer(name, value, low)
    fraction = check_interval(name, value, 0.0, 1.0, open_low=True)
    return max(low, math.ceil(fraction * n_samples))


def check_share(name: str, value: object, n: int, *, may_exceed: bool = False) -> int:
    """Return how many of `n` to draw, given as a number or as a fraction of them.

    Parameters
    ----------
    name : str
    value : int or float
        A whole number from 1, or a fraction in (0, 1], of which the integer part is taken, but at
        least 1.
    n : int
    may_exceed : bool, default=False
        Allow whole numbers above `n`.

    Returns
    -------
    int
    """
    if isinstance(value, numbers.Integral):
        number = check_integer(name, value, 1)
        if number > n and not may_exceed:
            raise ValueError(f"{name} must be at most {n}, which is all there are, got {value!r}.")
        return number
    return max(1, int(check_interval(name, value, 0.0, 1.0, open_low=True) * n))


def count_features(value: object, n_features: int) -> int:
    """Return the number of features to look at in each node.

    Parameters
    ----------
    value : {"sqrt", "log2"}, int, float or None
        As in scikit-learn; None means all.
    n_features : int

    Returns
    -------
    int
        From 1 to `n_features`.
    """
    if value is None:
        return n_features
    if value == "sqrt":
        return math.isqrt(n_features)
    if value == "log2":
        return max(1, int(math.log2(n_features)))
    if isinstance(value, str):
        raise ValueError(f"max_features must be 'sqrt', 'log2', a number or None, got {value!r}.")
    return check_share("max_features", value, n_features)
