r"""Honest measurement: splits, cross-validation, learning curves, bias and variance, intervals.

Everything here works with any scikit-learn-compatible estimator. Two conventions hold throughout.

- A **loss** is a function ``loss(y_true, y_pred) -> float`` for which *smaller is better*, as for
  the objective that a model minimizes. (scikit-learn's model selection maximizes *scores*, and
  therefore reports mean squared errors with a minus sign.) Any metric of this form can be used,
  for example ``mean_squared_error`` or ``zero_one_loss`` of ``sklearn.metrics``.
- **Repetitions lie along the last axis**: folds, repeats or seeds. `mean_confidence_interval` and
  `paired_difference` reduce that axis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from sklearn.base import clone
from sklearn.metrics import mean_squared_error
from sklearn.utils import check_random_state

from lessons_lib.datasets import RegressionProblem

__all__ = [
    "BiasVariance",
    "ConfidenceInterval",
    "KFold",
    "StratifiedKFold",
    "bias_variance_decomposition",
    "cross_val_loss",
    "learning_curve",
    "mean_confidence_interval",
    "one_standard_error_rule",
    "paired_difference",
    "train_validation_test_split",
    "validation_curve",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
RandomState = int | np.random.Generator | None
Loss = Callable[[Any, Any], float]


class Splitter(Protocol):
    """What a cross-validation splitter must offer; scikit-learn's splitters do."""

    def split(self, X: Any, y: Any = None) -> Iterator[tuple[IntArray, IntArray]]:
        """Yield pairs of row indices: training rows, validation rows."""


# --------------------------------------------------------------------------- splits


def train_validation_test_split(
    X: ArrayLike,
    y: ArrayLike,
    *,
    sizes: Sequence[float] = (0.6, 0.2, 0.2),
    random_state: RandomState = None,
    stratify: ArrayLike | None = None,
) -> tuple[NDArray[Any], ...]:
    """Split the rows at random into a training, a validation and a test part.

    Fit on the first, choose between models on the second, and look at the third once, at the end.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Features.
    y : array-like of shape (n_samples,)
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
    X_train, X_validation, X_test, y_train, y_validation, y_test : ndarrays
        The parts, in the order that scikit-learn's ``train_test_split`` uses.

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
    X, y = _as_matching_arrays(X, y)
    fractions = np.asarray(sizes, dtype=np.float64)
    if fractions.shape != (3,) or np.any(fractions <= 0) or not np.isclose(fractions.sum(), 1):
        raise ValueError(f"sizes must be three positive fractions with sum 1, got {sizes!r}.")
    n_samples = len(X)
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
    return (*(X[part] for part in parts), *(y[part] for part in parts))


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
        if not isinstance(n_splits, int | np.integer) or n_splits < 2:
            raise ValueError(f"n_splits must be an int >= 2, got {n_splits!r}.")
        if random_state is not None and not shuffle:
            raise ValueError(
                f"random_state={random_state!r} has no effect with shuffle=False: "
                "leave it out or set shuffle=True."
            )
        self.n_splits = n_splits
        self.shuffle = shuffle
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
            If there are fewer rows (or, stratified, fewer of a class) than folds.
        """
        fold_of_row = self._assign_folds(X, y)
        for fold in range(self.n_splits):
            yield np.flatnonzero(fold_of_row != fold), np.flatnonzero(fold_of_row == fold)

    def _assign_folds(self, X: Any, y: Any) -> IntArray:
        """Return the fold of each row; the first folds get the rows that do not divide evenly."""
        n_samples = len(X)
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
    those of `KFold`, but ``split`` needs `y`. The folds are the same as those of
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
        X, y = _as_matching_arrays(X, y)
        classes = dict.fromkeys(y.tolist())  # in the order of their first appearance
        rows_of_class = [np.flatnonzero(y == label) for label in classes]
        smallest = min(len(rows) for rows in rows_of_class)
        if smallest < self.n_splits:
            raise ValueError(
                f"n_splits={self.n_splits} is more than the {smallest} rows of the rarest class."
            )

        rng = check_random_state(self.random_state)
        fold_of_row = np.empty(len(y), dtype=np.intp)
        n_dealt = 0
        for rows in rows_of_class:
            # Dealing fixes how many rows of the class each fold gets; which ones, chance or order.
            folds = np.sort((n_dealt + np.arange(len(rows))) % self.n_splits)
            if self.shuffle:
                rng.shuffle(folds)
            fold_of_row[rows] = folds
            n_dealt += len(rows)
        return fold_of_row


# --------------------------------------------------------------------------- cross-validation


def cross_val_loss(
    estimator: Any,
    X: ArrayLike,
    y: ArrayLike,
    *,
    cv: Splitter,
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
    X : array-like of shape (n_samples, n_features)
        Features.
    y : array-like of shape (n_samples,)
        Targets.
    cv : splitter
        For example ``KFold(5, shuffle=True, random_state=0)``. It is asked for explicitly since
        the right split depends on the data, not on a default.
    loss : callable, default=sklearn.metrics.mean_squared_error
        ``loss(y_true, y_pred) -> float``, smaller is better.

    Returns
    -------
    ndarray of shape (n_folds,)
        The validation loss of each fold.

    Raises
    ------
    TypeError
        If `cv` is not a splitter or `loss` is not callable.
    ValueError
        If `X` and `y` differ in length.

    References
    ----------
    M. Stone (1974). Cross-validatory choice and assessment of statistical predictions. Journal
    of the Royal Statistical Society B 36(2), 111-147.
    """
    _, validation_losses = _fit_folds(estimator, X, y, cv, loss)
    return validation_losses


def validation_curve(
    estimator: Any,
    X: ArrayLike,
    y: ArrayLike,
    *,
    param_name: str,
    param_range: Sequence[Any] | NDArray[Any],
    cv: Splitter,
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
    X : array-like of shape (n_samples, n_features)
        Features.
    y : array-like of shape (n_samples,)
        Targets.
    param_name : str
        The parameter, as ``set_params`` knows it; for a step of a pipeline ``"step__parameter"``.
    param_range : sequence
        Its values.
    cv : splitter
        For example ``KFold(5, shuffle=True, random_state=0)``.
    loss : callable, default=sklearn.metrics.mean_squared_error
        ``loss(y_true, y_pred) -> float``, smaller is better.

    Returns
    -------
    train_losses, validation_losses : ndarrays of shape (n_params, n_folds)
        One row for each value in `param_range`.

    Raises
    ------
    TypeError
        If `cv` is not a splitter or `loss` is not callable.
    ValueError
        If `param_range` is empty or the estimator has no parameter `param_name`.
    """
    if len(param_range) == 0:
        raise ValueError("param_range must contain at least one value, got none.")
    # The folds are drawn once; each value then gets the same list.
    _check_cv_and_loss(cv, loss)
    X, y = _as_matching_arrays(X, y)
    folds = _FixedFolds(list(cv.split(X, y)))
    rows = [
        _fit_folds(clone(estimator).set_params(**{param_name: value}), X, y, folds, loss)
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
    X : array-like of shape (n_samples, n_features)
        Features.
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
    X, y = _as_matching_arrays(X, y)
    if not callable(loss):
        raise TypeError(f"loss must be a callable loss(y_true, y_pred), got {loss!r}.")
    if n_repeats < 1:
        raise ValueError(f"n_repeats must be at least 1, got {n_repeats!r}.")
    if not 0 < test_size < 1:
        raise ValueError(f"test_size must be between 0 and 1, got {test_size!r}.")
    sizes = np.asarray(train_sizes)
    n_test = int(np.ceil(test_size * len(X)))
    n_available = len(X) - n_test
    if sizes.ndim != 1 or sizes.size == 0 or not np.issubdtype(sizes.dtype, np.integer):
        raise ValueError(f"train_sizes must be a non-empty list of ints, got {train_sizes!r}.")
    if sizes.min() < 1 or sizes.max() > n_available:
        raise ValueError(
            f"train_sizes must be from 1 to {n_available} ({len(X)} rows less {n_test} for "
            f"testing), got {sizes.min()} to {sizes.max()}."
        )

    rng = np.random.default_rng(random_state)
    train_losses = np.empty((len(sizes), n_repeats))
    test_losses = np.empty((len(sizes), n_repeats))
    for repeat in range(n_repeats):
        order = rng.permutation(len(X))
        test, available = order[:n_test], order[n_test:]
        for i, size in enumerate(sizes):
            train_losses[i, repeat], test_losses[i, repeat] = _fit_and_measure(
                estimator, X, y, available[:size], test, loss
            )
    return train_losses, test_losses


def one_standard_error_rule(losses: ArrayLike, *, complexity: ArrayLike) -> int:
    r"""Choose the simplest model that is within one standard error of the best.

    With the mean :math:`\bar L_j` and standard deviation :math:`s_j` of the losses of model
    :math:`j` over :math:`K` folds, and the best model :math:`b = \arg\min_j \bar L_j`, the rule
    takes the least complex model with

    .. math:: \bar L_j \le \bar L_b + s_b / \sqrt{K}.

    Parameters
    ----------
    losses : array-like of shape (n_models, n_folds)
        Validation losses, for example from `validation_curve`; at least 2 folds.
    complexity : array-like of shape (n_models,)
        A number for each model that grows with its complexity: the degree of a polynomial as it
        is, for a penalty strength its negative. Among equally complex models the one with
        the smaller mean loss is taken.

    Returns
    -------
    int
        Index of the chosen model.

    Raises
    ------
    ValueError
        If the shapes do not fit or a value is not finite.

    Notes
    -----
    The standard error is the usual one, as if folds were independent. They share training
    rows, so it is only a rough guide; the rule is a preference for simplicity with a plausible
    tolerance, not a test.

    References
    ----------
    L. Breiman, J. Friedman, R. Olshen, C. Stone (1984). Classification and Regression Trees,
    section 3.4.3.

    T. Hastie, R. Tibshirani, J. Friedman (2009). The Elements of Statistical Learning, 2nd
    edition, section 7.10.1.

    Examples
    --------
    >>> losses = [[9.0, 11.0], [4.0, 6.0], [3.5, 5.5], [5.0, 7.0]]
    >>> one_standard_error_rule(losses, complexity=[1, 2, 3, 4])
    1
    """
    losses = np.asarray(losses, dtype=np.float64)
    complexity = np.asarray(complexity, dtype=np.float64)
    if losses.ndim != 2 or losses.shape[0] == 0 or losses.shape[1] < 2:
        raise ValueError(f"losses must have shape (n_models, n_folds >= 2), got {losses.shape}.")
    if complexity.shape != losses.shape[:1]:
        raise ValueError(f"complexity must have shape {losses.shape[:1]}, got {complexity.shape}.")
    if not (np.all(np.isfinite(losses)) and np.all(np.isfinite(complexity))):
        raise ValueError("losses and complexity must be finite, got NaN or infinity.")
    means = losses.mean(axis=1)
    best = int(np.argmin(means))
    threshold = means[best] + stats.sem(losses[best])
    candidates = np.flatnonzero(means <= threshold)
    # Sort by complexity, then by loss; take the first.
    return int(candidates[np.lexsort((means[candidates], complexity[candidates]))[0]])


# --------------------------------------------------------------------------- bias and variance


@dataclass(frozen=True, eq=False)
class BiasVariance:
    """The result of `bias_variance_decomposition`.

    Numbers are averages over the test inputs, in squared units of `y`; each
    ``..._standard_error`` is the Monte-Carlo standard error of the number it is named after.

    Parameters
    ----------
    bias_squared, variance, noise : float
        The three terms. `noise` is known exactly; the other two are unbiased estimates.
    expected_error : float
        Mean squared error on fresh noisy targets, measured with other training sets than those
        behind the three terms.
    bias_squared_standard_error, variance_standard_error : float
        Standard errors of the two terms.
    predicted_error_standard_error : float
        Standard error of the sum of the three terms.
    expected_error_standard_error : float
        Standard error of the measured error.
    predictions : ndarray of shape (n_repeats, n_test)
        Row r holds the predictions of the model that was fitted to training set r.
    bias_squared_per_point, variance_per_point, expected_error_per_point : ndarrays of (n_test,)
        The same quantities at each test input.
    """

    bias_squared: float
    variance: float
    noise: float
    expected_error: float
    bias_squared_standard_error: float
    variance_standard_error: float
    predicted_error_standard_error: float
    expected_error_standard_error: float
    predictions: FloatArray
    bias_squared_per_point: FloatArray
    variance_per_point: FloatArray
    expected_error_per_point: FloatArray

    @property
    def predicted_error(self) -> float:
        """The sum that the theory predicts: bias² + variance + noise."""
        return self.bias_squared + self.variance + self.noise

    @property
    def discrepancy(self) -> float:
        """Measured less predicted error; zero but for Monte-Carlo error."""
        return self.expected_error - self.predicted_error

    @property
    def discrepancy_standard_error(self) -> float:
        """Standard error of the discrepancy (its two parts share no random number)."""
        return float(
            np.hypot(self.predicted_error_standard_error, self.expected_error_standard_error)
        )


def bias_variance_decomposition(
    estimator: Any,
    problem: RegressionProblem,
    *,
    n_train: int,
    X_test: ArrayLike,
    n_repeats: int = 200,
    random_state: RandomState = None,
) -> BiasVariance:
    r"""Measure bias, variance and the expected error by simulation.

    For a model :math:`\hat f_D` fitted to a random training set :math:`D`, a test input :math:`x`
    and a fresh target :math:`y = f(x) + \varepsilon` with noise variance :math:`\sigma^2`,

    .. math::
        \underbrace{\mathbb{E}\big[(y - \hat f_D(x))^2\big]}_{\text{expected error}}
        = \underbrace{\big(\mathbb{E}_D[\hat f_D(x)] - f(x)\big)^2}_{\text{bias}^2}
        + \underbrace{\operatorname{Var}_D[\hat f_D(x)]}_{\text{variance}}
        + \underbrace{\sigma^2}_{\text{noise}}.

    The right-hand side is estimated from :math:`R` fits to fresh training sets. The left-hand
    side is measured on fresh noisy targets with :math:`R` *other* fits, so that the equality can
    be tested rather than being true by algebra.

    Parameters
    ----------
    estimator : scikit-learn-compatible regressor
        It is cloned for each fit. If it has a `random_state` of its own, an int there
        keeps its randomness the same in all fits: only the training data vary.
    problem : RegressionProblem
        Where training sets, noise and the truth come from.
    n_train : int
        Number of rows of each training set.
    X_test : array-like of shape (n_test, 1)
        The test inputs.
    n_repeats : int, default=200
        The number :math:`R` of fits for each side, at least 3.
    random_state : int, Generator or None, default=None
        Source of the training sets and of the noise. With the same int, two estimators get
        the same training sets, so that they can be compared in pairs.

    Returns
    -------
    BiasVariance
        The terms, their standard errors, and the arrays behind them.

    Raises
    ------
    ValueError
        If `n_train` is less than 1, `n_repeats` is less than 3 or `X_test` has the wrong shape.

    Notes
    -----
    Let :math:`d_r = \hat f_{D_r}(x) - f(x)`. The obvious estimate of the squared bias,
    :math:`\bar d^{\,2}`, is too large on average by :math:`\text{variance}/R`, since the
    mean of :math:`R` fits still varies. The estimate used here averages the products of *different*
    fits, whose expectation is exactly the squared bias because training sets are independent:

    .. math::
        \widehat{\text{bias}^2} = \frac{1}{R(R-1)} \sum_{r \ne s} d_r d_s
        = \bar d^{\,2} - \frac{s^2}{R},
        \qquad \widehat{\text{variance}} = s^2 = \frac{1}{R-1} \sum_r (d_r - \bar d)^2.

    It can come out slightly negative where the true bias is near zero; truncating it would bring
    the bias back. Standard errors are those of the jackknife over training sets: fits to
    different training sets are independent, predictions of one fit at different inputs are not.

    Beware of heavy tails: where a few training sets lead to absurd fits (least squares of a high
    degree), they dominate the averages, and a few hundred repeats understate the standard errors.

    References
    ----------
    S. Geman, E. Bienenstock, R. Doursat (1992). Neural networks and the bias/variance dilemma.
    Neural Computation 4(1), 1-58.

    B. Efron, C. Stein (1981). The jackknife estimate of variance. The Annals of Statistics
    9(3), 586-596.
    """
    if n_repeats < 3:
        raise ValueError(f"n_repeats must be at least 3, got {n_repeats!r}.")
    X_test = np.asarray(X_test, dtype=np.float64)
    truth = problem.truth(X_test)
    rng_terms, rng_error, rng_noise = np.random.default_rng(random_state).spawn(3)

    predictions = _predict_after_refits(estimator, problem, n_train, X_test, n_repeats, rng_terms)
    deviations = predictions - truth
    variance_per_point = deviations.var(axis=0, ddof=1)
    bias_squared_per_point = deviations.mean(axis=0) ** 2 - variance_per_point / n_repeats
    bias_squared_standard_error, variance_standard_error, sum_standard_error = (
        _jackknife_standard_errors(deviations)
    )

    fresh_predictions = _predict_after_refits(
        estimator, problem, n_train, X_test, n_repeats, rng_error
    )
    fresh_targets = np.stack(
        [problem.observe(X_test, random_state=rng_noise) for _ in range(n_repeats)]
    )
    squared_errors = (fresh_targets - fresh_predictions) ** 2

    return BiasVariance(
        bias_squared=float(bias_squared_per_point.mean()),
        variance=float(variance_per_point.mean()),
        noise=problem.noise**2,
        expected_error=float(squared_errors.mean()),
        bias_squared_standard_error=bias_squared_standard_error,
        variance_standard_error=variance_standard_error,
        predicted_error_standard_error=sum_standard_error,
        expected_error_standard_error=float(stats.sem(squared_errors.mean(axis=1))),
        predictions=predictions,
        bias_squared_per_point=bias_squared_per_point,
        variance_per_point=variance_per_point,
        expected_error_per_point=squared_errors.mean(axis=0),
    )


def _predict_after_refits(
    estimator: Any,
    problem: RegressionProblem,
    n_train: int,
    X_test: FloatArray,
    n_repeats: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Fit to `n_repeats` fresh training sets; return the predictions, one row a fit."""
    predictions = np.empty((n_repeats, len(X_test)))
    for repeat in range(n_repeats):
        X, y = problem.sample(n_train, random_state=rng)
        predictions[repeat] = clone(estimator).fit(X, y).predict(X_test)
    return predictions


def _jackknife_standard_errors(deviations: FloatArray) -> tuple[float, float, float]:
    """Return the standard errors of bias², of variance and of their sum.

    The jackknife leaves out one training set at a time, recomputes each estimate, and takes the
    spread of the results. Here it needs no loop: leaving out set r removes the products d_r d_s.
    """
    n_repeats, n_test = deviations.shape
    squares = (deviations**2).mean(axis=1)  # d_r², averaged over the test inputs
    products = deviations @ deviations.sum(axis=0) / n_test - squares  # sum of d_r d_s over s ≠ r
    bias_squared = (products.sum() - 2 * products) / ((n_repeats - 1) * (n_repeats - 2))
    total = (squares.sum() - squares) / (n_repeats - 1)  # bias² + variance
    estimates = np.stack([bias_squared, total - bias_squared, total])
    variances = (n_repeats - 1) * estimates.var(axis=1)
    standard_errors = np.sqrt(variances)
    return float(standard_errors[0]), float(standard_errors[1]), float(standard_errors[2])


# --------------------------------------------------------------------------- intervals


@dataclass(frozen=True, eq=False)
class ConfidenceInterval:
    """A mean and the ends of its confidence interval.

    The fields are numbers, or arrays if several means were asked for. A format specification
    is applied to the mean and to the half width.

    Parameters
    ----------
    mean, low, high : float or ndarray
        The mean and the ends of the interval.
    confidence : float
        The confidence level.

    Examples
    --------
    >>> f"{mean_confidence_interval([0.9, 1.0, 1.1]):.2f}"
    '1.00 ± 0.25'
    """

    mean: Any
    low: Any
    high: Any
    confidence: float

    @property
    def half_width(self) -> Any:
        """Half the length of the interval: what stands after the ± sign."""
        return (self.high - self.low) / 2

    def __format__(self, spec: str) -> str:
        return f"{self.mean:{spec}} ± {self.half_width:{spec}}"


def mean_confidence_interval(values: ArrayLike, *, confidence: float = 0.95) -> ConfidenceInterval:
    r"""Return the mean over repetitions with its Student-t confidence interval.

    .. math:: \bar v \pm t_{n-1,\,(1+c)/2}\; \frac{s}{\sqrt{n}}, \qquad
              s^2 = \frac{1}{n-1} \sum_{i=1}^n (v_i - \bar v)^2.

    Parameters
    ----------
    values : array-like of shape (..., n)
        One value for each independent repetition (seed), along the last axis; ``n >= 2``.
    confidence : float, default=0.95
        The level :math:`c`, between 0 and 1.

    Returns
    -------
    ConfidenceInterval
        Mean, low and high, of shape (...); numbers if `values` is one-dimensional.

    Raises
    ------
    ValueError
        If there are fewer than 2 repetitions, a value is not finite, or `confidence` is not
        between 0 and 1.

    Notes
    -----
    The interval is exact for independent normal values. It states how well the *mean* is known,
    not how much single repetitions differ; folds of one cross-validation, which share training
    rows, are not independent, and then it is too narrow.

    References
    ----------
    Student (1908). The probable error of a mean. Biometrika 6(1), 1-25.

    Examples
    --------
    >>> interval = mean_confidence_interval([0.9, 1.0, 1.1])
    >>> round(interval.low, 3), round(interval.high, 3)
    (0.752, 1.248)
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim == 0 or values.shape[-1] < 2:
        raise ValueError(f"values must have shape (..., n >= 2), got {values.shape}.")
    if not np.all(np.isfinite(values)):
        raise ValueError("values must be finite, got NaN or infinity.")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence!r}.")
    mean = values.mean(axis=-1)
    quantile = stats.t.ppf((1 + confidence) / 2, df=values.shape[-1] - 1)
    half_width = quantile * stats.sem(values, axis=-1)
    low, high = mean - half_width, mean + half_width
    if values.ndim == 1:
        mean, low, high = float(mean), float(low), float(high)
    return ConfidenceInterval(mean, low, high, confidence)


def paired_difference(
    values: ArrayLike, baseline: ArrayLike, *, confidence: float = 0.95
) -> ConfidenceInterval:
    r"""Return the mean of ``values - baseline`` over paired repetitions, with its interval.

    Repetition :math:`i` of both used the same seed (the same data, split and initialization). What
    they have in common cancels in the difference, so this interval is usually much shorter than
    those of the two means; whether those overlap says little.

    Parameters
    ----------
    values, baseline : array-like of shape (..., n)
        One value for each repetition, along the last axis, in the same order; ``n >= 2``.
    confidence : float, default=0.95
        The confidence level, between 0 and 1.

    Returns
    -------
    ConfidenceInterval
        For losses, an interval entirely below 0 says that `values` beat the baseline.

    Raises
    ------
    ValueError
        If the shapes differ, or as in `mean_confidence_interval`.

    Examples
    --------
    >>> f"{paired_difference([1.1, 2.1, 3.0], [1.0, 1.9, 2.9]):.2f}"
    '0.13 ± 0.14'
    """
    values = np.asarray(values, dtype=np.float64)
    baseline = np.asarray(baseline, dtype=np.float64)
    if values.shape != baseline.shape:
        raise ValueError(
            f"values and baseline must have the same shape, got {values.shape} and "
            f"{baseline.shape}."
        )
    return mean_confidence_interval(values - baseline, confidence=confidence)


# --------------------------------------------------------------------------- shared pieces


class _FixedFolds:
    """A splitter that repeats folds drawn earlier."""

    def __init__(self, folds: list[tuple[IntArray, IntArray]]) -> None:
        self.folds = folds

    def split(self, X: Any, y: Any = None) -> Iterator[tuple[IntArray, IntArray]]:
        return iter(self.folds)


def _fit_folds(
    estimator: Any, X: ArrayLike, y: ArrayLike, cv: Splitter, loss: Loss
) -> tuple[FloatArray, FloatArray]:
    """Return the training and the validation loss of each fold."""
    _check_cv_and_loss(cv, loss)
    X, y = _as_matching_arrays(X, y)
    pairs = [
        _fit_and_measure(estimator, X, y, train, validation, loss)
        for train, validation in cv.split(X, y)
    ]
    train_losses, validation_losses = np.array(pairs, dtype=np.float64).T
    return train_losses, validation_losses


def _fit_and_measure(
    estimator: Any, X: NDArray[Any], y: NDArray[Any], train: IntArray, test: IntArray, loss: Loss
) -> tuple[float, float]:
    """Fit a fresh copy to the rows `train`; return its loss on these and on the rows `test`."""
    model = clone(estimator).fit(X[train], y[train])
    return loss(y[train], model.predict(X[train])), loss(y[test], model.predict(X[test]))


def _check_cv_and_loss(cv: Any, loss: Any) -> None:
    if not hasattr(cv, "split"):
        raise TypeError(f"cv must be a splitter such as KFold(5), got {cv!r}.")
    if not callable(loss):
        raise TypeError(f"loss must be a callable loss(y_true, y_pred), got {loss!r}.")


def _as_matching_arrays(X: ArrayLike, y: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    X, y = np.asarray(X), np.asarray(y)
    if X.ndim == 0 or y.ndim == 0 or len(X) != len(y):
        raise ValueError(
            f"X and y must have the same number of rows, got shapes {X.shape} and {y.shape}."
        )
    return X, y
