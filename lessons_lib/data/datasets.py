"""Data for the lessons: two regression problems with a known truth, four real data sets.

The synthetic problems are objects rather than arrays, because the lessons need more than one
sample: the bias-variance decomposition draws hundreds of fresh training sets, and a figure shows
the noise-free curve next to the data. The real data sets ship with scikit-learn, so nothing is
downloaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import sklearn.datasets
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Dataset",
    "RegressionProblem",
    "load_breast_cancer",
    "load_diabetes",
    "load_digits",
    "load_wine",
    "polynomial_problem",
    "sinusoid_problem",
]

FloatArray = NDArray[np.float64]
RandomState = int | np.random.Generator | None


@dataclass(frozen=True)
class RegressionProblem:
    r"""One-dimensional regression with a known truth and Gaussian noise.

    .. math:: y = f(x) + \varepsilon, \qquad x \sim \mathcal{U}(\text{low}, \text{high}), \quad
              \varepsilon \sim \mathcal{N}(0, \sigma^2)

    Parameters
    ----------
    function : callable
        The truth :math:`f`: maps an array of shape (n_samples,) to one of the same shape.
    noise : float
        Standard deviation :math:`\sigma \ge 0` of the noise, in the units of `y`.
    low, high : float, default=-1, 1
        Ends of the interval from which the inputs are drawn, ``low < high``.

    Raises
    ------
    ValueError
        If `noise` is negative, a bound is not finite, or ``low >= high``.

    Examples
    --------
    >>> import numpy as np
    >>> problem = RegressionProblem(np.square, noise=0.0)
    >>> X, y = problem.sample(5, random_state=0)
    >>> X.shape, y.shape
    ((5, 1), (5,))
    >>> bool(np.all(y == problem.truth(X)))
    True
    """

    function: Callable[[FloatArray], FloatArray]
    noise: float
    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.noise) and self.noise >= 0):
            raise ValueError(f"noise must be a finite number >= 0, got {self.noise!r}.")
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low < self.high):
            raise ValueError(
                f"low and high must be finite with low < high, got {self.low!r} and {self.high!r}."
            )

    def truth(self, X: ArrayLike) -> FloatArray:
        """Return the noise-free target.

        Parameters
        ----------
        X : array-like of shape (n_samples, 1)
            Inputs; they may lie outside of ``[low, high]``.

        Returns
        -------
        ndarray of shape (n_samples,)
            The value of the truth at each input.

        Raises
        ------
        ValueError
            If `X` does not have exactly one column.
        """
        X = np.asarray(X, dtype=np.float64)
        if X.ndim != 2 or X.shape[1] != 1:
            raise ValueError(f"X must have shape (n_samples, 1), got {X.shape}.")
        return np.asarray(self.function(X[:, 0]), dtype=np.float64)

    def observe(self, X: ArrayLike, *, random_state: RandomState = None) -> FloatArray:
        """Return one noisy target for each row of `X`: the truth plus fresh noise.

        Parameters
        ----------
        X : array-like of shape (n_samples, 1)
            Inputs at which to observe.
        random_state : int, Generator or None, default=None
            Source of the noise.

        Returns
        -------
        ndarray of shape (n_samples,)
            The noisy targets.
        """
        truth = self.truth(X)
        return truth + self.noise * np.random.default_rng(random_state).standard_normal(len(truth))

    def sample(
        self, n_samples: int, *, random_state: RandomState = None
    ) -> tuple[FloatArray, FloatArray]:
        """Draw a data set: inputs uniform on ``[low, high)`` and their noisy targets.

        Parameters
        ----------
        n_samples : int
            Number of samples, at least 1.
        random_state : int, Generator or None, default=None
            Source of the inputs and of the noise. The same int gives the same data set; a
            generator continues its stream, so that successive calls give independent data sets.

        Returns
        -------
        X : ndarray of shape (n_samples, 1)
            Inputs.
        y : ndarray of shape (n_samples,)
            Noisy targets.

        Raises
        ------
        ValueError
            If `n_samples` is less than 1.
        """
        if n_samples < 1:
            raise ValueError(f"n_samples must be at least 1, got {n_samples!r}.")
        rng = np.random.default_rng(random_state)
        X = rng.uniform(self.low, self.high, size=(n_samples, 1))
        return X, self.observe(X, random_state=rng)


def polynomial_problem(
    coef: Sequence[float], *, noise: float, low: float = -1.0, high: float = 1.0
) -> RegressionProblem:
    r"""Return a problem whose truth is a polynomial.

    .. math:: f(x) = c_0 + c_1 x + c_2 x^2 + \dots

    Parameters
    ----------
    coef : sequence of float
        The coefficients :math:`c_0, c_1, \dots`, the constant first (NumPy's order).
    noise : float
        Standard deviation of the Gaussian noise, in the units of `y`.
    low, high : float, default=-1, 1
        Ends of the interval from which the inputs are drawn.

    Returns
    -------
    RegressionProblem
        The problem, with `sample`, `observe` and `truth`.

    Raises
    ------
    ValueError
        If `coef` is empty or not one-dimensional, or another argument is out of range.

    Examples
    --------
    >>> parabola = polynomial_problem([0, 0, 1], noise=0.1)
    >>> parabola.truth([[0.0], [0.5], [1.0]])
    array([0.  , 0.25, 1.  ])
    """
    coefficients = np.asarray(coef, dtype=np.float64)
    if coefficients.ndim != 1 or coefficients.size == 0:
        raise ValueError(
            f"coef must be a non-empty sequence of numbers, got shape {coefficients.shape}."
        )
    return RegressionProblem(np.polynomial.Polynomial(coefficients), noise, low, high)


def sinusoid_problem(
    frequency: float = 1.0, *, noise: float, low: float = -1.0, high: float = 1.0
) -> RegressionProblem:
    r"""Return a problem whose truth is a sine wave of amplitude 1.

    .. math:: f(x) = \sin(2\pi\, \nu\, x)

    Parameters
    ----------
    frequency : float, default=1.0
        The frequency :math:`\nu > 0`, in periods per unit of `x`.
    noise : float
        Standard deviation of the Gaussian noise, in the units of `y`.
    low, high : float, default=-1, 1
        Ends of the interval from which the inputs are drawn.

    Returns
    -------
    RegressionProblem
        The problem, with `sample`, `observe` and `truth`.

    Raises
    ------
    ValueError
        If `frequency` is not positive, or another argument is out of range.

    Notes
    -----
    On an interval around 0 this truth is odd, so that polynomial terms of even degree add
    variance and remove no bias: error against degree is a zigzag. On ``low=0, high=1.25`` every
    degree helps.

    Examples
    --------
    >>> wave = sinusoid_problem(noise=0.3)
    >>> wave.truth([[0.0], [0.25], [0.75]])
    array([ 0.,  1., -1.])
    """
    if not (np.isfinite(frequency) and frequency > 0):
        raise ValueError(f"frequency must be a finite number > 0, got {frequency!r}.")
    # A partial, unlike a lambda, can be sent to another process.
    return RegressionProblem(partial(_sine, frequency=frequency), noise, low, high)


def _sine(x: FloatArray, frequency: float) -> FloatArray:
    return np.asarray(np.sin(2 * np.pi * frequency * x))


@dataclass(frozen=True, eq=False)
class Dataset:
    """A real data set: the arrays and the names of what they hold.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Features.
    y : ndarray of shape (n_samples,)
        Targets: numbers for regression, class indices for classification.
    feature_names : tuple of str
        One name for each column of `X`.
    target_names : tuple of str
        The class that each index in `y` stands for; for regression, the one name of the target.
    """

    X: FloatArray
    y: NDArray[Any]
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]


def load_diabetes(*, scaled: bool = True) -> Dataset:
    """Load the diabetes data: regression, 442 patients, 10 features.

    For each patient the age (years), sex (coded 1 and 2), body mass index (kg/m²), mean blood
    pressure and six blood serum measurements (`s1` to `s6`: total cholesterol, LDL, HDL, the
    ratio of total cholesterol to HDL, a logarithm of triglycerides, blood sugar). The target is a
    measure of disease progression one year later, from 25 to 346, without a unit.

    Parameters
    ----------
    scaled : bool, default=True
        If True, as in scikit-learn, each column has mean 0 and Euclidean norm 1; its standard
        deviation is therefore 0.048, not 1, and a ridge penalty of the same strength shrinks 442
        times as much as it does on standardized columns. If False, the raw units.

    Returns
    -------
    Dataset
        `X` of shape (442, 10) and `y` of shape (442,).

    Notes
    -----
    The scaling was computed from all 442 patients, thus also from those that a split later
    holds out. It does not use the target, and its effect is small, but a clean experiment takes
    ``scaled=False`` and puts a ``StandardScaler`` into the pipeline. `s1` and `s2` are strongly
    correlated (0.90).

    References
    ----------
    B. Efron, T. Hastie, I. Johnstone, R. Tibshirani (2004). Least angle regression. The Annals
    of Statistics 32(2), 407-499.
    """
    bunch = sklearn.datasets.load_diabetes(scaled=scaled)
    return Dataset(bunch.data, bunch.target, tuple(bunch.feature_names), ("progression",))


def load_breast_cancer() -> Dataset:
    """Load the Wisconsin diagnostic breast cancer data: 2 classes, 569 samples, 30 features.

    Ten properties of the cell nuclei in a digitized image of a fine-needle aspirate (radius,
    texture, perimeter, area, smoothness, compactness, concavity, concave points, symmetry,
    fractal dimension), each as the mean, the standard error and the "worst" (mean of the three
    largest) over the nuclei of the image. Lengths are in units of the image.

    Returns
    -------
    Dataset
        `X` of shape (569, 30); `y` of shape (569,) with 0 = malignant (212), 1 = benign (357).

    Notes
    -----
    Mind the coding: class 1, which most metrics take as the "positive" one, is the *benign*
    one. The features differ in scale by five orders of magnitude (worst area against the
    standard error of the fractal dimension), and mean radius, perimeter and area are nearly
    functions of each other (correlations above 0.98).

    References
    ----------
    W. N. Street, W. H. Wolberg, O. L. Mangasarian (1993). Nuclear feature extraction for breast
    tumor diagnosis. Proc. SPIE 1905, 861-870.

    W. Wolberg, O. Mangasarian, N. Street, W. Street (1995). Breast Cancer Wisconsin
    (Diagnostic). UCI Machine Learning Repository. doi:10.24432/C5DW2B
    """
    return _classification(sklearn.datasets.load_breast_cancer())


def load_digits() -> Dataset:
    """Load the handwritten digits: 10 classes, 1797 images of 8 by 8 pixels.

    Each 32 by 32 bitmap of a digit was divided into 4 by 4 blocks; a feature is the number of
    black pixels in one block, an integer from 0 to 16 (here stored as float). Row-major order:
    feature ``8 * row + column``.

    Returns
    -------
    Dataset
        `X` of shape (1797, 64); `y` of shape (1797,) with the digits 0 to 9, 174 to 183 of each.

    Notes
    -----
    This is the *test* part of the original data, written by 13 people. No column says by whom,
    but the order of the rows does in part: neighbors tend to share a hand. Shuffled folds
    therefore put the same hands into training and validation and measure the accuracy on known
    writers, about 97 % for logistic regression; unshuffled folds give about 92 %. Three pixels
    (0, 32 and 39) are constant.

    References
    ----------
    E. Alpaydin, C. Kaynak (1998). Optical Recognition of Handwritten Digits. UCI Machine
    Learning Repository. doi:10.24432/C50P49
    """
    return _classification(sklearn.datasets.load_digits())


def load_wine() -> Dataset:
    """Load the wine data: 3 classes, 178 wines, 13 chemical measurements.

    Wines grown in one region of Italy by three cultivators (the classes), described by alcohol
    content, acids, ash, magnesium, phenols, color and proline, each in its own unit.

    Returns
    -------
    Dataset
        `X` of shape (178, 13); `y` of shape (178,) with 59, 71 and 48 wines of classes 0, 1, 2.

    Notes
    -----
    The rows are sorted by class, so unshuffled folds would train without ever seeing a
    class that they test. The classes are nearly linearly separable: expect errors near zero
    once the features are standardized.

    References
    ----------
    S. Aeberhard, D. Coomans, O. de Vel (1994). Comparative analysis of statistical pattern
    recognition methods in high dimensional settings. Pattern Recognition 27(8), 1065-1077.

    S. Aeberhard, M. Forina (1992). Wine. UCI Machine Learning Repository. doi:10.24432/C5PC7J
    """
    return _classification(sklearn.datasets.load_wine())


def _classification(bunch: Any) -> Dataset:
    """Turn scikit-learn's bunch into a `Dataset` (its names are arrays or lists of strings)."""
    feature_names = tuple(str(name) for name in bunch.feature_names)
    return Dataset(
        np.asarray(bunch.data, dtype=np.float64),
        np.asarray(bunch.target),
        feature_names,
        tuple(str(name) for name in bunch.target_names),
    )
