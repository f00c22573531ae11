"""Bagging and random forests: scikit-learn's checks, its accuracy, and their relation."""

from __future__ import annotations

import joblib
import numpy as np
import pytest
from sklearn import ensemble as sklearn_ensemble
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from lessons_lib.ensembles import (
    BaggingClassifier,
    BaggingRegressor,
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    ensemble_mse,
    error_moments,
)
from lessons_lib.linear import Ridge

CHECKS = [
    pytest.param(estimator, check, id=f"{type(estimator).__name__}-{check.func.__name__}")
    for kind in (BaggingClassifier, BaggingRegressor, RandomForestClassifier, RandomForestRegressor)
    for estimator, check in estimator_checks_generator(kind(n_estimators=2))
    # It needs an environment variable, and concerns array types other than NumPy's.
    if check.func.__name__ != "check_array_api_input"
]

# With few members, all of them have seen some sample. scikit-learn warns as well.
few_members = pytest.mark.filterwarnings(
    "ignore:.*(were seen by every|do not have OOB):UserWarning"
)


@pytest.mark.parametrize(("estimator", "check"), CHECKS)
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


# ------------------------------------------------------------------------- accuracy, over seeds


def assert_equal_within_sampling_error(ours, theirs, slack):
    """Compare the means of two samples of scores, by their standard error."""
    error = np.sqrt(np.var(ours, ddof=1) / len(ours) + np.var(theirs, ddof=1) / len(theirs))
    assert abs(np.mean(ours) - np.mean(theirs)) < 4 * error + slack


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("RandomForestClassifier", {"n_estimators": 20}),
        ("RandomForestClassifier", {"n_estimators": 20, "criterion": "entropy"}),
        ("RandomForestClassifier", {"n_estimators": 20, "max_depth": 5, "max_samples": 0.3}),
        ("RandomForestClassifier", {"n_estimators": 20, "min_samples_leaf": 5}),
        ("BaggingClassifier", {"n_estimators": 5, "max_features": 0.5}),
    ],
    ids=str,
)
@few_members
def test_accuracy_on_digits_is_scikit_learns(name, parameters):
    parameters = {**parameters, "oob_score": name != "BaggingClassifier"}
    X, y = load_digits(return_X_y=True)
    X, y = X[:900], y[:900]
    X, X_test, y, y_test = train_test_split(X, y, random_state=0)
    ours = {
        "RandomForestClassifier": RandomForestClassifier,
        "BaggingClassifier": BaggingClassifier,
    }
    theirs = getattr(sklearn_ensemble, name)
    scores = {}
    for kind in (ours[name], theirs):
        models = [kind(random_state=seed, **parameters).fit(X, y) for seed in range(6)]
        scores[kind] = (
            [model.score(X_test, y_test) for model in models],
            [getattr(model, "oob_score_", 0.0) for model in models],
        )
    for a, b in zip(*scores.values(), strict=True):
        assert_equal_within_sampling_error(a, b, slack=0.002)


@pytest.mark.parametrize("max_features", [1.0, 3])
def test_error_on_diabetes_is_scikit_learns(max_features):
    X, y = load_diabetes(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, random_state=0, train_size=200)
    scores = []
    for kind in (RandomForestRegressor, sklearn_ensemble.RandomForestRegressor):
        models = [
            kind(20, max_features=max_features, random_state=seed).fit(X, y) for seed in range(6)
        ]
        scores.append([model.score(X_test, y_test) for model in models])
    assert_equal_within_sampling_error(*scores, slack=0.005)


# ------------------------------------------------------------------------------ how they relate


@few_members
def test_a_forest_is_bagging_of_trees_that_look_at_few_features():
    X, y = load_digits(return_X_y=True)
    X, y = X[:500], y[:500]
    forest = RandomForestClassifier(5, oob_score=True, random_state=3).fit(X, y)
    tree = DecisionTreeClassifier(max_features="sqrt")
    bagging = BaggingClassifier(tree, 5, oob_score=True, random_state=3).fit(X, y)
    for a, b in zip(forest.estimators_, bagging.estimators_, strict=True):
        for name in ("feature", "threshold", "children_left", "value", "weighted_n_node_samples"):
            np.testing.assert_array_equal(getattr(a.tree_, name), getattr(b.tree_, name))
        assert a.get_params() == b.get_params()
        np.testing.assert_array_equal(a.predict(X), b.predict(X))
    np.testing.assert_array_equal(forest.predict_proba(X), bagging.predict_proba(X))
    np.testing.assert_array_equal(forest.oob_decision_function_, bagging.oob_decision_function_)
    assert forest.oob_score_ == bagging.oob_score_


def test_a_forest_of_one_tree_without_bootstrap_is_the_tree():
    X, y = load_diabetes(return_X_y=True)
    forest = RandomForestRegressor(1, bootstrap=False).fit(X, y)
    tree = DecisionTreeRegressor().fit(X, y)
    np.testing.assert_array_equal(forest.predict(X), tree.predict(X))
    np.testing.assert_array_equal(forest.apply(X)[:, 0], tree.apply(X))
    np.testing.assert_array_equal(forest.feature_importances_, tree.feature_importances_)


def test_the_forest_does_not_depend_on_how_many_trees_grow_together(monkeypatch):
    X, y = load_iris(return_X_y=True)
    together = RandomForestClassifier(7, random_state=0).fit(X, y).predict_proba(X)
    monkeypatch.setattr("lessons_lib.ensembles.forest._TOGETHER", 1)
    alone = RandomForestClassifier(7, random_state=0).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("kind", [BaggingClassifier, RandomForestClassifier])
def test_the_result_does_not_depend_on_the_number_of_jobs(kind):
    X, y = load_iris(return_X_y=True)
    one = kind(n_estimators=5, random_state=0).fit(X, y).predict_proba(X)
    with joblib.parallel_config("threading"):
        two = kind(n_estimators=5, n_jobs=2, random_state=0).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("kind", [BaggingRegressor, RandomForestRegressor])
def test_members_explain_the_ensembles_error(kind):
    X, y = load_diabetes(return_X_y=True)
    model = kind(n_estimators=8, random_state=0, max_features=3).fit(X[:200], y[:200])
    outputs = model.member_outputs(X[200:])
    assert outputs.shape == (8, len(X) - 200)
    np.testing.assert_allclose(outputs.mean(axis=0), model.predict(X[200:]))
    V, C = error_moments(outputs - y[200:])
    assert ensemble_mse(V, C, 8) == pytest.approx(((model.predict(X[200:]) - y[200:]) ** 2).mean())
    np.testing.assert_allclose(
        outputs[3], model.estimators_[3].predict(X[200:, model.estimators_features_[3]])
    )


def test_fewer_features_make_trees_less_alike():
    X, y = load_diabetes(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, random_state=0)
    correlation = []
    for max_features in (1, 10):
        model = RandomForestRegressor(40, max_features=max_features, max_bins=64, random_state=0)
        V, C = error_moments(model.fit(X, y).member_outputs(X_test) - y_test)
        correlation.append(C / V)
    assert correlation[0] < correlation[1] - 0.05


# ----------------------------------------------------------------------- samples and out of bag


def test_bootstrap_samples_leave_out_their_share():
    X = np.arange(1000.0)[:, None]
    model = BaggingRegressor(DecisionTreeRegressor(max_depth=1), 40, random_state=0)
    seen = [len(np.unique(rows)) for rows in model.fit(X, X.ravel()).estimators_samples_]
    assert np.mean(seen) == pytest.approx(1000 * (1 - np.exp(-1)), abs=10)
    assert all(len(rows) == 1000 for rows in model.estimators_samples_)
    model.set_params(max_samples=0.3, bootstrap=False).fit(X, X.ravel())
    assert all(len(np.unique(rows)) == 300 for rows in model.estimators_samples_)


def test_out_of_bag_predictions_come_from_members_that_did_not_see_the_sample():
    X, y = load_diabetes(return_X_y=True)
    X, y = X[:150], y[:150]
    model = RandomForestRegressor(30, oob_score=True, random_state=0).fit(X, y)
    outputs = model.member_outputs(X)
    for i in range(0, 150, 7):
        unseen = [k for k, rows in enumerate(model.estimators_samples_) if i not in rows]
        assert model.oob_prediction_[i] == pytest.approx(outputs[unseen, i].mean())
    assert model.oob_score_ == pytest.approx(r2_score(y, model.oob_prediction_))
    assert model.oob_score_ < model.score(X, y) - 0.2  # the training data are known by heart


def test_out_of_bag_probabilities():
    X, y = load_iris(return_X_y=True)
    y = np.array(["a", "b", "c"])[y]
    model = BaggingClassifier(n_estimators=40, oob_score=True, random_state=0).fit(X, y)
    np.testing.assert_allclose(model.oob_decision_function_.sum(axis=1), 1.0)
    predicted = model.classes_[model.oob_decision_function_.argmax(axis=1)]
    assert model.oob_score_ == pytest.approx(accuracy_score(y, predicted))


def test_samples_that_every_member_saw_have_no_out_of_bag_prediction():
    X, y = load_iris(return_X_y=True)
    model = BaggingClassifier(n_estimators=2, oob_score=True, random_state=0)
    with pytest.warns(UserWarning, match="of 150 samples were seen by every member"):
        model.fit(X, y)
    everywhere = np.intersect1d(*model.estimators_samples_)
    missing = np.isnan(model.oob_decision_function_).all(axis=1)
    np.testing.assert_array_equal(np.flatnonzero(missing), everywhere)
    assert 0.5 < model.oob_score_ <= 1.0


@pytest.mark.parametrize(
    "model",
    [
        RandomForestClassifier(2, oob_score=True, random_state=0),
        RandomForestRegressor(2, oob_score=True, random_state=0),
        BaggingClassifier(n_estimators=2, oob_score=True, random_state=0),
        BaggingRegressor(n_estimators=2, oob_score=True, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_no_sample_out_of_bag_is_no_score(model):
    # A single row is always drawn.
    with pytest.warns(UserWarning, match="1 of 1 samples were seen by every member"):
        model.fit([[1.0]], [1])
    assert np.isnan(model.oob_score_)
    assert model.predict([[1.0]]) == [1]


def test_importances_are_shares_though_some_trees_have_no_split():
    X, y = load_iris(return_X_y=True)
    few = np.r_[0:100:10, 55]  # a bootstrap sample of few rows may hold one class only
    options = {"n_estimators": 30, "max_samples": 2, "random_state": 0}
    ours = RandomForestClassifier(**options).fit(X[few], y[few])
    n_leaves = [tree.get_n_leaves() for tree in ours.estimators_]
    assert min(n_leaves) == 1
    assert max(n_leaves) == 2
    assert ours.feature_importances_.sum() == pytest.approx(1.0)
    shares = [tree.feature_importances_ for tree in ours.estimators_ if tree.get_n_leaves() > 1]
    np.testing.assert_allclose(ours.feature_importances_, np.mean(shares, axis=0))
    constant = RandomForestClassifier(3, random_state=0).fit(np.ones((9, 2)), np.arange(9) % 2)
    np.testing.assert_array_equal(constant.feature_importances_, 0.0)


# --------------------------------------------------------------------------- any base estimator


@pytest.mark.parametrize(
    "estimator",
    [
        KNeighborsClassifier(3),
        RidgeClassifier(),  # it has no predict_proba and votes
        make_pipeline(StandardScaler(), LogisticRegression()),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_bagging_any_classifier(estimator):
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    model = BaggingClassifier(estimator, 8, max_features=3, random_state=0).fit(X, names)
    assert model.score(X, names) > 0.75
    features = model.estimators_features_[0]
    assert features.shape == (3,)
    [first] = model.member_outputs(X)[:1]
    np.testing.assert_array_equal(
        model.classes_[first.argmax(axis=1)], model.estimators_[0].predict(X[:, features])
    )


def test_bagging_a_linear_model_changes_little():
    X, y = load_diabetes(return_X_y=True)
    bagged = BaggingRegressor(Ridge(1e-3), 50, random_state=0).fit(X, y).predict(X)
    alone = Ridge(1e-3).fit(X, y).predict(X)
    assert np.corrcoef(bagged, alone)[0, 1] > 0.99


def test_members_that_never_saw_a_class():
    X = np.arange(12.0)[:, None]
    y = np.array(["x"] + ["y"] * 5 + ["z"] * 6)
    model = BaggingClassifier(n_estimators=20, random_state=0).fit(X, y)
    assert min(len(tree.classes_) for tree in model.estimators_) == 2
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)
    assert model.predict([[11.0]])[0] == "z"


def test_members_get_seeds_of_their_own():
    X, y = load_iris(return_X_y=True)
    tree = make_pipeline(StandardScaler(), DecisionTreeClassifier(max_features=1))
    model = BaggingClassifier(tree, 4, random_state=0).fit(X, y)
    seeds = [member[-1].random_state for member in model.estimators_]
    assert len(set(seeds)) == 4
    assert tree[-1].random_state is None  # the original is not changed
    again = BaggingClassifier(tree, 4, random_state=0).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), again.predict_proba(X))


@pytest.mark.parametrize("kind", [np.random.default_rng, np.random.RandomState])
def test_random_state_may_be_a_generator(kind):
    X, y = load_iris(return_X_y=True)
    a, b = (RandomForestClassifier(3, random_state=kind(1)).fit(X, y) for _ in range(2))
    np.testing.assert_array_equal(a.predict_proba(X), b.predict_proba(X))
    generator = kind(1)
    samples = [
        RandomForestClassifier(1, random_state=generator).fit(X, y).estimators_samples_[0]
        for _ in range(2)
    ]
    assert not np.array_equal(*samples)


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (BaggingClassifier(n_estimators=0), ValueError, "n_estimators must be at least 1"),
        (BaggingClassifier(max_samples=1.5), ValueError, r"max_samples must lie in \(0, 1\]"),
        (BaggingClassifier(max_samples=0), ValueError, "max_samples must be at least 1"),
        (
            BaggingClassifier(max_samples=151, bootstrap=False),
            ValueError,
            "max_samples must be at most 150",
        ),
        (BaggingClassifier(max_features=5), ValueError, "max_features must be at most 4"),
        (BaggingClassifier(bootstrap="yes"), TypeError, "bootstrap must be True or False"),
        (
            BaggingClassifier(bootstrap=False, oob_score=True),
            ValueError,
            "oob_score=True needs bootstrap=True",
        ),
        (
            RandomForestClassifier(bootstrap=False, max_samples=10),
            ValueError,
            "max_samples must be None with bootstrap=False",
        ),
        (RandomForestClassifier(max_features="half"), ValueError, "max_features must be 'sqrt'"),
        (RandomForestRegressor(criterion="gini"), ValueError, "criterion must be 'squared_error'"),
        (RandomForestClassifier(random_state=0.5), TypeError, "random_state must be an integer"),
    ],
)
def test_bad_parameters(model, error, message):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(error, match=message):
        model.fit(X, y)
