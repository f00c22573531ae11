"""Stacking: equal to scikit-learn's, on predictions out of fold."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import ensemble as sklearn_ensemble
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.model_selection import KFold, ShuffleSplit, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.utils.estimator_checks import estimator_checks_generator

from lessons_lib.ensembles import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    StackingClassifier,
    StackingRegressor,
)

REGRESSORS = [
    ("tree", DecisionTreeRegressor(max_depth=4)),
    ("line", LinearRegression()),
    ("neighbors", KNeighborsRegressor()),
]
CLASSIFIERS = [
    ("tree", DecisionTreeClassifier(max_depth=3)),
    ("votes", RidgeClassifier()),  # it has no probabilities
    ("neighbors", KNeighborsClassifier()),
]
CHECKS = [
    pytest.param(estimator, check, id=f"{type(estimator).__name__}-{check.func.__name__}")
    for model in (
        StackingClassifier([("a", LogisticRegression()), ("b", DecisionTreeClassifier())], cv=3),
        StackingRegressor([("a", LinearRegression()), ("b", DecisionTreeRegressor())], cv=3),
    )
    for estimator, check in estimator_checks_generator(model)
    # It needs an environment variable, and concerns array types other than NumPy's.
    if check.func.__name__ != "check_array_api_input"
]


@pytest.mark.parametrize(("estimator", "check"), CHECKS)
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("cv", [None, 3, KFold(4, shuffle=True, random_state=0)], ids=str)
@pytest.mark.parametrize("passthrough", [False, True])
def test_regression_equals_scikit_learn(cv, passthrough):
    X, y = load_diabetes(return_X_y=True)
    ours, theirs = (
        kind(REGRESSORS, LinearRegression(), cv=cv, passthrough=passthrough).fit(X[:300], y[:300])
        for kind in (StackingRegressor, sklearn_ensemble.StackingRegressor)
    )
    np.testing.assert_allclose(ours.transform(X), theirs.transform(X))
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X))
    np.testing.assert_allclose(ours.final_estimator_.coef_, theirs.final_estimator_.coef_)


@pytest.mark.parametrize("load", [load_breast_cancer, load_iris])
def test_classification_equals_scikit_learn(load):
    X, y = load(return_X_y=True)
    names = np.array(["a", "b", "c"])[y]
    ours, theirs = (
        kind(CLASSIFIERS).fit(X[::2], names[::2])
        for kind in (StackingClassifier, sklearn_ensemble.StackingClassifier)
    )
    np.testing.assert_allclose(ours.transform(X), theirs.transform(X))
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-9)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


def test_the_final_model_sees_predictions_out_of_fold():
    X, y = load_diabetes(return_X_y=True)
    model = StackingRegressor(REGRESSORS, LinearRegression()).fit(X, y)
    unseen = np.column_stack([cross_val_predict(m, X, y, cv=5) for _, m in REGRESSORS])
    expected = LinearRegression().fit(unseen, y)
    np.testing.assert_allclose(model.final_estimator_.coef_, expected.coef_)


def test_stacking_on_training_rows_believes_in_what_overfits():
    X, y = load_diabetes(return_X_y=True)
    models = [("tree", DecisionTreeRegressor()), ("line", LinearRegression())]
    rows = np.arange(200)
    honest = StackingRegressor(models, LinearRegression()).fit(X[rows], y[rows])
    naive = StackingRegressor(models, LinearRegression(), cv=[(rows, rows)]).fit(X[rows], y[rows])
    np.testing.assert_allclose(naive.final_estimator_.coef_, [1, 0], atol=1e-9)
    assert honest.final_estimator_.coef_[0] < 0.3
    assert honest.score(X[200:], y[200:]) > naive.score(X[200:], y[200:]) + 0.2


def test_a_fold_without_a_class():
    X, y = load_iris(return_X_y=True)
    model = StackingClassifier([("tree", DecisionTreeClassifier())], cv=KFold(3)).fit(X, y)
    assert model.transform(X).shape == (150, 3)


def test_parameters_inside_can_be_set():
    model = StackingRegressor(REGRESSORS)
    assert model.get_params()["tree__max_depth"] == 4
    model = StackingRegressor([("tree", DecisionTreeRegressor())]).set_params(tree__max_depth=1)
    X, y = load_diabetes(return_X_y=True)
    assert model.fit(X, y).estimators_[0].get_depth() == 1


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (StackingRegressor([]), "estimators must be a list of pairs"),
        (StackingRegressor([LinearRegression()]), "estimators must hold pairs"),
        (StackingRegressor([("a", LinearRegression())] * 2), "not unique"),
        (StackingRegressor(REGRESSORS, cv=ShuffleSplit(2)), "cv must predict every row once"),
    ],
)
def test_bad_arguments(model, message):
    X, y = load_diabetes(return_X_y=True)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
