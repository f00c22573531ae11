"""Whatever the data look like: the same tree for the same numbers, the best split, or an error."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lessons_lib.ensembles import (
    BaggingClassifier,
    BaggingRegressor,
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

SOME = settings(max_examples=40, derandomize=True, deadline=None)
FEW = settings(max_examples=10, derandomize=True, deadline=None)

# Small whole numbers: ties, equal rows and constant columns are everyday.
SHAPES = st.tuples(st.integers(1, 12), st.integers(1, 4))
DESIGNS = SHAPES.flatmap(lambda shape: arrays(np.int64, shape, elements=st.integers(-2, 2)))


@st.composite
def problems(draw):
    """Draw features, targets and weights."""
    X = draw(DESIGNS)
    y = draw(arrays(np.int64, len(X), elements=st.integers(0, 2)))
    ordinary, extreme = st.integers(1, 3), st.sampled_from([1e-150, 1e-16, 1.0, 1e16, 1e150])
    weight = draw(arrays(np.float64, len(X), elements=draw(st.sampled_from([ordinary, extreme]))))
    return X, y, weight


def forms(X):
    """Return the same numbers in many forms."""
    read_only = X.astype(np.float64)
    read_only.flags.writeable = False
    strided = np.zeros((2 * len(X), 3 * X.shape[1]))
    strided[::2, ::3] = X
    return {
        "integers": X,
        "small integers": X.astype(np.int8),
        "single precision": X.astype(np.float32),
        "by columns": np.asfortranarray(X, dtype=np.float64),
        "strided": strided[::2, ::3],
        "backwards": X[::-1, ::-1].astype(np.float64)[::-1, ::-1],
        "read-only": read_only,
        "a list": X.tolist(),
        "a frame": pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])]),
    }


MODELS = [
    DecisionTreeClassifier(),
    DecisionTreeRegressor(),
    DecisionTreeClassifier(max_bins=4, max_features="sqrt", random_state=0),
    RandomForestClassifier(3, random_state=0),
    RandomForestRegressor(3, random_state=0),
    BaggingClassifier(n_estimators=3, random_state=0),
    BaggingRegressor(n_estimators=3, random_state=0),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
@FEW
@given(problem=problems())
def test_the_form_of_the_data_does_not_matter(model, problem):
    X, y, weight = problem
    expected = model.fit(X.astype(np.float64), y, weight).predict(X.astype(np.float64))
    for name, form in forms(X).items():
        before = np.array(form)
        np.testing.assert_array_equal(model.fit(form, y, weight).predict(form), expected, name)
        np.testing.assert_array_equal(np.array(form), before, "changed")


@SOME
@given(problem=problems(), exponent=st.integers(-500, 500))
def test_the_scale_of_the_features_does_not_matter(problem, exponent):
    X, y, weight = problem
    X = X.astype(np.float64)
    for kind in (DecisionTreeClassifier, DecisionTreeRegressor):
        plain = kind().fit(X, y, weight).tree_
        scaled = kind().fit(np.ldexp(X, exponent), y, weight).tree_
        np.testing.assert_array_equal(scaled.feature, plain.feature)
        inner = plain.feature >= 0
        np.testing.assert_array_equal(
            scaled.threshold[inner], np.ldexp(plain.threshold[inner], exponent)
        )


def best_gain(X, y, weight):
    """Return the largest decrease of the weighted squared error, by trying all thresholds."""

    def error(rows):
        mean = np.average(y[rows], weights=weight[rows])
        return np.sum(weight[rows] * (y[rows] - mean) ** 2)

    gains = [0.0]
    for x in X.T:
        for threshold in np.unique(x)[:-1]:
            gains.append(error(x < np.inf) - error(x <= threshold) - error(x > threshold))
    return max(gains)


@pytest.mark.parametrize("max_bins", [None, 16], ids=["sorting", "counting"])
@SOME
@given(problem=problems())
def test_the_first_split_is_the_best_of_all(max_bins, problem):
    X, y, weight = problem
    # The Gini impurity of two classes is twice the variance.
    for kind, target, factor in (
        (DecisionTreeRegressor, y, 1.0),
        (DecisionTreeClassifier, (y > 0).astype(int), 2.0),
    ):
        tree = kind(max_depth=1, max_bins=max_bins).fit(X, target, weight).tree_
        total = tree.weighted_n_node_samples * tree.impurity
        gain = total[0] - total[1:].sum() if tree.node_count > 1 else 0.0
        scale = max(total[0], weight.sum() * 1e-12)
        assert gain == pytest.approx(factor * best_gain(X, target, weight), abs=1e-9 * scale)


@SOME
@given(problem=problems())
def test_a_full_tree_knows_all_that_can_be_known(problem):
    X, y, _ = problem
    _, group = np.unique(X, axis=0, return_inverse=True)
    group = group.ravel()
    means = np.bincount(group, y) / np.bincount(group)
    tree = DecisionTreeRegressor().fit(X, y)
    np.testing.assert_allclose(tree.predict(X), means[group], atol=1e-12)
    shares = np.array([np.bincount(y[group == g], minlength=3) for g in group], float)
    shares /= shares.sum(axis=1, keepdims=True)
    classes = DecisionTreeClassifier().fit(X, y)
    np.testing.assert_allclose(classes.predict_proba(X), shares[:, classes.classes_], atol=1e-12)
    for model in (tree, classes):
        path = model.decision_path(X).toarray()
        assert np.all(path[np.arange(len(X)), model.apply(X)] == 1)
        assert path[:, 0].all()
        importances = model.feature_importances_
        assert np.all(importances >= -1e-12)
        assert (
            importances.sum() == pytest.approx(float(model.get_n_leaves() > 1), abs=1e-9)
            or (importances == 0).all()
        )


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
@FEW
@given(problem=problems(), bad=st.sampled_from([np.nan, np.inf, -np.inf]), place=st.integers(0, 99))
def test_what_is_not_finite_is_refused(model, problem, bad, place):
    X, y, weight = problem
    X = X.astype(np.float64)
    spoiled = X.copy()
    spoiled.flat[place % X.size] = bad
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        model.fit(spoiled, y, weight)
    heavy = weight.copy()
    heavy[place % len(X)] = bad
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        model.fit(X, y, heavy)
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        model.fit(X, y, weight).predict(spoiled)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
@pytest.mark.parametrize("shape", [(0, 2), (3, 0), (3,)])
def test_what_is_empty_is_refused(model, shape):
    with pytest.raises(ValueError, match=r"minimum of 1 is required|Expected 2D array"):
        model.fit(np.zeros(shape), np.zeros(shape[0], int))
