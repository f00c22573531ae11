"""Checks of arguments, shared by all packages."""

from __future__ import annotations

import numbers
from collections.abc import Iterable
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_X_y, validate_data

from lessons_lib._jitter import jitter

__all__ = [
    "FloatArray",
    "check_data",
    "check_flag",
    "check_integer",
    "check_interval",
    "check_labels",
    "check_vector",
    "explain_left_out",
]

FloatArray = NDArray[np.float64]


def check_interval(
    name: str, value: object, low: float = 0.0, high: float = np.inf, *, open_low: bool = False
) -> float:
    """Return ``value`` as a float after checking that it lies in an interval.

    Parameters
    ----------
    name : str
        Name of the argument, for the error message.
    value : object
        What the caller passed.
    low, high : float
        Ends of the interval; ``high`` is included if it is finite.
    open_low : bool, default=False
        Exclude ``low`` itself.

    Returns
    -------
    float
        The checked value.

    Raises
    ------
    TypeError
        If ``value`` is not a real number.
    ValueError
        If it is NaN, infinite or outside the interval.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (float, int, numbers.Real)):
        raise TypeError(f"{name} must be a real number, got {value!r}.")
    number = float(value)
    too_low = number <= low if open_low else number < low
    if too_low or number > high or not np.isfinite(number):
        left = "(" if open_low or low == -np.inf else "["
        right = "inf)" if high == np.inf else f"{high:g}]"
        raise ValueError(f"{name} must lie in {left}{low:g}, {right}, got {value!r}.")
    return number


def check_integer(name: str, value: object, low: int) -> int:
    """Return ``value`` as an int after checking that it is a whole number of at least ``low``.

    Parameters
    ----------
    name : str
        Name of the argument, for the error message.
    value : object
        What the caller passed.
    low : int
        Smallest allowed value.

    Returns
    -------
    int
        The checked value.

    Raises
    ------
    TypeError
        If ``value`` is not a whole number.
    ValueError
        If it is less than ``low``.
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be an integer, got {value!r}.")
    if value < low:
        raise ValueError(f"{name} must be at least {low}, got {value!r}.")
    return int(value)


def check_flag(name: str, value: object) -> bool:
    """Return ``value`` after checking that it is True or False: ``"False"`` counts as true.

    Parameters
    ----------
    name : str
        Name of the argument, for the error message.
    value : object
        What the caller passed.

    Returns
    -------
    bool
        The checked value.

    Raises
    ------
    TypeError
        If ``value`` is no boolean.
    """
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, got {value!r}.")
    return bool(value)


def explain_left_out(owner: str, left_out: dict[str, str], given: Iterable[str]) -> None:
    """Raise for arguments that the library of the same names has and this one leaves out.

    Parameters
    ----------
    owner : str
        Name of the class or function.
    left_out : dict of str to str
        For each argument left out, why.
    given : iterable of str
        Names of the arguments that were passed.

    Raises
    ------
    TypeError
        For the first argument that is left out.
    """
    for name in given:
        if name in left_out:
            raise TypeError(f"{owner} has no parameter {name!r} here: {left_out[name]}.")


def _is_clean(array: ArrayLike, ndim: int) -> TypeGuard[FloatArray]:
    """Whether ``array`` is a non-empty float64 array without NaN or infinity."""
    if type(array) is not np.ndarray or array.dtype != np.float64:
        return False
    if array.ndim != ndim or array.size == 0:
        return False
    with np.errstate(over="ignore", invalid="ignore"):  # a sum may overflow where no number does
        return bool(np.isfinite(array.sum()))


def check_data(
    X: ArrayLike,
    y: ArrayLike,
    *,
    multi_output: bool = False,
    estimator: Any = None,
) -> tuple[FloatArray, FloatArray]:
    """Check training data as scikit-learn does, and convert them to float64.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
    multi_output : bool, default=False
        Allow a two-dimensional ``y``.
    estimator : scikit-learn estimator, optional
        Estimator that shall remember the number and the names of the features.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,) or (n_samples, n_targets)
        The same objects if they already are clean float64 arrays. A single target has no second
        axis, whether it was given as a vector or as a column.

    Raises
    ------
    ValueError
        For wrong shapes, unequal lengths, NaN, infinity, no samples or no features.
    TypeError
        If ``X`` is sparse.
    """
    # scikit-learn's checks take longer than a small fit. They change nothing about clean
    # float64 arrays, so for those the few comparisons below are enough.
    if _is_clean(X, 2) and _is_clean(y, 1) and len(X) == len(y):
        if estimator is not None:
            estimator.n_features_in_ = X.shape[1]
            estimator.__dict__.pop("feature_names_in_", None)
        return jitter(X), jitter(y)
    options = {"dtype": np.float64, "y_numeric": True, "multi_output": multi_output}
    if estimator is None:
        features, target = check_X_y(X, y, **options)
    else:
        features, target = validate_data(estimator, X, y, **options)
    if target.ndim == 2 and target.shape[1] == 1:
        target = target[:, 0]
    return jitter(features), jitter(target.astype(np.float64, copy=False))


def check_vector(name: str, values: ArrayLike) -> FloatArray:
    """Return ``values`` as float64 after checking that they are a sequence of finite numbers.

    Parameters
    ----------
    name : str
        Name of the argument, for the error message.
    values : array-like
        What the caller passed.

    Returns
    -------
    ndarray of shape (n_samples,)
        A copy.

    Raises
    ------
    TypeError
        If the values are no real numbers.
    ValueError
        If there is none, one is not finite, or the shape is not one-dimensional.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "iufb":
        raise TypeError(f"{name} must be real numbers, got {array.dtype}.")
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name} must have shape (n_samples,), not empty, got {array.shape}.")
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name} must be finite, got NaN or infinity.")
    return array.astype(np.float64)


def check_labels(y: ArrayLike) -> NDArray[np.intp]:
    """Return class numbers ``y`` after checking that they are a sequence of integers from 0.

    Parameters
    ----------
    y : array-like of int of shape (n_samples,)

    Returns
    -------
    ndarray of shape (n_samples,)
        A copy.

    Raises
    ------
    TypeError
        If the labels are not integers.
    ValueError
        If there is none, one is negative, or the shape is not one-dimensional.
    """
    labels = np.asarray(y)
    if labels.ndim != 1 or labels.size == 0:
        raise ValueError(f"y must have shape (n_samples,), not empty, got {labels.shape}.")
    if labels.dtype.kind not in "iub":
        raise TypeError(f"y must be integers, the numbers of the classes, got {labels.dtype}.")
    if labels.min() < 0:
        raise ValueError(f"y must be at least 0, got {labels.min()}.")
    return labels.astype(np.intp)
