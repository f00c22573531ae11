"""Gradient boosting: equal to scikit-learn's, with a leaf penalty to XGBoost's, and its rules."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special
from sklearn import ensemble as sklearn_ensemble
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.estimator_checks import estimator_checks_generator

from lessons_lib.ensembles import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    LogisticLoss,
    MultinomialLoss,
    SquaredLoss,
    best_splits,
    newton_leaf_values,
    penalized_score,
)
from lessons_lib.ensembles.growth import Settings, grow_trees

CHECKS = [
    pytest.param(estimator, check, id=f"{type(estimator).__name__}-{check.func.__name__}")
    for kind in (GradientBoostingClassifier, GradientBoostingRegressor)
    for estimator, check in estimator_checks_generator(kind(n_estimators=5))
    # The first needs an environment variable, and concerns array types other than NumPy's. In
    # the second, rounding decides between splits that cut off the same sample; scikit-learn's own
    # classes fail it too.
    if check.func.__name__
    not in ("check_array_api_input", "check_sample_weight_equivalence_on_dense_data")
]


@pytest.mark.parametrize(("estimator", "check"), CHECKS)
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def problem(seed=0, n_samples=300):
    """Return data without ties, in float32, in which scikit-learn and XGBoost compute."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_samples, 5)).astype(np.float32).astype(np.float64)
    y = X[:, 0] + np.sin(3 * X[:, 1]) + X[:, 2] * X[:, 3] + 0.3 * rng.standard_normal(n_samples)
    return X, y


X, Y = problem()
X_NEW, Y_NEW = problem(seed=1)
TARGETS = {
    "regression": Y,
    "two classes": np.array(["no", "yes"])[(Y > 0).astype(int)],
    "three classes": np.digitize(Y, [-1, 1]),
}


# Classes are whole numbers: without weights, many splits of the first round are equally good.
WEIGHT = np.random.default_rng(7).uniform(0.5, 2.0, len(X))


def models(kind, **parameters):
    """Return our model and scikit-learn's, fitted to the same data."""
    name = "GradientBoostingRegressor" if kind == "regression" else "GradientBoostingClassifier"
    ours = {
        "GradientBoostingRegressor": GradientBoostingRegressor,
        "GradientBoostingClassifier": GradientBoostingClassifier,
    }[name]
    theirs = getattr(sklearn_ensemble, name)
    return [model(**parameters).fit(X, TARGETS[kind], WEIGHT) for model in (ours, theirs)]


# ------------------------------------------------------------------------- equal to scikit-learn


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize(
    "parameters",
    [
        # Leaves of one sample can be cut off by several features equally well: ties, with which
        # the trees differ between samples.
        {"min_samples_leaf": 10},
        {"min_samples_leaf": 0.05, "max_depth": 2, "learning_rate": 0.5},
        {"min_samples_leaf": 10, "max_depth": None, "min_samples_split": 60, "n_estimators": 20},
        {"min_samples_leaf": 20, "init": "zero", "n_estimators": 30},
        {
            "min_samples_leaf": 10,
            "n_iter_no_change": 4,
            "n_estimators": 400,
            "learning_rate": 0.4,
            "random_state": 3,
        },
    ],
    ids=str,
)
def test_equals_scikit_learn(kind, parameters):
    ours, theirs = models(kind, **parameters)
    assert ours.n_estimators_ == theirs.n_estimators_
    np.testing.assert_allclose(ours.train_score_, theirs.train_score_, rtol=1e-9)
    for rows in (X, X_NEW):
        for a, b in zip(ours.staged_predict(rows), theirs.staged_predict(rows), strict=True):
            if kind == "regression":
                np.testing.assert_allclose(a, b, atol=1e-9)
            else:
                np.testing.assert_array_equal(a, b)
        if kind != "regression":
            np.testing.assert_allclose(
                ours.decision_function(rows), theirs.decision_function(rows), atol=1e-8
            )
            np.testing.assert_allclose(
                ours.predict_proba(rows), theirs.predict_proba(rows), atol=1e-9
            )
    if parameters.get("n_iter_no_change"):
        assert ours.n_estimators_ < parameters["n_estimators"]


def test_without_weights_equals_scikit_learn():
    theirs = sklearn_ensemble.GradientBoostingRegressor(min_samples_leaf=10).fit(X, Y)
    ours = GradientBoostingRegressor(min_samples_leaf=10).fit(X, Y)
    np.testing.assert_allclose(ours.predict(X_NEW), theirs.predict(X_NEW), atol=1e-9)


def test_whole_weights_are_repetitions():
    times = np.random.default_rng(0).integers(1, 4, len(X))
    weighted = GradientBoostingRegressor(n_estimators=5).fit(X, Y, times)
    repeated = GradientBoostingRegressor(n_estimators=5)
    repeated.fit(X.repeat(times, axis=0), Y.repeat(times))
    # Not at new inputs: rounding decides between features that part the samples alike.
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X))


@pytest.mark.parametrize("kind", TARGETS)
def test_starting_from_another_model_equals_scikit_learn(kind):
    tree = DecisionTreeRegressor if kind == "regression" else DecisionTreeClassifier
    init = tree(max_depth=2)
    ours, theirs = models(kind, min_samples_leaf=10, n_estimators=20, init=init)
    assert ours.init is init
    assert ours.init_ is not init  # scikit-learn fits the one that it is given
    predict = "predict" if kind == "regression" else "predict_proba"
    np.testing.assert_allclose(
        getattr(ours, predict)(X_NEW), getattr(theirs, predict)(X_NEW), atol=1e-9
    )


def test_subsampling_is_as_good_as_scikit_learns():
    scores = []
    for kind in (GradientBoostingRegressor, sklearn_ensemble.GradientBoostingRegressor):
        scores.append(
            [
                kind(subsample=0.5, max_features=2, n_estimators=60, random_state=seed)
                .fit(X, Y)
                .score(X_NEW, Y_NEW)
                for seed in range(8)
            ]
        )
    difference = np.mean(scores[0]) - np.mean(scores[1])
    error = np.sqrt(np.var(scores[0], ddof=1) / 8 + np.var(scores[1], ddof=1) / 8)
    assert abs(difference) < 4 * error + 0.005


# ------------------------------------------------------------------------------ equal to XGBoost


def xgb(kind, reg_lambda, **parameters):
    return kind(
        n_estimators=50,
        max_depth=3,
        reg_lambda=reg_lambda,
        tree_method="exact",
        n_jobs=1,
        **{"learning_rate": 0.1, "min_child_weight": 0, **parameters},
    )


@pytest.mark.parametrize("reg_lambda", [0.0, 1.0, 30.0])
def test_leaf_penalty_equals_xgboost(reg_lambda):
    # With curvature 1 the least weight of a child is the least number of its samples.
    theirs = xgb(
        xgboost.XGBRegressor, reg_lambda, base_score=float(Y.mean()), min_child_weight=10
    ).fit(X, Y)
    ours = GradientBoostingRegressor(n_estimators=50, reg_lambda=reg_lambda, min_samples_leaf=10)
    ours.fit(X, Y)
    for rows in (X, X_NEW):
        np.testing.assert_allclose(ours.predict(rows), theirs.predict(rows), atol=1e-5)


@pytest.mark.parametrize("reg_lambda", [0.0, 1.0])
def test_newton_criterion_equals_xgboost(reg_lambda):
    y = (Y > 0).astype(int)
    base = float(np.average(y, weights=WEIGHT))
    theirs = xgb(xgboost.XGBClassifier, reg_lambda, base_score=base).fit(X, y, sample_weight=WEIGHT)
    ours = GradientBoostingClassifier(n_estimators=50, criterion="newton", reg_lambda=reg_lambda)
    np.testing.assert_allclose(
        ours.fit(X, y, WEIGHT).predict_proba(X), theirs.predict_proba(X), atol=1e-5
    )


@pytest.mark.parametrize("reg_lambda", [0.0, 2.0])
def test_newton_criterion_with_several_classes_equals_xgboost(reg_lambda):
    # XGBoost's curvature has a factor 2 where ours has K/(K-1) = 3/2.
    y = TARGETS["three classes"]
    theirs = xgb(xgboost.XGBClassifier, reg_lambda, base_score=0.5).fit(X, y, sample_weight=WEIGHT)
    ours = GradientBoostingClassifier(
        n_estimators=50,
        criterion="newton",
        init="zero",
        reg_lambda=0.75 * reg_lambda,
        learning_rate=0.1 * 0.75,
    )
    np.testing.assert_allclose(
        ours.fit(X, y, WEIGHT).predict_proba(X), theirs.predict_proba(X), atol=1e-5
    )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), reg_lambda=st.floats(0.01, 100))
def test_penalized_split_minimizes_the_penalized_loss(seed, reg_lambda):
    rng = np.random.default_rng(seed)
    x, y = np.sort(rng.standard_normal(12)), rng.standard_normal(12) + 1

    def least(values):
        return optimize.minimize_scalar(
            lambda v: 0.5 * ((values - v) ** 2).sum() + 0.5 * reg_lambda * v**2
        ).fun

    gain, threshold = best_splits(x[:, None], y[:, None], np.ones(12), penalized_score(reg_lambda))
    loss = [least(y[:i]) + least(y[i:]) for i in range(1, 12)]
    assert gain[0] / 2 == pytest.approx(least(y) - min(loss), abs=1e-6)
    [tree] = grow_trees(
        x[:, None],
        y,
        np.ones((1, 12)),
        Settings("squared_error", 0, max_depth=1, reg_lambda=reg_lambda),
        [rng],
    )
    assert (tree.node_count == 3) == (gain[0] > 0)
    if tree.node_count == 3:
        assert tree.threshold[0] == threshold[0]


def test_a_large_leaf_penalty_leaves_nothing():
    model = GradientBoostingRegressor(reg_lambda=1e9, n_estimators=3).fit(X, Y)
    np.testing.assert_allclose(model.predict(X), Y.mean(), atol=1e-5)
    norms = [
        np.abs(
            GradientBoostingRegressor(reg_lambda=reg_lambda, n_estimators=1)
            .fit(X, Y)
            .estimators_[0, 0]
            .tree_.value
        ).max()
        for reg_lambda in (0.0, 1.0, 10.0, 100.0)
    ]
    assert all(a > b for a, b in itertools.pairwise(norms))


# --------------------------------------------------------------------------------- derivatives


@pytest.mark.parametrize(
    ("loss", "half"), [(SquaredLoss(), 2.0), (LogisticLoss(), 2.0), (MultinomialLoss(4), 1.0)]
)
def test_derivatives_of_the_losses(loss, half):
    rng = np.random.default_rng(0)
    raw = rng.standard_normal((6, loss.n_outputs))
    y = rng.integers(0, max(2, loss.n_outputs), 6)
    eps = 1e-4
    for k in range(loss.n_outputs):
        step = np.zeros_like(raw)
        step[:, k] = eps
        below, middle, above = (
            np.array([loss.value(y[i : i + 1], r[i : i + 1]) for i in range(6)]) / half
            for r in (raw - step, raw, raw + step)
        )
        np.testing.assert_allclose(
            -(above - below) / (2 * eps), loss.negative_gradient(y, raw)[:, k], atol=1e-6
        )
        factor = loss.n_outputs / (loss.n_outputs - 1) if loss.n_outputs > 1 else 1.0
        np.testing.assert_allclose(
            (above - 2 * middle + below) / eps**2 * factor, loss.curvature(y, raw)[:, k], atol=1e-5
        )


def test_links_undo_the_outputs():
    p = np.random.default_rng(0).dirichlet(np.ones(3), 5)
    np.testing.assert_allclose(special.softmax(MultinomialLoss(3).link(p), axis=1), p)
    two = np.column_stack((1 - p[:, 0], p[:, 0]))
    np.testing.assert_allclose(special.expit(LogisticLoss().link(two))[:, 0], p[:, 0])
    assert np.isfinite(LogisticLoss().link(np.array([[1.0, 0.0]]))).all()


def test_leaf_values_without_curvature_are_zero():
    [tree] = grow_trees(
        np.array([[0.0], [1.0]]),
        np.array([0.0, 1.0]),
        np.ones((1, 2)),
        Settings("squared_error", 0),
        [np.random.default_rng(0)],
    )
    leaf = np.array([1, 2])
    values = newton_leaf_values(tree, leaf, np.array([1.0, 3.0]), np.array([0.0, 2.0]), 0.0)
    np.testing.assert_array_equal(values, [0.0, 0.0, 1.5])


# -------------------------------------------------------------------------------- what it does


@pytest.mark.parametrize("kind", TARGETS)
def test_the_stages_end_in_the_prediction(kind):
    ours, _ = models(kind, n_estimators=7)
    assert ours.estimators_.shape == (7, 3 if kind == "three classes" else 1)
    *_, last = ours.staged_predict(X_NEW)
    np.testing.assert_array_equal(last, ours.predict(X_NEW))
    if kind == "regression":
        by_hand = np.average(Y, weights=WEIGHT) + 0.1 * sum(
            tree.predict(X_NEW) for [tree] in ours.estimators_
        )
        np.testing.assert_allclose(by_hand, last)
        stages = list(ours.staged_predict(X))
        losses = [np.average((Y - stage) ** 2, weights=WEIGHT) for stage in stages]
        np.testing.assert_allclose(losses, ours.train_score_)
    else:
        *_, last = ours.staged_predict_proba(X_NEW)
        np.testing.assert_array_equal(last, ours.predict_proba(X_NEW))
        np.testing.assert_allclose(last.sum(axis=1), 1.0)
        *_, last = ours.staged_decision_function(X_NEW)
        np.testing.assert_array_equal(last, ours.decision_function(X_NEW))


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    depth=st.integers(1, 4),
    rate=st.floats(0.05, 1.0),
    reg_lambda=st.floats(0.0, 20.0),
)
def test_the_training_error_falls_with_every_round(seed, depth, rate, reg_lambda):
    X, y = problem(seed, 60)
    model = GradientBoostingRegressor(
        n_estimators=10, max_depth=depth, learning_rate=rate, reg_lambda=reg_lambda
    ).fit(X, y)
    assert np.all(np.diff(model.train_score_) <= 1e-12)
    assert model.train_score_[0] <= y.var()


def test_one_round_of_full_trees_is_the_tree_and_moves_with_the_target():
    model = GradientBoostingRegressor(n_estimators=1, learning_rate=1.0, max_depth=None)
    np.testing.assert_allclose(model.fit(X, Y).predict(X), Y)
    a = GradientBoostingRegressor(reg_lambda=2.0, n_estimators=20).fit(X, Y).predict(X)
    b = GradientBoostingRegressor(reg_lambda=2.0, n_estimators=20).fit(X, 3 * Y + 5).predict(X)
    np.testing.assert_allclose(3 * a + 5, b)


def test_subsampling_measures_out_of_bag():
    model = GradientBoostingRegressor(subsample=0.5, n_estimators=50, random_state=0).fit(X, Y)
    assert model.oob_improvement_.shape == model.train_score_.shape == (50,)
    assert model.oob_improvement_[0] > 0.05
    again = GradientBoostingRegressor(subsample=0.5, n_estimators=50, random_state=0).fit(X, Y)
    np.testing.assert_array_equal(model.predict(X_NEW), again.predict(X_NEW))
    other = GradientBoostingRegressor(subsample=0.5, n_estimators=50, random_state=1).fit(X, Y)
    assert np.abs(model.predict(X_NEW) - other.predict(X_NEW)).max() > 0.01
    model.set_params(subsample=1.0).fit(X, Y)
    assert not hasattr(model, "oob_improvement_")


def test_bins_of_few_values_change_nothing():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 6, (400, 4)).astype(float)
    y = X @ [1.0, -1.0, 0.5, 0.2] + rng.standard_normal(400)
    exact = GradientBoostingRegressor(n_estimators=10, reg_lambda=1.0).fit(X, y).predict(X)
    binned = GradientBoostingRegressor(n_estimators=10, reg_lambda=1.0, max_bins=255).fit(X, y)
    np.testing.assert_allclose(exact, binned.predict(X))
    coarse = GradientBoostingRegressor(max_bins=16).fit(*problem()).score(X_NEW, Y_NEW)
    assert abs(coarse - GradientBoostingRegressor().fit(*problem()).score(X_NEW, Y_NEW)) < 0.05


def test_samples_without_weight_do_not_take_part():
    weight = np.ones(len(X))
    weight[::3] = 0.0
    with_zeros = GradientBoostingRegressor(subsample=0.5, n_estimators=5, random_state=0)
    without = GradientBoostingRegressor(subsample=0.5, n_estimators=5, random_state=0)
    with_zeros.fit(X, Y, weight)
    without.fit(X[weight > 0], Y[weight > 0])
    np.testing.assert_array_equal(with_zeros.predict(X), without.predict(X))


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"n_estimators": 0}, ValueError, "n_estimators must be at least 1"),
        ({"learning_rate": 0.0}, ValueError, r"learning_rate must lie in \(0, inf\)"),
        ({"subsample": 1.5}, ValueError, r"subsample must lie in \(0, 1\]"),
        ({"max_depth": 0}, ValueError, "max_depth must be at least 1"),
        ({"reg_lambda": -1.0}, ValueError, "reg_lambda must lie in"),
        ({"validation_fraction": 1.0}, ValueError, "validation_fraction must be less than 1"),
        ({"n_iter_no_change": 0}, ValueError, "n_iter_no_change must be at least 1"),
        ({"tol": -1.0}, ValueError, "tol must lie in"),
        ({"init": "mean"}, ValueError, "init must be 'zero', an estimator or None"),
        ({"max_features": "half"}, ValueError, "max_features must be 'sqrt'"),
        ({"max_bins": 1}, ValueError, "max_bins must be at least 2"),
        ({"random_state": 0.5}, TypeError, "random_state must be an integer"),
    ],
)
def test_bad_parameters(parameters, error, message):
    with pytest.raises(error, match=message):
        GradientBoostingRegressor(**parameters).fit(X, Y)


def test_bad_classifiers():
    with pytest.raises(ValueError, match="criterion must be 'squared_error' or 'newton'"):
        GradientBoostingClassifier(criterion="gini").fit(X, Y > 0)
    with pytest.raises(ValueError, match="at least 2 classes, got 1"):
        GradientBoostingClassifier().fit(X, np.ones(len(X), int))
    with pytest.raises(ValueError, match="init must accept sample_weight"):
        GradientBoostingRegressor(init=KNeighborsRegressor()).fit(X, Y, np.arange(len(X)) + 1.0)
    with pytest.raises(ValueError, match=r"positive entry|non-zero number"):
        GradientBoostingRegressor().fit(X, Y, np.zeros(len(X)))
