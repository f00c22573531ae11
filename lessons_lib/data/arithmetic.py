"""A problem with a rule behind it: addition modulo a number, of which a part is shown."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from lessons_lib._validation import check_integer, check_interval

__all__ = ["ModularAddition", "modular_addition"]

IntArray = NDArray[np.int64]


class ModularAddition(NamedTuple):
    """The table of additions modulo a number, in two parts.

    Attributes
    ----------
    X_train, X_test : ndarray of int of shape (n_samples, 2)
        The two numbers.
    y_train, y_test : ndarray of int of shape (n_samples,)
        Their sum modulo `modulus`.
    modulus : int
    """

    X_train: IntArray
    X_test: IntArray
    y_train: IntArray
    y_test: IntArray
    modulus: int

    def one_hot(self, X: IntArray, *, dtype: DTypeLike = np.float64) -> NDArray[Any]:
        """Return each pair of numbers as two one-hot rows side by side.

        Parameters
        ----------
        X : ndarray of int of shape (n_samples, 2)
        dtype : default=float64

        Returns
        -------
        ndarray of shape (n_samples, 2 * modulus)
        """
        return np.eye(self.modulus, dtype=dtype)[X].reshape(len(X), -1)


def modular_addition(
    modulus: int = 23,
    train_fraction: float = 0.7,
    *,
    random_state: int | np.random.Generator | None = None,
) -> ModularAddition:
    r"""Return all pairs of numbers and their sums :math:`(a + b) \bmod p`, split at random.

    There is no noise and no repetition: a model that has learned the training part by heart knows
    nothing about the rest, and a model that has found the rule knows all of it. By chance it is
    right once in :math:`p` times.

    Parameters
    ----------
    modulus : int, default=23
        :math:`p`, at least 2; the table has :math:`p^2` rows.
    train_fraction : float, default=0.7
        Share of the table for training, above 0 and below 1; rounded to a number of rows.
    random_state : int, Generator or None, default=None
        Source of the order of the rows.

    Returns
    -------
    ModularAddition
        The two parts.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, or a part would be empty.

    References
    ----------
    A. Power et al., "Grokking: Generalization Beyond Overfitting on Small Algorithmic Datasets",
    2022.

    Examples
    --------
    >>> table = modular_addition(5, 0.6, random_state=0)
    >>> table.X_train.shape, table.X_test.shape
    ((15, 2), (10, 2))
    >>> bool(np.all(table.X_train.sum(axis=1) % 5 == table.y_train))
    True
    """
    p = check_integer("modulus", modulus, 2)
    n_train = round(check_interval("train_fraction", train_fraction, 0.0, 1.0) * p * p)
    if not 0 < n_train < p * p:
        raise ValueError(
            f"train_fraction must leave rows for training and test, got {train_fraction!r} "
            f"of {p * p} rows."
        )
    rows = np.random.default_rng(random_state).permutation(p * p)
    X = np.column_stack(np.divmod(rows, p))
    y = X.sum(axis=1) % p
    return ModularAddition(X[:n_train], X[n_train:], y[:n_train], y[n_train:], p)
