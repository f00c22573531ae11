"""Extremely randomized trees: scikit-learn's checks, its accuracy, and what is drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import ensemble as sklearn_ensemble
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.utils.estimator_checks import estimator_checks_generator

from lessons_lib.ensembles import (
    ExtraTreeClassifier,
    ExtraTreeRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestRegressor,
    error_moments,
)

CHECKS = [
    pytest.param(estimator, check, id=f"{type(estimator).__name__}-{check.func.__name__}")
    for model in (
        ExtraTreesClassifier(n_estimators=2),
        ExtraTreesRegressor(n_estimators=2),
        ExtraTreeClassifier(),
        ExtraTreeRegressor(),
    )
    for estimator, check in estimator_checks_generator(model)
    # The first needs an environment variable, and concerns array types other than NumPy's. In the
    # second, other samples draw other thresholds.
    if check.func.__name__
    not in ("check_array_api_input", "check_sample_weight_equivalence_on_dense_data")
]


@pytest.mark.parametrize(("estimator", "check"), CHECKS)
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "parameters", [{}, {"max_features": 1}, {"min_samples_leaf": 5}, {"criterion": "entropy"}]
)
def test_accuracy_on_digits_is_scikit_learns(parameters):
    X, y = load_digits(return_X_y=True)
    scores = [
        [
            kind(20, random_state=seed, **parameters).fit(X[:600], y[:600]).score(X[600:], y[600:])
            for seed in range(6)
        ]
        for kind in (ExtraTreesClassifier, sklearn_ensemble.ExtraTreesClassifier)
    ]
    error = np.sqrt(sum(np.var(some, ddof=1) for some in scores) / 6)
    assert abs(np.mean(scores[0]) - np.mean(scores[1])) < 4 * error + 0.002


@pytest.mark.parametrize("max_features", [1.0, 2])
def test_error_on_diabetes_is_scikit_learns(max_features):
    X, y = load_diabetes(return_X_y=True)
    scores = [
        [
            kind(20, random_state=seed, max_features=max_features)
            .fit(X[:200], y[:200])
            .score(X[200:], y[200:])
            for seed in range(6)
        ]
        for kind in (ExtraTreesRegressor, sklearn_ensemble.ExtraTreesRegressor)
    ]
    error = np.sqrt(sum(np.var(some, ddof=1) for some in scores) / 6)
    assert abs(np.mean(scores[0]) - np.mean(scores[1])) < 4 * error + 0.005


def test_thresholds_are_uniform_between_the_extremes():
    X = np.array([[2.0], [3.0], [10.0]])
    roots = [
        ExtraTreeRegressor(random_state=seed).fit(X, [0.0, 1.0, 5.0]).tree_.threshold[0]
        for seed in range(400)
    ]
    assert stats.kstest(roots, stats.uniform(2, 8).cdf).pvalue > 1e-3


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), leaf=st.integers(1, 6), n_drawn=st.integers(1, 4))
def test_nodes_hold_the_samples_that_their_questions_send_there(seed, leaf, n_drawn):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 5, (40, 4)).astype(float)
    X[:, 1] = 3.0  # no threshold can part these
    y = rng.standard_normal(40)
    tree = (
        ExtraTreeRegressor(min_samples_leaf=leaf, max_features=n_drawn, random_state=seed)
        .fit(X, y)
        .tree_
    )
    assert 1 not in tree.feature
    assert tree.n_node_samples.min() >= leaf
    reached = tree.apply(X)
    for node in np.unique(reached):
        assert tree.n_node_samples[node] == (reached == node).sum()
        assert tree.value[node, 0, 0] == pytest.approx(y[reached == node].mean())
    if leaf == 1:  # only samples with equal features can be left together
        for node in np.unique(reached):
            rows = X[reached == node]
            assert len(rows) == 1 or np.ptp(rows, axis=0).max() == 0 or np.ptp(y) == 0


def test_the_members_are_the_trees_themselves():
    X, y = load_iris(return_X_y=True)
    forest = ExtraTreesClassifier(4, random_state=0).fit(X, y)
    for member in forest.estimators_:
        alone = ExtraTreeClassifier(**member.get_params()).fit(X, y)
        np.testing.assert_array_equal(alone.tree_.threshold, member.tree_.threshold)
    np.testing.assert_allclose(forest.member_outputs(X).mean(axis=0), forest.predict_proba(X))
    assert forest.score(X, y) == 1.0  # all see all samples


def test_the_forest_does_not_depend_on_how_many_trees_grow_together(monkeypatch):
    X, y = load_iris(return_X_y=True)
    together = ExtraTreesClassifier(7, random_state=0).fit(X, y).predict_proba(X)
    monkeypatch.setattr("lessons_lib.ensembles.forest._TOGETHER", 1)
    alone = ExtraTreesClassifier(7, random_state=0).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(together, alone)


def test_drawn_thresholds_make_trees_less_alike():
    X, y = load_diabetes(return_X_y=True)
    correlation = []
    for kind in (ExtraTreesRegressor, RandomForestRegressor):
        model = kind(40, bootstrap=False, max_features=3, random_state=0).fit(X[:200], y[:200])
        V, C = error_moments(model.member_outputs(X[200:]) - y[200:])
        correlation.append(C / V)
    assert correlation[0] < correlation[1]


def test_bad_parameters():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="oob_score=True needs bootstrap=True"):
        ExtraTreesClassifier(oob_score=True).fit(X, y)
    with pytest.raises(ValueError, match="criterion must be one of 'squared_error'"):
        ExtraTreesRegressor(criterion="gini").fit(X, y)
