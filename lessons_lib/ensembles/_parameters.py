"""Checks of parameters that trees and ensembles share."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import _check_sample_weight

from lessons_lib._validation import FloatArray, check_integer, check_interval, explain_left_out

__all__ = [
    "LEFT_OUT",
    "ClassWeight",
    "LeavesOut",
    "RandomState",
    "check_generator",
    "check_share",
    "check_weight",
    "class_factors",
    "count_features",
    "count_samples",
]

RandomState = int | np.random.Generator | np.random.RandomState | None
ClassWeight = Mapping[Any, float] | str | None


LEFT_OUT = {
    "splitter": "a tree looks at all thresholds; ExtraTreeClassifier draws them at random",
    "max_leaf_nodes": "trees grow level by level, many of them together; max_depth, "
    "min_samples_leaf and min_weight_fraction_leaf limit them",
    "min_impurity_decrease": "min_samples_leaf and max_depth limit a tree in units that are easier "
    "to think in",
    "monotonic_cst": "the search knows no constraints",
    "warm_start": "a fit starts anew; fit several ensembles and average them",
    "verbose": "nothing is printed",
}
"""Parameters of scikit-learn's trees and ensembles that are left out, and why."""


class LeavesOut:
    """Refuse parameters that scikit-learn has and this library leaves out, with the reason."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Look at the names of the arguments."""
        explain_left_out(cls.__name__, LEFT_OUT, kwargs)
        return super().__new__(cls)


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


def check_weight(sample_weight: ArrayLike | None, X: FloatArray) -> FloatArray:
    """Return the weights of samples after checking that they are usable; None means 1 each.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,) or None
    X : ndarray of shape (n_samples, n_features)

    Returns
    -------
    ndarray of shape (n_samples,)

    Raises
    ------
    ValueError
        If the shape is wrong, a weight negative or not finite, or their sum zero or infinite.
    """
    weight: FloatArray = _check_sample_weight(
        sample_weight, X, dtype=np.float64, ensure_non_negative=True
    )
    with np.errstate(over="ignore"):
        total = weight.sum()
    if not 0 < total < np.inf:
        raise ValueError(
            f"sample_weight must have a positive entry and a finite sum, got the sum {total}."
        )
    return weight


def class_factors(
    class_weight: object, classes: NDArray[Any], numbers: NDArray[np.intp], weight: FloatArray
) -> FloatArray:
    r"""Return the factor of each sample's weight that its class brings.

    Parameters
    ----------
    class_weight : dict, "balanced" or None
        A factor for each class that it names, and 1 for the others. With "balanced" all classes
        get the same total weight: class :math:`k` of :math:`K` the factor
        :math:`\sum_i w_i \,/\, (K \sum_{i: y_i=k} w_i)`.
    classes : ndarray of shape (n_classes,)
        The labels.
    numbers : ndarray of int of shape (n_samples,)
        Each sample's class, as an index into `classes`.
    weight : ndarray of shape (n_samples,)
        The samples' own weights.

    Returns
    -------
    ndarray of shape (n_samples,)
    """
    if class_weight is None:
        return np.ones(len(numbers))
    if isinstance(class_weight, str) and class_weight == "balanced":
        sums = np.bincount(numbers, weight, len(classes))
        # A class without weight needs no factor.
        factors = weight.sum() / (len(classes) * np.where(sums > 0, sums, np.inf))
    elif isinstance(class_weight, Mapping):
        unknown = [label for label in class_weight if label not in classes.tolist()]
        if unknown:
            raise ValueError(
                f"class_weight names {unknown}, but the classes are {classes.tolist()}."
            )
        factors = np.array(
            [
                check_interval(f"class_weight[{label!r}]", class_weight.get(label, 1.0))
                for label in classes.tolist()
            ]
        )
    else:
        raise ValueError(
            f"class_weight must be a dict, 'balanced' or None, got {class_weight!r}; only forests "
            "know 'balanced_subsample'."
        )
    each: FloatArray = factors[numbers]
    return each


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
