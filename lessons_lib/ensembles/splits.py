r"""How good a split is, and the search for the best one: the idea of a CART tree.

A split sends a part of the samples to the left and the rest to the right. It is as good as it
lowers the impurity, weighted by the number of samples :math:`n`:

.. math:: \Delta = n\,I - n_L\,I_L - n_R\,I_R .

All criteria here need nothing but sums over the samples on each side. Write :math:`S_c` for the
sum of the target's column :math:`c`: the number of samples of class :math:`c`, or the sum of
:math:`y` in regression. Then :math:`n I` is a constant, which cancels, minus a *score*:

- Gini impurity :math:`1 - \sum_c (S_c/n)^2` and variance :math:`\overline{y^2} - (S/n)^2` have the
  score :math:`\sum_c S_c^2 / n`. They are one criterion: the Gini impurity is the variance of the
  class written as a one-hot vector.
- Entropy :math:`-\sum_c (S_c/n) \log_2 (S_c/n)` has the score :math:`\sum_c S_c \log_2 (S_c/n)`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lessons_lib._validation import FloatArray

__all__ = [
    "CRITERIA",
    "best_splits",
    "entropy_score",
    "one_hot",
    "penalized_score",
    "square_score",
]

Score = Callable[[FloatArray, FloatArray], FloatArray]


def square_score(sums: FloatArray, n: FloatArray) -> FloatArray:
    r"""Return :math:`\sum_c S_c^2 / n`, the score of Gini impurity and of variance.

    Parameters
    ----------
    sums : ndarray of shape (n_columns, ...)
        Sums :math:`S_c` of the target's columns over a set of samples.
    n : ndarray of shape (...)
        Weight of that set, positive.

    Returns
    -------
    ndarray of shape (...)
        In squared units of the target.
    """
    squares: FloatArray = np.einsum("c...,c...->...", sums, sums)
    squares /= n
    return squares


def entropy_score(sums: FloatArray, n: FloatArray) -> FloatArray:
    r"""Return :math:`\sum_c S_c \log_2 (S_c / n)`, the score of entropy.

    Parameters
    ----------
    sums : ndarray of shape (n_columns, ...)
        Weights :math:`S_c` of the classes in a set of samples.
    n : ndarray of shape (...)
        Weight of that set, positive: the sum of `sums`.

    Returns
    -------
    ndarray of shape (...)
        In bits, times samples.
    """
    logarithms = np.log2(np.where(sums > 0.0, sums, 1.0))  # 0 log 0 = 0
    score: FloatArray = np.einsum("c...,c...->...", sums, logarithms) - n * np.log2(n)
    return score


def penalized_score(reg_lambda: float) -> Score:
    r"""Return the score :math:`\sum_c S_c^2 / (n + \lambda)` of a penalized leaf.

    The value :math:`v` of a leaf that minimizes
    :math:`\tfrac12 \sum_i w_i (y_i - v)^2 + \tfrac{\lambda}{2} v^2` is :math:`S / (n + \lambda)`,
    and the minimum is a constant minus half of this score. Two leaves pay the penalty twice, so
    that a split can also make things worse.

    Parameters
    ----------
    reg_lambda : float
        :math:`\lambda`, at least 0.

    Returns
    -------
    callable
        A score like `square_score`.

    References
    ----------
    T. Chen, C. Guestrin, "XGBoost: A Scalable Tree Boosting System", KDD 2016, equations 6 and 7.

    Examples
    --------
    >>> penalized_score(1.0)(np.array([[6.0]]), np.array([3.0]))
    array([9.])
    """

    def score(sums: FloatArray, n: FloatArray) -> FloatArray:
        return square_score(sums, n + reg_lambda)

    return score


CRITERIA: dict[str, Score] = {
    "gini": square_score,
    "entropy": entropy_score,
    "log_loss": entropy_score,
    "squared_error": square_score,
}
"""The score of each criterion, by scikit-learn's name for it."""


def one_hot(classes: NDArray[np.intp], n_classes: int) -> FloatArray:
    """Return class numbers as rows with a single one.

    Parameters
    ----------
    classes : ndarray of int of shape (n_samples,)
        Numbers from 0 to ``n_classes - 1``.
    n_classes : int

    Returns
    -------
    ndarray of shape (n_samples, n_classes)

    Examples
    --------
    >>> one_hot(np.array([1, 0]), 3)
    array([[0., 1., 0.],
           [1., 0., 0.]])
    """
    return np.eye(n_classes)[classes]


def best_splits(
    X: FloatArray,
    targets: FloatArray,
    weight: FloatArray,
    score: Score = square_score,
    min_samples_leaf: int = 1,
    min_weight_leaf: float = 0.0,
) -> tuple[FloatArray, FloatArray]:
    r"""Find the best threshold of every feature, by looking at all of them.

    Sorted by a feature, the samples left of any threshold are the first few. Cumulative sums
    therefore give the sums :math:`S_L` of all thresholds at once, and :math:`S_R = S - S_L`.

    Parameters
    ----------
    X : ndarray of shape (..., n_samples, n_features)
        At least two samples. Leading axes, if any, stack nodes with equally many samples.
    targets : ndarray of shape (..., n_samples, n_columns)
        One column of numbers, or the classes from `one_hot`.
    weight : ndarray of shape (..., n_samples)
        Weights of the samples, positive.
    score : callable, default=square_score
        `square_score` or `entropy_score`.
    min_samples_leaf : int, default=1
        Smallest number of samples, whatever their weight, on either side.
    min_weight_leaf : float, default=0.0
        Smallest weight on either side.

    Returns
    -------
    gain : ndarray of shape (..., n_features)
        The largest weighted decrease of impurity :math:`\Delta`; ``-inf`` where no split is
        possible because the feature is constant or a side would be too small.
    threshold : ndarray of shape (..., n_features)
        Samples with :math:`x \le` threshold go to the left. It lies halfway between two
        neighboring values; with equal gains, between the lowest.

    References
    ----------
    L. Breiman, J. Friedman, R. Olshen and C. Stone, "Classification and Regression Trees" (1984),
    sections 2.4 and 8.4.

    Examples
    --------
    >>> X = np.array([[1.0, 5.0], [2.0, 3.0], [3.0, 4.0], [4.0, 6.0]])
    >>> gain, threshold = best_splits(X, one_hot(np.array([0, 0, 1, 1]), 2), np.ones(4))
    >>> gain.round(3), threshold
    (array([2.   , 0.667]), array([2.5, 3.5]))
    """
    order = X.argsort(axis=-2, kind="stable")
    x = np.take_along_axis(X, order, axis=-2)
    weight = weight[..., None]
    n = np.take_along_axis(weight, order, axis=-2).cumsum(axis=-2)
    columns = np.moveaxis(weight * targets, -1, 0)[..., None]
    sums = np.take_along_axis(columns, order[None], axis=-2).cumsum(axis=-2)

    # Row i is a threshold between the samples i and i + 1.
    left, n_left = sums[..., :-1, :], n[..., :-1, :]
    right, n_right = sums[..., -1:, :] - left, n[..., -1:, :] - n_left
    with np.errstate(invalid="ignore", divide="ignore"):  # 0 / 0 where rounding empties a side
        gain = score(left, n_left) + score(right, n_right)

    n_samples = X.shape[-2]
    n_samples_left = np.arange(1, n_samples)[:, None]
    allowed = (x[..., 1:, :] > x[..., :-1, :]) & (n_right > 0)
    if min_weight_leaf:
        allowed &= (n_left >= min_weight_leaf) & (n_right >= min_weight_leaf)
    allowed &= n_samples_left >= min_samples_leaf
    allowed &= n_samples - n_samples_left >= min_samples_leaf
    gain[~allowed] = -np.inf

    best = gain.argmax(axis=-2)[..., None, :]
    low, high, best_gain = (
        np.take_along_axis(array, at, axis=-2)[..., 0, :]
        for array, at in ((x, best), (x, best + 1), (gain, best))
    )
    return best_gain - score(sums[..., -1, :], n[..., -1, :]), halfway(low, high)


def halfway(low: FloatArray, high: FloatArray) -> FloatArray:
    """Return the middle of two numbers, or `low` where rounding would give `high`.

    Parameters
    ----------
    low, high : ndarray
        Numbers of which `high` is the larger.

    Returns
    -------
    ndarray
        Not less than `low` and less than `high`.
    """
    middle = low / 2.0 + high / 2.0  # the sum itself could overflow
    return np.where(middle < high, middle, low)
