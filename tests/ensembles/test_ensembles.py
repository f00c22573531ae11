"""Bagging and random forests: scikit-learn's checks, its accuracy, and their relation."""

from __future__ import annotations

import os

import joblib
import numpy as np
import pytest
import scipy.stats
from sklearn import ensemble as sklearn_ensemble
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.exceptions import NotFittedError
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
    # The first needs an environment variable, and concerns array types other than NumPy's. The
    # second does not hold for scikit-learn's either: draws from repeated rows are other draws.
    if check.func.__name__
    not in ("check_array_api_input", "check_sample_weight_equivalence_on_dense_data")
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
    for estimator, n_known in ((KNeighborsClassifier(1), 2), (DecisionTreeClassifier(), 3)):
        # Only a member that takes weights knows of a class that was not drawn.
        model = BaggingClassifier(estimator, n_estimators=20, random_state=0).fit(X, y)
        assert min(len(member.classes_) for member in model.estimators_) == n_known
        np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)
        assert model.predict([[11.0]])[0] == "z"


def test_a_class_so_rare_that_a_draw_misses_it():
    n_misses = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        X, y = rng.standard_normal((1000, 2)), np.zeros(1000, int)
        y[:3], X[:3] = 1, 5.0
        model = BaggingClassifier(LogisticRegression(), 20, random_state=seed).fit(X, y)
        n_misses += any(not y[rows].any() for rows in model.estimators_samples_)
        np.testing.assert_array_equal(model.predict([[5.0, 5.0], [0.0, 0.0]]), [1, 0])
    assert n_misses >= 5


@pytest.mark.parametrize("estimator", [LogisticRegression(max_iter=1000), DecisionTreeClassifier()])
def test_counts_as_weights_are_repeated_rows(estimator):
    X, y = load_iris(return_X_y=True)
    model = BaggingClassifier(estimator, 5, random_state=0).fit(X, y)
    for member, rows in zip(model, model.estimators_samples_, strict=True):
        repeated = clone(member).fit(X[rows], y[rows])
        np.testing.assert_allclose(
            member.predict_proba(X), repeated.predict_proba(X), rtol=0.01, atol=1e-3
        )


# ------------------------------------------------------------------------------------- weights

ENSEMBLES = [
    BaggingClassifier(n_estimators=300, random_state=0),
    BaggingClassifier(KNeighborsClassifier(), n_estimators=300, random_state=0),
    BaggingRegressor(n_estimators=300, random_state=0),
    RandomForestClassifier(300, random_state=0),
    RandomForestRegressor(300, random_state=0),
]


@pytest.mark.parametrize("model", ENSEMBLES, ids=lambda model: type(model).__name__)
def test_samples_are_drawn_in_proportion_to_their_weights(model):
    X, y = load_iris(return_X_y=True)
    weight = np.arange(150.0) % 4
    model = clone(model).set_params(max_samples=50).fit(X, y, weight)
    drawn = sum(np.bincount(rows, minlength=150) for rows in model.estimators_samples_)
    expected = 300 * 50 * weight / weight.sum()
    assert np.all(drawn[weight == 0] == 0)
    kept = weight > 0
    chi_square = np.sum((drawn[kept] - expected[kept]) ** 2 / expected[kept])
    assert chi_square < scipy.stats.chi2.ppf(0.999, kept.sum() - 1)
    equal = clone(model).fit(X, y, np.full(150, 0.1))
    unweighted = clone(model).fit(X, y)
    np.testing.assert_array_equal(equal.predict(X), unweighted.predict(X))
    huge = clone(model).fit(X, y, weight * 2.0**900)
    np.testing.assert_array_equal(huge.predict(X), model.predict(X))


@pytest.mark.parametrize("kind", [RandomForestClassifier, RandomForestRegressor])
def test_without_draws_the_trees_get_the_weights(kind):
    X, y = load_iris(return_X_y=True)
    weight = np.random.default_rng(0).integers(0, 4, 150).astype(float)
    forest = kind(1, bootstrap=False, max_features=None, max_depth=3).fit(X, y, weight)
    tree = forest.estimator_.fit(X, y, weight)
    np.testing.assert_array_equal(forest.predict(X), tree.predict(X))
    np.testing.assert_array_equal(forest.estimators_samples_[0], np.flatnonzero(weight))


def test_weights_count_in_the_out_of_bag_score():
    X, y = load_iris(return_X_y=True)
    weight = np.random.default_rng(0).uniform(0.5, 2.0, 150)
    options = {"n_estimators": 40, "oob_score": True, "random_state": 0}
    forest = RandomForestClassifier(**options).fit(X, y, weight)
    predicted = forest.oob_decision_function_.argmax(axis=1)
    assert forest.oob_score_ == accuracy_score(y, predicted, sample_weight=weight)
    regression = RandomForestRegressor(**options).fit(X, y, weight)
    expected = r2_score(y, regression.oob_prediction_, sample_weight=weight)
    assert regression.oob_score_ == pytest.approx(expected)


@pytest.mark.parametrize("class_weight", ["balanced", {0: 2.0, 2: 0.5}, "balanced_subsample"])
@pytest.mark.parametrize("bootstrap", [True, False])
def test_class_weights_equal_scikit_learns(class_weight, bootstrap):
    X, y = load_iris(return_X_y=True)
    rows = np.r_[0:50, 50:80, 100:110]
    X, y = X[rows], y[rows]
    options = {"class_weight": class_weight, "bootstrap": bootstrap, "random_state": 0}
    shares = []
    for kind in (RandomForestClassifier, sklearn_ensemble.RandomForestClassifier):
        forest = kind(400, **options).fit(X, y)
        roots = [tree.tree_.value[0].ravel() for tree in forest.estimators_]
        shares.append(np.mean(roots, axis=0))
    assert shares[0] == pytest.approx(shares[1], abs=0.01 if bootstrap else 1e-9)
    if class_weight == "balanced_subsample":
        roots = np.array([tree.tree_.value[0].ravel() for tree in forest])
        np.testing.assert_allclose(roots, np.full((400, 3), 1 / 3))


def test_a_forest_for_a_rare_class():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((2000, 2)), np.zeros(2000, int)
    y[:20], X[:20] = 1, rng.normal(1.5, 1.0, (20, 2))
    options = {"min_samples_leaf": 5, "random_state": 0}
    plain = RandomForestClassifier(50, **options).fit(X, y)
    balanced = RandomForestClassifier(50, class_weight="balanced", **options).fit(X, y)
    assert plain.predict([[2.5, 2.5]]) == 0
    assert balanced.predict([[2.5, 2.5]]) == 1


# ------------------------------------------------------------------------ what else is expected


@pytest.mark.parametrize("model", ENSEMBLES, ids=lambda model: type(model).__name__)
def test_an_ensemble_is_a_sequence_of_its_members(model):
    X, y = load_iris(return_X_y=True)
    model = clone(model).set_params(n_estimators=3)
    with pytest.raises(NotFittedError):
        len(model)
    model.fit(X, y)
    assert len(model) == 3
    assert model[1] is model.estimators_[1]
    assert list(model) == model.estimators_
    assert type(model.estimator_) is type(model[0])
    assert not hasattr(model.estimator_, "n_features_in_")


@pytest.mark.parametrize("kind", [BaggingClassifier, RandomForestClassifier])
def test_logarithms_of_probabilities(kind):
    X, y = load_iris(return_X_y=True)
    model = kind(n_estimators=10, random_state=0).fit(X, y)
    np.testing.assert_array_equal(
        np.exp(model.predict_log_proba(X)) > 0, model.predict_proba(X) > 0
    )
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), model.predict_proba(X))


def test_the_decision_path_of_a_forest_is_that_of_its_trees():
    X, y = load_iris(return_X_y=True)
    forest = RandomForestClassifier(3, random_state=0).fit(X, y)
    indicator, starts = forest.decision_path(X)
    assert indicator.shape == (150, starts[-1])
    for i, tree in enumerate(forest):
        part = indicator[:, starts[i] : starts[i + 1]].toarray()
        np.testing.assert_array_equal(part, tree.decision_path(X).toarray())
        np.testing.assert_array_equal(part[np.arange(150), forest.apply(X)[:, i]], 1)


def test_threads_share_the_process():
    # Processes would take seconds to start, and could not fit a class that is defined here.
    class Local(DecisionTreeClassifier):
        def fit(self, X, y, sample_weight=None):
            self.process_ = os.getpid()
            return super().fit(X, y, sample_weight)

    X, y = load_iris(return_X_y=True)
    model = BaggingClassifier(Local(), 4, n_jobs=2, random_state=0).fit(X, y)
    assert {member.process_ for member in model} == {os.getpid()}


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
        (
            RandomForestRegressor(criterion="gini"),
            ValueError,
            "criterion must be one of 'squared_error'",
        ),
        (RandomForestClassifier(class_weight="even"), ValueError, "class_weight must be a dict"),
        (RandomForestClassifier(class_weight={7: 1}), ValueError, r"class_weight names \[7\]"),
        (RandomForestClassifier(class_weight={0: -1}), ValueError, r"class_weight\[0\] must"),
        (RandomForestClassifier(random_state=0.5), TypeError, "random_state must be an integer"),
    ],
)
def test_bad_parameters(model, error, message):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(error, match=message):
        model.fit(X, y)
