"""AdaBoost: equal to scikit-learn's, coordinate descent on the exponential loss, margins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import ensemble as sklearn_ensemble
from sklearn import tree as sklearn_tree
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils.estimator_checks import estimator_checks_generator

from lessons_lib.ensembles import AdaBoostClassifier

CHECKS = [
    pytest.param(estimator, check, id=check.func.__name__)
    for estimator, check in estimator_checks_generator(AdaBoostClassifier(n_estimators=5))
    # The first needs an environment variable, and concerns array types other than NumPy's. In
    # the second, rounding decides between splits that cut off the same sample.
    if check.func.__name__
    not in ("check_array_api_input", "check_sample_weight_equivalence_on_dense_data")
]


@pytest.mark.parametrize(("estimator", "check"), CHECKS)
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("load", [load_breast_cancer, load_iris, load_wine])
@pytest.mark.parametrize("learning_rate", [1.0, 0.3])
@pytest.mark.parametrize("depth", [1, 2])
def test_equals_scikit_learn(load, learning_rate, depth):
    X, y = load(return_X_y=True)
    # With such weights no two splits are equally good, unless they part the samples alike.
    weight = np.random.default_rng(0).uniform(0.5, 2.0, len(y))
    base = sklearn_tree.DecisionTreeClassifier(max_depth=depth)
    ours, theirs = (
        kind(base, n_estimators=30, learning_rate=learning_rate).fit(X, y, weight)
        for kind in (AdaBoostClassifier, sklearn_ensemble.AdaBoostClassifier)
    )
    np.testing.assert_allclose(ours.estimator_errors_, theirs.estimator_errors_, atol=1e-9)
    np.testing.assert_allclose(ours.estimator_weights_, theirs.estimator_weights_, rtol=1e-7)
    for a, b in zip(ours.staged_predict(X), theirs.staged_predict(X), strict=True):
        np.testing.assert_array_equal(a, b)
    decision, n_classes = theirs.decision_function(X), len(ours.classes_)
    if n_classes == 2:
        np.testing.assert_allclose(ours.decision_function(X), decision / 2, atol=1e-9)
    else:
        shares = ours.decision_function(X)
        np.testing.assert_allclose((n_classes * shares - 1) / (n_classes - 1), decision, atol=1e-9)


def test_the_default_is_a_stump_of_ours():
    X, y = load_breast_cancer(return_X_y=True)
    weight = np.random.default_rng(0).uniform(0.5, 2.0, len(y))
    model = AdaBoostClassifier(n_estimators=10).fit(X, y, weight)
    theirs = sklearn_ensemble.AdaBoostClassifier(n_estimators=10).fit(X, y, weight)
    np.testing.assert_allclose(model.estimator_errors_, theirs.estimator_errors_)
    assert all(tree.get_depth() == 1 for tree in model.estimators_)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), n_rounds=st.integers(1, 15))
def test_votes_are_coordinate_descent_on_the_exponential_loss(seed, n_rounds):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((40, 3))
    sign = np.sign(X[:, 0] + 0.7 * rng.standard_normal(40))
    model = AdaBoostClassifier(n_estimators=n_rounds).fit(X, sign)
    if model.estimator_errors_[-1] == 0:
        return
    F = np.zeros(40)
    for tree, vote in zip(model.estimators_, model.estimator_weights_, strict=True):
        h = tree.predict(X)

        def loss(step, F=F, h=h):
            return np.exp(-sign * (F + step * h)).mean()

        best = vote / 2
        slope = (loss(best + 1e-5) - loss(best - 1e-5)) / 2e-5
        assert abs(slope) < 1e-6  # no other step along h is better: the loss is convex
        F = F + best * h
    margins = sign * F / np.abs(model.estimator_weights_ / 2).sum()
    np.testing.assert_allclose(model.margins(X, sign), margins)


@pytest.mark.parametrize("load", [load_breast_cancer, load_wine])
def test_margins(load):
    X, y = load(return_X_y=True)
    names = np.array(["a", "b", "c"])[y]
    model = AdaBoostClassifier(n_estimators=25).fit(X[::3], names[::3])
    margins = model.margins(X, names)
    assert np.all(np.abs(margins) <= 1)
    np.testing.assert_array_equal(margins > 0, model.predict(X) == names)
    np.testing.assert_allclose(model.votes(X).sum(axis=1), 1.0)
    stages = list(model.staged_margins(X, names))
    assert len(stages) == len(model.estimators_)
    np.testing.assert_array_equal(stages[-1], margins)
    with pytest.raises(ValueError, match="y must hold classes of the training data"):
        model.margins(X, np.full(len(X), "d"))


def test_margins_grow_after_the_training_error_is_zero():
    X, y = load_breast_cancer(return_X_y=True)
    X, y = X[::2], y[::2]
    model = AdaBoostClassifier(n_estimators=200).fit(X, y)
    stages = list(model.staged_margins(X, y))
    first = next(t for t, margins in enumerate(stages) if margins.min() > 0)
    assert first < 100
    assert stages[-1].min() > 2 * stages[first].min()


def test_a_copy_without_mistakes_ends_the_rounds():
    X = np.arange(10.0)[:, None]
    model = AdaBoostClassifier(n_estimators=10).fit(X, X.ravel() > 4)
    assert len(model.estimators_) == 1
    np.testing.assert_array_equal(model.margins(X, X.ravel() > 4), 1.0)


def test_bad_arguments():
    X, y = load_iris(return_X_y=True)
    for model, message in [
        (AdaBoostClassifier(n_estimators=0), "n_estimators must be at least 1"),
        (AdaBoostClassifier(learning_rate=0.0), "learning_rate must lie in"),
        (AdaBoostClassifier(KNeighborsClassifier()), "estimator must accept sample_weight"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.fit(X, y)
    with pytest.raises(ValueError, match="at least 2 classes, got 1"):
        AdaBoostClassifier().fit(X[:50], y[:50])
    with pytest.raises(ValueError, match="better than guessing, but the first copy was wrong for"):
        AdaBoostClassifier().fit(np.zeros((4, 1)), [0, 1, 0, 1])
