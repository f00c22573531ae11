"""Divide rows into parts: training, validation, test; and folds for cross-validation."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils.validation import _num_samples

from lessons_lib._validation import check_flag

__all__ = ["KFold", "Splitter", "StratifiedKFold", "train_validation_test_split"]

FloatArray = NDArray[np.float64]


IntArray = NDArray[np.intp]


RandomState = int | np.random.Generator | None


Loss = Callable[[Any, Any], float]


class Splitter(Protocol):
    """What a cross-validation splitter must offer; scikit-learn's splitters do."""

    def split(self, X: Any, y: Any = None) -> Iterator[tuple[IntArray, IntArray]]:
        """Yield pairs of row indices: training rows, validation rows."""


def train_validation_test_split(
    X: ArrayLike,
    y: ArrayLike,
    *,
    sizes: Sequence[float] = (0.6, 0.2, 0.2),
    random_state: RandomState = None,
    stratify: ArrayLike | None = None,
) -> tuple[Any, ...]:
    """Split the rows at random into a training, a validation and a test part.

    Fit on the first, choose between models on the second, and look at the third once, at the end.

    Parameters
    ----------
    X : array-like or data frame of shape (n_samples, n_features)
        Features.
    y : array-like or series of shape (n_samples,)
        Targets.
    sizes : sequence of 3 floats, default=(0.6, 0.2, 0.2)
        Fractions of the rows, positive, with sum 1.
    random_state : int, Generator or None, default=None
        Source of the shuffle.
    stratify : array-like of shape (n_samples,) or None, default=None
        Class of each row (usually `y`). If given, each class is spread over the parts in
        the proportions `sizes`, up to rounding.

    Returns
    -------
    X_train, X_validation, X_test, y_train, y_validation, y_test : ndarrays or data frames
        The parts, in the order that scikit-learn's ``train_test_split`` uses. Of a data frame they
        are data frames.

    Raises
    ------
    ValueError
        If lengths differ, `sizes` are not three positive fractions with sum 1, or a part would
        be empty.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.arange(20).reshape(10, 2), np.arange(10)
    >>> parts = train_validation_test_split(X, y, random_state=0)
    >>> [len(part) for part in parts]
    [6, 2, 2, 6, 2, 2]
    """
    features, targets = check_rows(X, y)
    fractions = np.asarray(sizes, dtype=np.float64)
    if fractions.shape != (3,) or np.any(fractions <= 0) or not np.isclose(fractions.sum(), 1):
        raise ValueError(f"sizes must be three positive fractions with sum 1, got {sizes!r}.")
    n_samples = len(targets)
    cuts = np.rint(n_samples * np.cumsum(fractions)[:2]).astype(int)
    if not 0 < cuts[0] < cuts[1] < n_samples:
        raise ValueError(f"sizes={sizes!r} would leave a part of the {n_samples} rows empty.")

    rng = np.random.default_rng(random_state)
    order = rng.permutation(n_samples)
    if stratify is not None:
        labels = np.asarray(stratify)
        if labels.shape != (n_samples,):
            raise ValueError(f"stratify must have shape ({n_samples},), got {labels.shape}.")
        order = _interleave_classes(order, labels)
    # The interleaved order is not random within a part, so each part is shuffled once more.
    parts = [rng.permutation(part) for part in np.split(order, cuts)]
    return tuple(take_rows(table, part) for table in (features, targets) for part in parts)


def _interleave_classes(order: IntArray, labels: NDArray[Any]) -> IntArray:
    """Reorder so that every stretch contains the classes in their overall proportions.

    The i-th of the n_c rows of a class moves to the relative position (i + 1/2) / n_c.
    """
    position = np.empty(len(order))
    for label in np.unique(labels):
        members = order[labels[order] == label]
        position[members] = (np.arange(len(members)) + 0.5) / len(members)
    return order[np.argsort(position[order], kind="stable")]


class KFold:
    """Cut the rows into folds; each is the validation set once, the others train.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    shuffle : bool, default=False
        Whether to shuffle the rows first. Without it the folds are contiguous, which is wrong for
        sorted data and right for data whose neighbors belong together.
    random_state : int, RandomState or None, default=None
        Source of the shuffle, in scikit-learn's sense, so that the folds are the same as those of
        ``sklearn.model_selection.KFold``. Must stay None if `shuffle` is False.

    Raises
    ------
    ValueError
        If `n_splits` is not an int of at least 2, or `random_state` is given without `shuffle`.

    References
    ----------
    T. Hastie, R. Tibshirani, J. Friedman (2009). The Elements of Statistical Learning, 2nd
    edition, section 7.10.1.

    Examples
    --------
    >>> for train, validation in KFold(n_splits=3).split([[0], [1], [2], [3], [4]]):
    ...     print(train, validation)
    [2 3 4] [0 1]
    [0 1 4] [2 3]
    [0 1 2 3] [4]
    """

    def __init__(
        self,
        n_splits: int = 5,
        *,
        shuffle: bool = False,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        if not isinstance(n_splits, int | np.integer) or n_splits < 2:  # True is less than 2
            raise ValueError(f"n_splits must be an int >= 2, got {n_splits!r}.")
        if random_state is not None and not check_flag("shuffle", shuffle):
            raise ValueError(
                f"random_state={random_state!r} has no effect with shuffle=False: "
                "leave it out or set shuffle=True."
            )
        self.n_splits = n_splits
        self.shuffle = check_flag("shuffle", shuffle)
        self.random_state = random_state

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(n_splits={self.n_splits}, shuffle={self.shuffle}, "
            f"random_state={self.random_state})"
        )

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds (scikit-learn asks for it; the arguments are ignored)."""
        return self.n_splits

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[IntArray, IntArray]]:
        """Yield the row indices of the training and of the validation part of each fold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features; only their number of rows matters.
        y : array-like of shape (n_samples,), optional
            Targets; used by `StratifiedKFold` only.
        groups : None
            Ignored.

        Yields
        ------
        train, validation : ndarrays of int
            Row indices in increasing order.

        Raises
        ------
        ValueError
            If there are fewer rows than folds; stratified, if that is so for every class.

        Warns
        -----
        UserWarning
            If a class has fewer rows than there are folds: some folds have none of it.
        """
        fold_of_row = self._assign_folds(X, y)
        for fold in range(self.n_splits):
            yield np.flatnonzero(fold_of_row != fold), np.flatnonzero(fold_of_row == fold)

    def _assign_folds(self, X: Any, y: Any) -> IntArray:
        """Return the fold of each row; the first folds get the rows that do not divide evenly."""
        n_samples = _num_samples(X)
        if n_samples < self.n_splits:
            raise ValueError(f"n_splits={self.n_splits} is more than the {n_samples} rows of X.")
        order = np.arange(n_samples)
        if self.shuffle:
            check_random_state(self.random_state).shuffle(order)
        fold_of_row = np.empty(n_samples, dtype=np.intp)
        for fold, rows in enumerate(np.array_split(order, self.n_splits)):
            fold_of_row[rows] = fold
        return fold_of_row


class StratifiedKFold(KFold):
    """K-fold for classification: every fold has the classes in their overall proportions.

    A class that makes up 5 % of the data has one row in a fold of 20 on average, but a third of
    all plain shuffled folds have none; stratified folds all have one. Parameters and errors are
    those of `KFold`, but ``split`` needs `y`; where a class has fewer rows than there are folds, it
    warns. The folds are the same as those of
    ``sklearn.model_selection.StratifiedKFold``.

    Examples
    --------
    >>> y = [0, 0, 0, 0, 1, 1]
    >>> for train, validation in StratifiedKFold(n_splits=2).split(y, y):
    ...     print(train, validation)
    [2 3 5] [0 1 4]
    [0 1 4] [2 3 5]
    """

    def _assign_folds(self, X: Any, y: Any) -> IntArray:
        """Sort the rows by class and deal them out like cards, one to each fold in turn."""
        if y is None:
            raise ValueError("y must hold the class of each row, got None.")
        labels = np.asarray(y)
        if labels.ndim == 2 and labels.shape[1] == 1:
            labels = labels[:, 0]
        if labels.ndim != 1 or len(labels) != _num_samples(X):
            raise ValueError(
                f"X and y must have the same number of rows, got {_num_samples(X)} rows and y of "
                f"shape {labels.shape}."
            )
        classes = dict.fromkeys(labels.tolist())  # in the order of their first appearance
        rows_of_class = [np.flatnonzero(labels == label) for label in classes]
        sizes = [len(rows) for rows in rows_of_class]
        if max(sizes) < self.n_splits:
            raise ValueError(
                f"n_splits={self.n_splits} is more than the {max(sizes)} rows of the largest class."
            )
        if min(sizes) < self.n_splits:
            warnings.warn(
                f"The rarest class has {min(sizes)} rows, fewer than n_splits={self.n_splits}: not "
                "every fold has one.",
                UserWarning,
                stacklevel=3,
            )

        rng = check_random_state(self.random_state)
        fold_of_row = np.empty(len(labels), dtype=np.intp)
        n_dealt = 0
        for rows in rows_of_class:
            # Dealing fixes how many rows of the class each fold gets; which ones, chance or order.
            folds = np.sort((n_dealt + np.arange(len(rows))) % self.n_splits)
            if self.shuffle:
                rng.shuffle(folds)
            fold_of_row[rows] = folds
            n_dealt += len(rows)
        return fold_of_row


def check_rows(X: Any, y: Any) -> tuple[Any, Any]:
    """Return both as something whose rows can be taken, after checking that they match.

    Parameters
    ----------
    X, y : array-like, data frame or sparse matrix
        Frames and sparse matrices stay what they are, so that a pipeline may ask for columns by
        name; anything else becomes an array.

    Returns
    -------
    X, y : ndarray, data frame or sparse matrix

    Raises
    ------
    ValueError
        If they differ in the number of rows, or have no rows.
    """
    X, y = (rows if _is_table(rows) else np.asarray(rows) for rows in (X, y))
    if not X.shape or not y.shape or X.shape[0] != y.shape[0]:
        raise ValueError(
            f"X and y must have the same number of rows, got shapes {X.shape} and {y.shape}."
        )
    return X, y


def _is_table(values: Any) -> bool:
    """Whether ``values`` is a data frame, a series or a sparse matrix."""
    return hasattr(values, "iloc") or hasattr(values, "__dataframe__") or issparse(values)


def take_rows(values: Any, rows: IntArray) -> Any:
    """Return some rows of an array, data frame or sparse matrix, as the same kind of thing."""
    return values[rows] if isinstance(values, np.ndarray) else _safe_indexing(values, rows)
