r"""Measure models on rows they have not seen: cross-validation, curves.

Everything here works with any scikit-learn-compatible estimator. Two conventions hold throughout.

- A **loss** is a function ``loss(y_true, y_pred) -> float`` for which *smaller is better*, as for
  the objective that a model minimizes. (scikit-learn's model selection maximizes *scores*, and
  therefore reports mean squared errors with a minus sign.) Any metric of this form can be used,
  for example ``mean_squared_error`` or ``zero_one_loss`` of ``sklearn.metrics``.
- **Repetitions lie along the last axis**: folds or repeats.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone, is_classifier
from sklearn.metrics import mean_squared_error

from lessons_lib._validation import check_integer, check_interval
from lessons_lib.measure.splits import KFold, Splitter, StratifiedKFold, check_rows, take_rows

__all__ = ["cross_val_loss", "learning_curve", "validation_curve"]

FloatArray = NDArray[np.float64]


IntArray = NDArray[np.intp]


RandomState = int | np.random.Generator | None


Loss = Callable[[Any, Any], float]


def cross_val_loss(
    estimator: Any,
    X: ArrayLike,
    y: ArrayLike,
    *,
    cv: int | Splitter,
    loss: Loss = mean_squared_error,
) -> FloatArray:
    r"""Estimate the loss on new data by cross-validation.

    For each fold :math:`k` a fresh copy of the estimator is fitted to all other folds and
    evaluated on this one:

    .. math:: \text{CV}_k = L\big(y_{(k)},\; \hat f_{-k}(X_{(k)})\big).

    Parameters
    ----------
    estimator : scikit-learn-compatible estimator
        It is cloned, never fitted itself. Everything that learns from data (scaling, feature
        selection, ...) must be inside of it, as a pipeline: what happens before this call has
        seen the validation rows.
    X : array-like or data frame of shape (n_samples, n_features)
        Features. A data frame stays one, so that the estimator may ask for columns by name.
    y : array-like of shape (n_samples,)
        Targets.
    cv : int or splitter
        For example ``KFold(5, shuffle=True, random_state=0)``. It is asked for explicitly since
        the right split depends on the data, not on a default. A number of folds means, as in
        scikit-learn, folds of neighboring rows, stratified for a classifier.
    loss : callable, default=sklearn.metrics.mean_squared_error
        ``loss(y_true, y_pred) -> float``, smaller is better.

    Returns
    -------
    ndarray of shape (n_folds,)
        The validation loss of each fold.

    Raises
    ------
    TypeError
        If `cv` is neither a number nor a splitter, or `loss` is not callable.
    ValueError
        If `X` and `y` differ in length.

    References
    ----------
    M. Stone (1974). Cross-validatory choice and assessment of statistical predictions. Journal
    of the Royal Statistical Society B 36(2), 111-147.
    """
    _, validation_losses = _fit_folds(estimator, *_draw_folds(estimator, X, y, cv, loss), loss)
    return validation_losses


def validation_curve(
    estimator: Any,
    X: ArrayLike,
    y: ArrayLike,
    *,
    param_name: str,
    param_range: Sequence[Any] | NDArray[Any],
    cv: int | Splitter,
    loss: Loss = mean_squared_error,
) -> tuple[FloatArray, FloatArray]:
    """Measure training and validation loss as one parameter varies.

    Every value is measured on the same folds, so that differences between values are not
    differences between splits; `cv` must therefore give the same folds each time it is asked
    (an int as its `random_state`).

    Parameters
    ----------
    estimator : scikit-learn-compatible estimator
        It is cloned, never changed.
    X : array-like or data frame of shape (n_samples, n_features)
        Features. A data frame stays one, so that the estimator may ask for columns by name.
    y : array-like of shape (n_samples,)
        Targets.
    param_name : str
        The parameter, as ``set_params`` knows it; for a step of a pipeline ``"step__parameter"``.
    param_range : sequence
        Its values.
    cv : int or splitter
        For example ``KFold(5, shuffle=True, random_state=0)``; a number as in `cross_val_loss`.
    loss : callable, default=sklearn.metrics.mean_squared_error
        ``loss(y_true, y_pred) -> float``, smaller is better.

    Returns
    -------
    train_losses, validation_losses : ndarrays of shape (n_params, n_folds)
        One row for each value in `param_range`.

    Raises
    ------
    TypeError
        If `cv` is neither a number nor a splitter, or `loss` is not callable.
    ValueError
        If `param_range` is empty or the estimator has no parameter `param_name`.
    """
    if len(param_range) == 0:
        raise ValueError("param_range must contain at least one value, got none.")
    # The folds are drawn once; each value then gets the same list.
    data = _draw_folds(estimator, X, y, cv, loss)
    rows = [
        _fit_folds(clone(estimator).set_params(**{param_name: value}), *data, loss)
        for value in param_range
    ]
    train_losses, validation_losses = (np.stack(column) for column in zip(*rows, strict=True))
    return train_losses, validation_losses


def learning_curve(
    estimator: Any,
    X: ArrayLike,
    y: ArrayLike,
    *,
    train_sizes: Sequence[int] | IntArray,
    test_size: float = 0.25,
    n_repeats: int = 10,
    random_state: RandomState = None,
    loss: Loss = mean_squared_error,
) -> tuple[FloatArray, FloatArray]:
    """Measure training and test loss as the number of training rows grows.

    Each repeat shuffles the rows, holds out a test part, and fits to the first `n` of the
    remaining rows for each `n` in `train_sizes`: within a repeat the training sets are nested
    and the test rows are the same.

    Parameters
    ----------
    estimator : scikit-learn-compatible estimator
        It is cloned, never fitted itself.
    X : array-like or data frame of shape (n_samples, n_features)
        Features. A data frame stays one, so that the estimator may ask for columns by name.
    y : array-like of shape (n_samples,)
        Targets.
    train_sizes : sequence of int
        Numbers of training rows, each at least 1.
    test_size : float, default=0.25
        Fraction of the rows held out in each repeat, between 0 and 1.
    n_repeats : int, default=10
        Number of random splits.
    random_state : int, Generator or None, default=None
        Source of the splits.
    loss : callable, default=sklearn.metrics.mean_squared_error
        ``loss(y_true, y_pred) -> float``, smaller is better.

    Returns
    -------
    train_losses, test_losses : ndarrays of shape (n_sizes, n_repeats)
        One row for each value in `train_sizes`.

    Raises
    ------
    TypeError
        If `loss` is not callable.
    ValueError
        If a training size is below 1 or more than what the test part leaves, or another
        argument is out of range.

    Notes
    -----
    The repeats draw from the same rows and so are not independent: an interval over them
    describes how much the result depends on the split, and is too narrow for a statement about
    new data sets (Nadeau & Bengio, 2003).

    References
    ----------
    C. Nadeau, Y. Bengio (2003). Inference for the generalization error. Machine Learning 52,
    239-281.
    """
    features, targets = check_rows(X, np.asarray(y))
    n_samples = len(targets)
    _check_loss(loss)
    n_repeats = check_integer("n_repeats", n_repeats, 1)
    if not 0 < check_interval("test_size", test_size, -np.inf) < 1:
        raise ValueError(f"test_size must be between 0 and 1, got {test_size!r}.")
    sizes = np.asarray(train_sizes)
    n_test = int(np.ceil(test_size * n_samples))
    n_available = n_samples - n_test
    if sizes.ndim != 1 or sizes.size == 0 or not np.issubdtype(sizes.dtype, np.integer):
        raise ValueError(f"train_sizes must be a non-empty list of ints, got {train_sizes!r}.")
    if sizes.min() < 1 or sizes.max() > n_available:
        raise ValueError(
            f"train_sizes must be from 1 to {n_available} ({n_samples} rows less {n_test} for "
            f"testing), got {sizes.min()} to {sizes.max()}."
        )

    rng = np.random.default_rng(random_state)
    train_losses = np.empty((len(sizes), n_repeats))
    test_losses = np.empty((len(sizes), n_repeats))
    for repeat in range(n_repeats):
        order = rng.permutation(n_samples)
        test, available = order[:n_test], order[n_test:]
        for i, size in enumerate(sizes):
            train_losses[i, repeat], test_losses[i, repeat] = _fit_and_measure(
                estimator, features, targets, available[:size], test, loss
            )
    return train_losses, test_losses


Folds = list[tuple[IntArray, IntArray]]


def _draw_folds(
    estimator: Any, X: Any, y: Any, cv: int | Splitter, loss: Loss
) -> tuple[Any, NDArray[Any], Folds]:
    """Check the arguments; return the data and the rows of each fold."""
    splitter = _check_cv(cv, estimator)
    _check_loss(loss)
    features, targets = check_rows(X, np.asarray(y))
    return features, targets, list(splitter.split(features, targets))


def _fit_folds(
    estimator: Any, X: Any, y: NDArray[Any], folds: Folds, loss: Loss
) -> tuple[FloatArray, FloatArray]:
    """Return the training and the validation loss of each fold."""
    pairs = [
        _fit_and_measure(estimator, X, y, train, validation, loss) for train, validation in folds
    ]
    train_losses, validation_losses = np.array(pairs, dtype=np.float64).T
    return train_losses, validation_losses


def _fit_and_measure(
    estimator: Any, X: Any, y: NDArray[Any], train: IntArray, test: IntArray, loss: Loss
) -> tuple[float, float]:
    """Fit a fresh copy to the rows `train`; return its loss on these and on the rows `test`."""
    X_train, X_test = take_rows(X, train), take_rows(X, test)
    model = clone(estimator).fit(X_train, y[train])
    return loss(y[train], model.predict(X_train)), loss(y[test], model.predict(X_test))


def _check_cv(cv: Any, estimator: Any) -> Splitter:
    """Return a splitter; a number of folds means what it does in scikit-learn."""
    if hasattr(cv, "split") and not isinstance(cv, str):
        splitter: Splitter = cv
        return splitter
    if isinstance(cv, bool) or not isinstance(cv, numbers.Integral):
        raise TypeError(f"cv must be a number of folds or a splitter such as KFold(5), got {cv!r}.")
    n_splits = check_integer("cv", cv, 2)
    return StratifiedKFold(n_splits) if is_classifier(estimator) else KFold(n_splits)


def _check_loss(loss: Any) -> None:
    if not callable(loss):
        raise TypeError(f"loss must be a callable loss(y_true, y_pred), got {loss!r}.")
