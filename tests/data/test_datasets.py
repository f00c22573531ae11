"""The loaders against scikit-learn."""

import numpy as np
import pytest
import sklearn.datasets
from sklearn.linear_model import Ridge
from sklearn.metrics import pairwise_distances
from sklearn.preprocessing import StandardScaler

from lessons_lib.data import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_mnist,
    load_wine,
)

LOADERS = {
    "diabetes": (load_diabetes, (442, 10), 1),
    "breast_cancer": (load_breast_cancer, (569, 30), 2),
    "digits": (load_digits, (1797, 64), 10),
    "wine": (load_wine, (178, 13), 3),
}


@pytest.mark.parametrize("name", LOADERS)
def test_loaders_return_the_arrays_of_scikit_learn(name):
    load, shape, n_targets = LOADERS[name]
    data = load()
    X, y = getattr(sklearn.datasets, f"load_{name}")(return_X_y=True)
    np.testing.assert_array_equal(data.X, X)
    np.testing.assert_array_equal(data.y, y)
    assert data.X.dtype == np.float64
    assert data.X.shape == shape
    assert len(data.feature_names) == shape[1]
    assert len(data.target_names) == n_targets
    assert all(type(text) is str for text in data.feature_names + data.target_names)


def test_each_call_returns_its_own_arrays():
    load_wine().X[:] = 0
    assert load_wine().X.any()


def test_diabetes_scaling_is_as_documented():
    scaled, raw = load_diabetes(), load_diabetes(scaled=False)
    np.testing.assert_allclose(np.linalg.norm(scaled.X, axis=0), 1)
    np.testing.assert_allclose(scaled.X.std(axis=0), 0.048, atol=5e-4)
    assert set(raw.X[:, raw.feature_names.index("sex")]) == {1.0, 2.0}
    assert (raw.y.min(), raw.y.max()) == (25, 346)
    assert np.corrcoef(raw.X.T)[4, 5] == pytest.approx(0.90, abs=0.005)
    # The documented factor between penalties on scaled and on standardized columns.
    standardized = StandardScaler().fit_transform(raw.X)
    np.testing.assert_allclose(
        Ridge(alpha=442.0).fit(standardized, raw.y).predict(standardized),
        Ridge(alpha=1.0).fit(scaled.X, raw.y).predict(scaled.X),
    )


def test_documented_facts_about_the_classification_data():
    cancer, digits, wine = load_breast_cancer(), load_digits(), load_wine()
    assert cancer.target_names == ("malignant", "benign")
    np.testing.assert_array_equal(np.bincount(cancer.y), [212, 357])
    assert np.corrcoef(cancer.X[:, [0, 2, 3]].T).min() > 0.98
    means = cancer.X.mean(axis=0)
    assert 1e5 < means.max() / means.min() < 1e6
    assert cancer.feature_names[int(means.argmax())] == "worst area"
    assert cancer.feature_names[int(means.argmin())] == "fractal dimension error"
    np.testing.assert_array_equal(np.flatnonzero(digits.X.std(axis=0) == 0), [0, 32, 39])
    assert (digits.X.min(), digits.X.max()) == (0, 16)
    counts = np.bincount(digits.y)
    assert (counts.min(), counts.max()) == (174, 183)
    np.testing.assert_array_equal(wine.y, np.repeat([0, 1, 2], [59, 71, 48]))


def test_mnist_looks_like_mnist():
    data = load_mnist()
    assert data.X.shape == (2500, 784)
    np.testing.assert_array_equal(np.bincount(data.y), [250] * 10)
    np.testing.assert_array_equal(np.rint(data.X * 255), data.X * 255)
    assert len(np.unique(data.X, axis=0)) == 2500
    # Of all 60,000 training pictures the mean is 0.1307 and the standard deviation 0.3081.
    assert data.X.mean() == pytest.approx(0.1307, abs=0.003)
    assert data.X.std() == pytest.approx(0.3081, abs=0.003)


def test_mnist_is_centered_and_its_order_says_nothing():
    data = load_mnist()
    pictures = data.X.reshape(-1, 28, 28)
    rows, columns = np.arange(28), np.arange(28)
    ink = pictures.sum(axis=(1, 2))
    row = (pictures.sum(axis=2) @ rows) / ink
    column = (pictures.sum(axis=1) @ columns) / ink
    assert np.abs(np.column_stack([row, column]) - 14).max() < 1.5
    # A nearest neighbor finds the class, and the row before does not.
    half = pairwise_distances(data.X[1250:], data.X[:1250]).argmin(axis=1)
    assert np.mean(data.y[:1250][half] == data.y[1250:]) > 0.86
    assert np.mean(data.y[1:] == data.y[:-1]) == pytest.approx(0.1, abs=0.025)
