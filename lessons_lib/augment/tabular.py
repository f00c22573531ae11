r"""New rows for tables, and noise for any array.

:class:`InputNoise`, :class:`Jitter` and :class:`MaskingNoise` leave the labels alone.
:class:`Mixup` mixes the targets along with the inputs, and :class:`SMOTE` adds rows with their
labels. All of them are for *training* data: if you oversample or augment before the split,
relatives of the training rows get into the test set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_X_y

from lessons_lib._validation import check_integer, check_interval
from lessons_lib.augment._transform import FloatArray, RandomState, Transform, check_floats

__all__ = ["SMOTE", "InputNoise", "Jitter", "MaskingNoise", "Mixup", "nearest_neighbors"]

SamplingStrategy = str | float | Mapping[Any, int] | Callable[[NDArray[Any]], Mapping[Any, int]]

# Distances held at a time: 1 MB, which fits into a processor's cache.
_BLOCK = 2**18


class _ArrayTransform(Transform[FloatArray]):
    def _check(self, data: FloatArray) -> FloatArray:
        return check_floats("X", data)


@dataclass(frozen=True)
class InputNoise(_ArrayTransform):
    r"""Add independent Gaussian noise to every number: :math:`x' = x + \sigma z`.

    For a linear model with squared error, training on infinitely many noisy copies is ridge
    regression with the penalty :math:`\tfrac12 \sigma^2 \lVert w\rVert^2` beside
    :math:`\tfrac1{2n}\lVert y - Xw\rVert^2`; for other models, something similar to second order in
    :math:`\sigma`.

    Parameters
    ----------
    sigma : float, default=0.1
        Standard deviation :math:`\sigma` of the noise, the same everywhere, in the units of `X`.

    References
    ----------
    C. M. Bishop, "Training with Noise is Equivalent to Tikhonov Regularization", Neural Computation
    7(1), 1995.

    Examples
    --------
    >>> noisy = InputNoise(0.5)(np.zeros((1000, 3)), random_state=0)
    >>> noisy.shape, float(noisy.std().round(1))
    ((1000, 3), 0.5)
    """

    sigma: float = 0.1

    def __post_init__(self) -> None:
        check_interval("sigma", self.sigma)

    def _apply(self, X: FloatArray, rng: np.random.Generator) -> FloatArray:
        return X + self.sigma * rng.standard_normal(X.shape).astype(X.dtype)


@dataclass(frozen=True, eq=False)
class Jitter(_ArrayTransform):
    r"""Add Gaussian noise in proportion to each column's spread: :math:`x'_j = x_j + a\,s_j z_j`.

    A column in grams gets as much noise, measured by what varies in it, as one in kilograms; a
    constant column gets none. For time series of shape (n_series, n_times) a column is a moment.

    Parameters
    ----------
    strength : float, default=0.05
        The share :math:`a` of the spread.
    scale : array_like of shape X.shape[1:] or scalar, optional
        The spread :math:`s`, computed once from the training data, for instance
        ``X_train.std(axis=0)``. None: the standard deviation of the columns of the batch given, of
        their finite values.

    Examples
    --------
    >>> X = np.array([[1.0, 1000.0], [2.0, 3000.0], [3.0, 5000.0]])
    >>> change = Jitter(0.1)(X, random_state=0) - X
    >>> (np.abs(change).max(axis=0) / X.std(axis=0) < 0.3).tolist()
    [True, True]
    """

    strength: float = 0.05
    scale: ArrayLike | None = None

    def __post_init__(self) -> None:
        check_interval("strength", self.strength)
        if self.scale is not None:
            scale = np.asarray(self.scale, dtype=np.float64)
            if not (np.isfinite(scale).all() and np.all(scale >= 0)):
                raise ValueError(f"scale must be finite and at least 0, got {self.scale!r}.")

    def _apply(self, X: FloatArray, rng: np.random.Generator) -> FloatArray:
        scale = _spread(X) if self.scale is None else np.asarray(self.scale)
        if scale.ndim > 0 and scale.shape != X.shape[1:]:
            raise ValueError(f"scale must have shape {X.shape[1:]}, got {scale.shape}.")
        return X + (self.strength * scale * rng.standard_normal(X.shape)).astype(X.dtype)


@dataclass(frozen=True)
class MaskingNoise(_ArrayTransform):
    """Set each number to zero with probability `p`.

    What a denoising autoencoder learns to repair. Unlike (inverted) dropout, it does not scale up
    what is left.

    Parameters
    ----------
    p : float in [0, 1], default=0.25
        The probability.

    References
    ----------
    P. Vincent, H. Larochelle, Y. Bengio, P.-A. Manzagol, "Extracting and Composing Robust Features
    with Denoising Autoencoders", ICML 2008, section 2.3.

    Examples
    --------
    >>> masked = MaskingNoise(0.25)(np.ones((100, 100)), random_state=0)
    >>> float(masked.mean().round(2)), float(masked.max())
    (0.75, 1.0)
    """

    p: float = 0.25

    def __post_init__(self) -> None:
        check_interval("p", self.p, 0.0, 1.0)

    def _apply(self, X: FloatArray, rng: np.random.Generator) -> FloatArray:
        return np.where(rng.random(X.shape) >= self.p, X, np.zeros((), X.dtype))


@dataclass(frozen=True)
class Mixup:
    r"""Mix pairs of samples, inputs and targets alike.

    .. math::

        \tilde x_i = \lambda_i x_i + (1-\lambda_i)\, x_{\pi(i)}, \qquad
        \tilde y_i = \lambda_i y_i + (1-\lambda_i)\, y_{\pi(i)}, \qquad
        \lambda_i \sim \mathrm{Beta}(\alpha, \alpha),

    with a random permutation :math:`\pi` of the batch. *Changes the labels:* the targets become
    soft. Shapes stay.

    Parameters
    ----------
    alpha : float, default=0.2
        :math:`\alpha > 0`. The smaller, the closer is each mix to one of the two; 1 makes
        :math:`\lambda` uniform.

    Notes
    -----
    As the paper's equation, each pair has its own :math:`\lambda`. The authors' program draws one
    for the whole batch.

    References
    ----------
    H. Zhang, M. Cisse, Y. N. Dauphin, D. Lopez-Paz, "mixup: Beyond Empirical Risk Minimization",
    ICLR 2018, section 2.

    Examples
    --------
    >>> X, targets = np.array([[0.0], [1.0]]), np.eye(2)
    >>> X_mixed, soft = Mixup(1.0)(X, targets, random_state=3)
    >>> X_mixed.shape, soft.sum(axis=1).tolist(), bool(np.all(soft[:, 1] == X_mixed[:, 0]))
    ((2, 1), [1.0, 1.0], True)
    """

    alpha: float = 0.2

    def __post_init__(self) -> None:
        check_interval("alpha", self.alpha, open_low=True)

    def __call__(
        self, X: FloatArray, targets: FloatArray, random_state: RandomState = None
    ) -> tuple[FloatArray, FloatArray]:
        """Return mixed inputs and targets.

        Parameters
        ----------
        X : ndarray of shape (n_samples, ...)
            Inputs: rows, images, signals.
        targets : ndarray of shape (n_samples, n_classes) or (n_samples,)
            One-hot or soft labels (``np.eye(n_classes)[y]``), or numbers for regression. Floats:
            the number of a class cannot be mixed.
        random_state : int, Generator or None, default=None
            Source of the pairs and of the weights.

        Returns
        -------
        X : ndarray of shape (n_samples, ...)
            The mixed inputs.
        targets : ndarray of the shape of `targets`
            The mixed targets.

        Raises
        ------
        TypeError
            If one of them is not of floats.
        ValueError
            If they differ in length.
        """
        X, targets = check_floats("X", X), check_floats("targets", targets)
        if len(X) != len(targets):
            raise ValueError(f"targets must have X's {len(X)} rows, got {len(targets)}.")
        rng = np.random.default_rng(random_state)
        weights = rng.beta(self.alpha, self.alpha, len(X))
        partners = rng.permutation(len(X))
        return _mix(X, partners, weights), _mix(targets, partners, weights)


class SMOTE(BaseEstimator):
    r"""Oversample small classes with points between neighbors.

    A new point lies on the line from a random point of the class to one of its :math:`k` nearest
    neighbors *within the class*:

    .. math:: x_\text{new} = x_i + u\,(x_j - x_i), \qquad u \sim \mathcal U(0, 1)

    *Changes number and balance of the samples:* the new ones come after the old ones.

    Parameters
    ----------
    sampling_strategy : str, float, dict or callable, default="auto"
        Which classes to oversample, and how far. ``"auto"`` or ``"not majority"``: all but the
        largest, up to its size; ``"minority"``: the smallest only; ``"not minority"``: all but the
        smallest; ``"all"``: all. A float in (0, 1], for two classes: the wanted ratio of smaller to
        larger. A dict: the wanted size of each class named. A function of `y` that returns such a
        dict.
    k_neighbors : int, default=5
        The number of neighbors :math:`k`.
    random_state : int, RandomState, Generator or None, default=None
        Source of the draws. (A Generator draws other points than a RandomState of the same seed.)

    Attributes
    ----------
    sampling_strategy_ : dict
        Number of new points for each class that gets any.

    Notes
    -----
    With the same ``RandomState`` object this returns what imbalanced-learn's ``SMOTE`` returns,
    unless equal distances leave a choice of neighbors; here the row that comes first wins. With an
    *int*, imbalanced-learn starts each class with the same draws, this class only the first one:
    the results agree if one class is oversampled. Integers in `X` become floats here; there, new
    points are cut to integers.

    References
    ----------
    N. V. Chawla, K. W. Bowyer, L. O. Hall, W. P. Kegelmeyer, "SMOTE: Synthetic Minority
    Over-sampling Technique", JAIR 16, 2002, section 4.2.

    Examples
    --------
    >>> X = np.array([[0.0], [1.0], [2.0], [10.0], [20.0]])
    >>> y = np.array([0, 0, 0, 1, 1])
    >>> X_new, y_new = SMOTE(k_neighbors=1, random_state=0).fit_resample(X, y)
    >>> np.bincount(y_new), bool(10 <= X_new[-1, 0] <= 20)
    (array([3, 3]), True)
    """

    def __init__(
        self,
        *,
        sampling_strategy: SamplingStrategy = "auto",
        random_state: int | np.random.RandomState | np.random.Generator | None = None,
        k_neighbors: int = 5,
    ) -> None:
        self.sampling_strategy = sampling_strategy
        self.random_state = random_state
        self.k_neighbors = k_neighbors

    def fit_resample(self, X: ArrayLike, y: ArrayLike) -> tuple[Any, Any]:
        """Return the data with new points added.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,)
            Labels, numbers or strings, of at least two classes.

        Returns
        -------
        X : ndarray or DataFrame of shape (n_samples_new, n_features)
            The old rows, then the new ones, class by class. A data frame comes back as one, with
            its columns, numbered anew.
        y : ndarray or Series of shape (n_samples_new,)
            Their labels.

        Raises
        ------
        ValueError
            If a class has no more than `k_neighbors` points, a parameter is out of range, or the
            data have a wrong shape, NaN or infinity.
        TypeError
            If a parameter has a wrong type.
        """
        k = check_integer("k_neighbors", self.k_neighbors, 1)
        features, labels = check_X_y(X, y, dtype=(np.float64, np.float32))
        if labels.dtype.kind == "f" and np.any(labels % 1):
            raise ValueError("y must be labels of classes, got numbers that are not whole.")
        rng = self.random_state
        if not isinstance(rng, np.random.Generator):
            rng = check_random_state(rng)
        self.sampling_strategy_ = _new_points_per_class(self.sampling_strategy, labels)

        added = self.sampling_strategy_
        y_new = np.repeat(np.array(list(added), dtype=labels.dtype), list(added.values()))
        X_all = np.empty((len(features) + len(y_new), features.shape[1]), dtype=features.dtype)
        X_all[: len(features)] = features
        start = len(features)
        for label, n_new in added.items():
            members = features[labels == label]
            if len(members) <= k:
                raise ValueError(
                    f"k_neighbors must be less than the size of each class to oversample, got "
                    f"{k} and class {label!r} with {len(members)}."
                )
            neighbors = nearest_neighbors(members, k)
            _interpolate(members, neighbors, rng, out=X_all[start : start + n_new])
            start += n_new
        return _like(X, X_all), _like(y, np.concatenate([labels, y_new]))


def nearest_neighbors(X: FloatArray, n_neighbors: int) -> NDArray[np.intp]:
    r"""Return the nearest other rows of each row, in Euclidean distance.

    Because :math:`\lVert x-z\rVert^2 = \lVert x\rVert^2 - 2 x^\top z + \lVert z\rVert^2`, one
    matrix product gives all distances of a block of rows, in single precision for speed. They only
    serve to exclude what is too far away; what is left, hardly more than the :math:`k` neighbors of
    each row, is measured exactly and sorted.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows.
    n_neighbors : int
        The number :math:`k` of neighbors, from 1 to ``n_samples - 1``.

    Returns
    -------
    ndarray of int of shape (n_samples, n_neighbors)
        Numbers of the neighboring rows, the nearest first. A row is not its own neighbor. Among
        equally distant ones the first come first.

    Raises
    ------
    TypeError
        If `X` is not of floats.
    ValueError
        If `X` has not two axes or is not finite, or there are too few rows.

    Examples
    --------
    >>> nearest_neighbors(np.array([[0.0], [1.0], [3.0]]), 1)
    array([[1],
           [0],
           [1]])
    """
    X = check_floats("X", X, (2,)).astype(np.float64)
    if not np.isfinite(X).all():
        raise ValueError("X must be finite, got NaN or infinity.")
    n_samples = len(X)
    if check_integer("n_neighbors", n_neighbors, 1) >= n_samples:
        raise ValueError(
            f"n_neighbors must be less than the number of rows, got {n_neighbors} and {n_samples}."
        )
    centered = X - X.mean(axis=0)
    squares = np.einsum("ij,ij->i", centered, centered)
    if squares.max() > 0:
        centered, squares = centered / np.sqrt(squares.max()), squares / squares.max()
    # (-2x, 1) · (z, |z|²) is |x - z|² but for |x|², which is the same for all candidates z.
    left = np.column_stack([-2 * centered, np.ones(n_samples)])
    right = np.vstack([centered.T, squares])
    left_single, right_single = left.astype(np.float32), right.astype(np.float32)

    result = np.empty((n_samples, n_neighbors), dtype=np.intp)
    n_rows = max(_BLOCK // n_samples, 1)
    for start in range(0, n_samples, n_rows):
        rows = slice(start, start + n_rows)
        row, column = _candidates(left_single[rows], right_single, start, n_neighbors)
        if len(row) > 50 * n_neighbors * n_rows:  # an outlier makes all else look equally near
            row, column = _candidates(left[rows], right, start, n_neighbors)
        difference = X.take(row, axis=0)  # faster than X[row]
        difference -= X.take(column, axis=0)
        distance = np.einsum("ij,ij->i", difference, difference)
        order = np.lexsort((distance, row))  # by row, then distance; stable, so then by column
        first = np.searchsorted(row, np.arange(start, min(start + n_rows, n_samples)))
        result[rows] = column[order[first[:, np.newaxis] + np.arange(n_neighbors)]]
    return result


def _candidates(
    left: FloatArray, right: FloatArray, start: int, k: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return pairs of a row of the block and a row that may be among its `k` nearest ones.

    The rows of the block are numbered from `start`. They are in order, and so are the candidates
    of each.
    """
    distances = left @ right
    n_rows, n_columns = distances.shape
    rows = np.arange(n_rows)
    distances[rows, start + rows] = np.inf  # no row is its own neighbor

    # Split the columns into groups. The k groups with the least minima hold k rows that are at most
    # as far as the largest of these minima, so nothing farther is among the k nearest. Few groups
    # give a loose bound, many take long to search. Group g holds the columns g, g + n_groups, ...,
    # because minima along an inner axis are fast.
    n_groups = min(max(min(n_columns // 8, 256), 8 * k), n_columns)
    whole = n_columns // n_groups * n_groups
    minima = distances[:, :whole].reshape(n_rows, -1, n_groups).min(axis=1)
    bound = np.partition(minima, k - 1, axis=1)[:, k - 1]
    # All lengths are at most 1, so that a product of d terms is off by 1.5 d eps at most.
    bound += 4 * (len(right) + 2) * np.finfo(bound.dtype).eps
    row, column = np.divmod(np.flatnonzero(distances <= bound[:, np.newaxis]), n_columns)
    return row + start, column


def _interpolate(
    X: FloatArray,
    neighbors: NDArray[np.intp],
    rng: np.random.RandomState | np.random.Generator,
    *,
    out: FloatArray,
) -> None:
    """Fill `out` with random points between rows and their neighbors."""
    # One number draws the row and the neighbor, as in imbalanced-learn.
    integers = rng.integers if isinstance(rng, np.random.Generator) else rng.randint
    pair = integers(0, neighbors.size, size=len(out))
    steps = rng.uniform(size=len(out))[:, np.newaxis]
    row, place = np.divmod(pair, neighbors.shape[1])
    # In place: to get memory for each intermediate result takes as long as to compute it.
    np.take(X, row, axis=0, out=out, mode="clip")  # "clip" writes directly, without a copy
    difference = X[neighbors[row, place]]
    difference -= out
    difference *= steps
    out += difference


def _new_points_per_class(strategy: SamplingStrategy, y: NDArray[Any]) -> dict[Any, int]:
    """Return how many points each class lacks, without those that lack none."""
    classes, counts = np.unique(y, return_counts=True)
    sizes = dict(zip(classes.tolist(), counts.tolist(), strict=True))
    if len(sizes) < 2:
        raise ValueError(f"y must have at least two classes, got {list(sizes)}.")
    wanted = _wanted_sizes(strategy, sizes, y)
    for label, size in wanted.items():
        if label not in sizes:
            raise ValueError(f"sampling_strategy names the class {label!r}, which y lacks.")
        if check_integer(f"sampling_strategy[{label!r}]", size, 0) < sizes[label]:
            raise ValueError(
                f"sampling_strategy must not ask for less than there is, got {size} for "
                f"class {label!r} with {sizes[label]}."
            )
    return {c: wanted[c] - sizes[c] for c in sizes if wanted.get(c, sizes[c]) > sizes[c]}


def _wanted_sizes(
    strategy: SamplingStrategy, sizes: dict[Any, int], y: NDArray[Any]
) -> Mapping[Any, int]:
    smallest, largest = min(sizes, key=sizes.__getitem__), max(sizes, key=sizes.__getitem__)
    if callable(strategy):
        strategy = strategy(y)
    if isinstance(strategy, Mapping):
        return strategy
    if not isinstance(strategy, str):
        ratio = check_interval("sampling_strategy", strategy, 0.0, 1.0, open_low=True)
        if len(sizes) != 2:
            raise ValueError(f"sampling_strategy={ratio} needs two classes, got {len(sizes)}.")
        return {smallest: int(ratio * sizes[largest])}
    groups = {
        "auto": set(sizes) - {largest},
        "not majority": set(sizes) - {largest},
        "minority": {smallest},
        "not minority": set(sizes) - {smallest},
        "all": set(sizes),
    }
    if strategy not in groups:
        raise ValueError(f"sampling_strategy must be one of {list(groups)}, got {strategy!r}.")
    return dict.fromkeys(groups[strategy], sizes[largest])


def _like(original: object, values: NDArray[Any]) -> Any:
    """Give an array the form of a data frame or a series, with its names, if the original is one.

    pandas is not needed for arrays, and thus not imported.
    """
    kind: Any = type(original)
    if hasattr(original, "columns") and hasattr(original, "iloc"):
        return kind(values, columns=original.columns)
    if hasattr(original, "name") and hasattr(original, "iloc"):
        return kind(values, name=original.name)
    return values


def _spread(X: FloatArray) -> FloatArray:
    """Return the standard deviation of the finite values of each column; 0 if it has none."""
    finite = np.isfinite(X)
    if finite.all():
        return np.asarray(X.std(axis=0))
    some = finite.any(axis=0)
    scale: FloatArray = np.std(np.where(some, X, 0), axis=0, where=finite | ~some)
    return scale


def _mix(array: FloatArray, partners: NDArray[np.intp], weights: NDArray[np.float64]) -> FloatArray:
    share = weights.reshape(-1, *[1] * (array.ndim - 1)).astype(array.dtype)
    return share * array + (1 - share) * array[partners]
