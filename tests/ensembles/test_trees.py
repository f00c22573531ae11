"""Decision trees: scikit-learn's checks, the same trees as scikit-learn's, two equal searches."""

from __future__ import annotations

import inspect

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import ensemble as sklearn_ensemble
from sklearn import tree as sklearn_tree
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.inspection import partial_dependence
from sklearn.metrics import log_loss
from sklearn.model_selection import cross_val_score
from sklearn.utils.estimator_checks import estimator_checks_generator

from lessons_lib import ensembles
from lessons_lib.ensembles import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    RandomForestRegressor,
    best_splits,
    entropy_score,
    one_hot,
    square_score,
)
from lessons_lib.ensembles.binning import bin_features
from lessons_lib.ensembles.growth import Settings, apply_trees, grow_trees

from ..rounding import assert_close

FEW = settings(max_examples=30, derandomize=True, deadline=None)
CHECKS = [
    pytest.param(estimator, check, id=f"{type(estimator).__name__}-{check.func.__name__}")
    for estimator in (DecisionTreeClassifier(), DecisionTreeRegressor())
    for estimator, check in estimator_checks_generator(estimator)
    # It needs an environment variable, and concerns array types other than NumPy's.
    if check.func.__name__ != "check_array_api_input"
]


@pytest.mark.parametrize(("estimator", "check"), CHECKS)
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


# ------------------------------------------------------------------- the same trees as elsewhere


def make_data(n_samples, n_features, n_classes, seed=0):
    """Return continuous data, exact in the single precision that scikit-learn computes with."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_features)).astype(np.float32).astype(np.float64)
    signal = X[:, 0] * X[:, 1] + np.sin(2 * X[:, 2]) + 0.5 * rng.normal(size=n_samples)
    if not n_classes:
        return X, signal
    return X, np.digitize(signal, np.quantile(signal, np.arange(1, n_classes) / n_classes))


def make_weight(n_samples):
    """Return weights whose sums are exact and hardly ever equal, unlike counts of samples.

    Ties, of which ours and scikit-learn may choose different ones, do not occur with them.
    """
    return np.random.default_rng(1).integers(2**19, 2**20, n_samples) / 2**20


def in_depth_first_order(tree):
    """Return the numbers of the nodes as a walk through the tree meets them."""
    order, stack = [], [0]
    while stack:
        node = stack.pop()
        order.append(node)
        if tree.children_left[node] != -1:
            stack += [tree.children_right[node], tree.children_left[node]]
    return np.array(order)


def assert_same_tree(ours, theirs):
    """Compare two trees node by node, whatever their nodes' numbers."""
    assert ours.node_count == theirs.node_count
    a, b = in_depth_first_order(ours), in_depth_first_order(theirs)
    for name in ("feature", "n_node_samples"):
        np.testing.assert_array_equal(getattr(ours, name)[a], getattr(theirs, name)[b])
    for name in ("threshold", "impurity", "weighted_n_node_samples"):
        np.testing.assert_allclose(
            getattr(ours, name)[a], getattr(theirs, name)[b], rtol=1e-9, atol=1e-12
        )
    values = theirs.value.reshape(theirs.node_count, -1)
    np.testing.assert_allclose(ours.value[a, 0], values[b], rtol=1e-9, atol=1e-12)


# With twenty samples on each side, no two features divide a node in the same way.
LIMITS = [
    {"max_depth": 1},
    {"max_depth": 3, "min_samples_leaf": 20},
    {"max_depth": 6, "min_samples_leaf": 20},
    {"min_samples_leaf": 20},
    {"min_samples_leaf": 0.05},
    {"min_samples_split": 100, "min_samples_leaf": 12},
    {"min_samples_split": 0.2, "min_samples_leaf": 12},
    {"min_weight_fraction_leaf": 0.1, "min_samples_leaf": 20},
]
every_limit = pytest.mark.parametrize("limits", LIMITS, ids=str)
# With as many bins as values, counting is exact, too.
every_search = pytest.mark.parametrize(
    ("n_samples", "max_bins"), [(250, 256), (250, None), (700, None)], ids=str
)


@every_limit
@every_search
@pytest.mark.parametrize("criterion", ["gini", "entropy"])
@pytest.mark.parametrize("n_classes", [2, 5])
def test_the_classification_tree_is_scikit_learns(
    limits, n_samples, max_bins, criterion, n_classes
):
    X, y = make_data(n_samples, 6, n_classes)
    weight = make_weight(n_samples)
    ours = DecisionTreeClassifier(criterion=criterion, max_bins=max_bins, **limits)
    ours.fit(X, y, weight)
    theirs = sklearn_tree.DecisionTreeClassifier(criterion=criterion, random_state=0, **limits)
    assert_same_tree(ours.tree_, theirs.fit(X, y, weight).tree_)
    new, _ = make_data(100, 6, n_classes, seed=1)
    np.testing.assert_array_equal(ours.predict(new), theirs.predict(new))
    np.testing.assert_allclose(ours.predict_proba(new), theirs.predict_proba(new), rtol=1e-12)
    np.testing.assert_allclose(ours.feature_importances_, theirs.feature_importances_, atol=1e-12)
    assert ours.get_depth() == theirs.get_depth()
    assert ours.get_n_leaves() == theirs.get_n_leaves()


@pytest.mark.parametrize("max_depth", [1, 2, 3])
@pytest.mark.parametrize("criterion", ["gini", "entropy"])
def test_the_tree_without_weights_is_scikit_learns(max_depth, criterion):
    X, y = make_data(700, 6, 5)
    ours = DecisionTreeClassifier(criterion=criterion, max_depth=max_depth).fit(X, y)
    theirs = sklearn_tree.DecisionTreeClassifier(criterion=criterion, max_depth=max_depth)
    assert_same_tree(ours.tree_, theirs.fit(X, y).tree_)


@every_limit
@every_search
@pytest.mark.parametrize("offset", [0.0, 1e5])
def test_the_regression_tree_is_scikit_learns(limits, n_samples, max_bins, offset):
    X, y = make_data(n_samples, 6, 0)
    ours = DecisionTreeRegressor(max_bins=max_bins, **limits).fit(X, y + offset)
    theirs = sklearn_tree.DecisionTreeRegressor(random_state=0, **limits).fit(X, y)
    theirs.tree_.value[:] += offset
    assert_same_tree(ours.tree_, theirs.tree_)
    new, _ = make_data(100, 6, 0, seed=1)
    np.testing.assert_allclose(ours.predict(new), theirs.predict(new), rtol=1e-9)
    np.testing.assert_allclose(ours.feature_importances_, theirs.feature_importances_, atol=1e-9)


@pytest.mark.parametrize("kind", ["Classifier", "Regressor"])
def test_the_unlimited_tree_of_one_feature_is_scikit_learns(kind):
    X, y = make_data(300, 3, 3 if kind == "Classifier" else 0)
    ours = {"Classifier": DecisionTreeClassifier, "Regressor": DecisionTreeRegressor}[kind]()
    theirs = getattr(sklearn_tree, f"DecisionTree{kind}")(random_state=0)
    weight = make_weight(len(X))
    assert_same_tree(ours.fit(X[:, :1], y, weight).tree_, theirs.fit(X[:, :1], y, weight).tree_)
    assert_close(ours.predict(X[:, :1]), y, terms=5)  # it knows the data by heart


@pytest.mark.parametrize("class_weight", ["balanced", {0: 3.0, 2: 0.25}])
@pytest.mark.parametrize("weighted", [False, True])
def test_class_weights_as_in_scikit_learn(class_weight, weighted):
    X, y = make_data(300, 5, 3)
    rows = (y > 0) | (np.arange(300) % 2 == 0)  # the classes are not balanced as they are
    X, y, weight = X[rows], y[rows], make_weight(300)[rows] if weighted else None
    limits = {"class_weight": class_weight, "min_samples_leaf": 20, "max_depth": 3}
    a = DecisionTreeClassifier(**limits).fit(X, y, weight)
    if weighted and class_weight == "balanced":  # scikit-learn balances the numbers of samples
        factors = weight.sum() / (3 * np.bincount(y, weight))
        class_weight = dict(enumerate(factors))
    limits["class_weight"] = class_weight
    b = sklearn_tree.DecisionTreeClassifier(random_state=0, **limits).fit(X, y, weight)
    assert_same_tree(a.tree_, b.tree_)


@pytest.mark.parametrize("kind", ["Classifier", "Regressor"])
def test_sample_weights_as_in_scikit_learn(kind):
    X, y = make_data(300, 5, 3 if kind == "Classifier" else 0)
    weight = np.random.default_rng(1).uniform(0.0, 2.0, len(X)) * (np.arange(len(X)) % 5 > 0)
    ours = {"Classifier": DecisionTreeClassifier, "Regressor": DecisionTreeRegressor}[kind]
    theirs = getattr(sklearn_tree, f"DecisionTree{kind}")
    limits = {"min_samples_leaf": 15}
    a = ours(**limits).fit(X, y, weight)
    b = theirs(random_state=0, **limits).fit(X, y, weight)
    assert_same_tree(a.tree_, b.tree_)


SMALL_X = np.arange(4.0)[:, None]


@pytest.mark.parametrize("max_bins", [None, 4], ids=["sorting", "counting"])
@pytest.mark.parametrize("tiny", [1e-16, 1e-100, 1e-300])
@pytest.mark.parametrize("criterion", ["gini", "entropy"])
def test_a_weight_that_rounding_loses_does_not_win(tiny, criterion, max_bins):
    tree = DecisionTreeClassifier(criterion=criterion, max_bins=max_bins)
    tree.fit(SMALL_X, [0, 0, 1, 1], sample_weight=[1, 1, 1, tiny])
    assert tree.get_n_leaves() == 2
    assert tree.tree_.threshold[0] == 1.5
    regression = DecisionTreeRegressor(max_bins=max_bins, max_depth=1)
    regression.fit(SMALL_X, [0.0, 0.0, 1.0, 1.0], sample_weight=[1, 1, 1, tiny])
    assert regression.tree_.threshold[0] == 1.5


@pytest.mark.parametrize("max_bins", [None, 64], ids=["sorting", "counting"])
@pytest.mark.parametrize("width", [0.3, 0.03])
def test_kernel_weights_of_any_range(width, max_bins):
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(-1, 1, 60))
    y, weight = np.sin(5 * x), np.exp(-((x / width) ** 2))  # down to 0
    tree = DecisionTreeRegressor(max_bins=max_bins, max_depth=1).fit(x[:, None], y, weight)

    def error(rows):
        mean = np.average(y[rows], weights=weight[rows])
        return np.sum(weight[rows] * (y[rows] - mean) ** 2)

    seen = x[weight > 0]
    tried = [error(x <= t) + error(x > t) for t in (seen[:-1] + seen[1:]) / 2]
    threshold = tree.tree_.threshold[0]
    found = error(x <= threshold) + error(x > threshold)
    assert found == pytest.approx(min(tried), rel=1e-9)
    assert min(tried) < 0.5 * error(x < 2)


@pytest.mark.parametrize("max_bins", [None, 64], ids=["sorting", "counting"])
# Powers of two, from 1e-301 to 4e307: they round nothing, so that ties are decided alike.
@pytest.mark.parametrize("scale", [2.0**-1000, 2.0**-530, 2.0**-500, 2.0**500, 2.0**530, 2.0**1021])
def test_the_scale_of_targets_and_weights_does_not_matter(scale, max_bins):
    rng = np.random.default_rng(0)
    X, y, weight = rng.integers(0, 30, (60, 3)) * 1.0, rng.uniform(-1, 1, 60), rng.uniform(1, 2, 60)
    model = DecisionTreeRegressor(max_bins=max_bins, max_depth=4)
    plain, scaled = model.fit(X, y, weight).tree_, model.fit(X, scale * y, weight).tree_
    np.testing.assert_array_equal(scaled.threshold, plain.threshold)
    np.testing.assert_allclose(scaled.value / scale, plain.value, rtol=1e-12)
    if 2.0**-501 < scale < 2.0**501:
        np.testing.assert_allclose(
            scaled.feature_importances(3), plain.feature_importances(3), rtol=1e-12
        )
    if scale < 2.0**1000:
        heavy = model.fit(X, y, scale * weight).tree_
        np.testing.assert_array_equal(heavy.threshold, plain.threshold)
        np.testing.assert_allclose(heavy.impurity, plain.impurity, rtol=1e-12)
        np.testing.assert_allclose(
            heavy.feature_importances(3), plain.feature_importances(3), rtol=1e-12
        )
        for criterion in ("gini", "entropy"):
            classes = DecisionTreeClassifier(criterion=criterion, max_depth=1)
            thresholds = [
                classes.fit(X, y > 0, unit * weight).tree_.threshold[0] for unit in (1.0, scale)
            ]
            assert thresholds[0] == thresholds[1]


def test_impurities_that_overflow_are_not_compared():
    tree = DecisionTreeRegressor().fit(SMALL_X, [-1e200, 0.0, 0.0, 1e200])
    np.testing.assert_array_equal(tree.predict(SMALL_X), [-1e200, 0.0, 0.0, 1e200])
    with pytest.raises(ValueError, match="the squares of the target overflow"):
        _ = tree.feature_importances_


@pytest.mark.parametrize("kind", ["Classifier", "Regressor"])
@pytest.mark.parametrize("weighted", [False, True])
def test_pruned_trees_are_scikit_learns(kind, weighted):
    X, y = make_data(250, 5, 3 if kind == "Classifier" else 0)
    weight = make_weight(250) if weighted else None
    limits = {"min_samples_leaf": 20, "max_depth": 4}
    ours = {"Classifier": DecisionTreeClassifier, "Regressor": DecisionTreeRegressor}[kind](
        **limits
    )
    theirs = getattr(sklearn_tree, f"DecisionTree{kind}")(random_state=0, **limits)
    a, b = (model.cost_complexity_pruning_path(X, y, weight) for model in (ours, theirs))
    np.testing.assert_allclose(a.ccp_alphas, b.ccp_alphas, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(a.impurities, b.impurities, rtol=1e-9)
    assert len(a.ccp_alphas) > 4
    middle = (a.ccp_alphas[1:] + a.ccp_alphas[:-1]) / 2
    for alpha in (*middle, 2 * a.ccp_alphas[-1]):
        pruned = [m.set_params(ccp_alpha=alpha).fit(X, y, weight) for m in (ours, theirs)]
        assert_same_tree(pruned[0].tree_, pruned[1].tree_)
        np.testing.assert_array_equal(pruned[0].apply(X) > 0, pruned[0].get_depth() > 0)
    assert pruned[0].get_n_leaves() == 1


def test_a_forest_prunes_its_trees():
    X, y = make_data(250, 5, 0)
    full, pruned = (
        RandomForestRegressor(5, ccp_alpha=alpha, random_state=0).fit(X, y) for alpha in (0.0, 0.01)
    )
    for a, b, rows in zip(full, pruned, full.estimators_samples_, strict=True):
        assert 1 < b.get_n_leaves() < a.get_n_leaves() / 2
        counts = np.bincount(rows, minlength=250)
        alone = clone(b).fit(X, y, counts)
        np.testing.assert_array_equal(alone.tree_.threshold, b.tree_.threshold)


def test_accuracy_within_sampling_error_of_scikit_learns():
    X, y = load_digits(return_X_y=True)
    for max_features in (None, "sqrt"):
        ours = cross_val_score(
            DecisionTreeClassifier(max_features=max_features, random_state=0), X, y
        )
        theirs = cross_val_score(
            sklearn_tree.DecisionTreeClassifier(max_features=max_features, random_state=0), X, y
        )
        difference = ours - theirs
        error = difference.std(ddof=1) / np.sqrt(len(difference))
        assert abs(difference.mean()) < 4 * error + 0.002


# ------------------------------------------------------------------------------ one split, shown


@pytest.mark.parametrize("score", [square_score, entropy_score])
def test_best_splits_against_all_thresholds_tried(score):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 8, (30, 4)).astype(float)
    targets, weight = one_hot(rng.integers(0, 3, 30), 3), rng.uniform(0.5, 2.0, 30)

    def total(rows):
        sums = (targets[rows] * weight[rows, None]).sum(axis=0)
        return float(score(sums, weight[rows].sum()))

    gain, threshold = best_splits(X, targets, weight, score, min_samples_leaf=3)
    for j in range(X.shape[1]):
        tried = {
            t: total(X[:, j] <= t) + total(X[:, j] > t) - total(np.full(30, True))
            for t in np.arange(7) + 0.5
            if min((X[:, j] <= t).sum(), (X[:, j] > t).sum()) >= 3
        }
        assert gain[j] == pytest.approx(max(tried.values()))
        assert gain[j] == pytest.approx(tried[threshold[j]])


def test_scores_are_impurities_up_to_a_constant():
    p = np.array([0.5, 0.3, 0.2])
    n = 10.0
    gini, entropy = 1 - (p**2).sum(), log_loss([0, 1, 2], np.tile(p, (3, 1)), sample_weight=p)
    assert 1 - square_score(n * p, np.array(n)) / n == pytest.approx(gini)
    assert -entropy_score(n * p, np.array(n)) / n == pytest.approx(entropy / np.log(2))
    # The Gini impurity is the variance of the one-hot class, summed over the columns.
    classes = np.repeat([0, 1, 2], [5, 3, 2])
    assert one_hot(classes, 3).var(axis=0).sum() == pytest.approx(gini)


def test_no_gain_where_no_split_is_allowed():
    X = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    gain, _ = best_splits(X, np.arange(3.0)[:, None], np.ones(3))
    assert gain[0] == -np.inf
    assert np.isfinite(gain[1])
    assert best_splits(X, np.arange(3.0)[:, None], np.ones(3), min_samples_leaf=2)[0][1] == -np.inf


def test_a_threshold_separates_neighboring_floats():
    low = np.array([1.0, 1e308, -5e-324, 0.0, 5e-324])
    high = np.nextafter(low, np.inf)
    high[1] = 1.7e308
    for a, b in zip(low, high, strict=True):
        tree = DecisionTreeClassifier().fit([[a], [b]], [0, 1])
        assert a <= tree.tree_.threshold[0] < b
        np.testing.assert_array_equal(tree.predict([[a], [b]]), [0, 1])


# --------------------------------------------------------------------------- counting or sorting


@FEW
@given(
    seed=st.integers(0, 10_000),
    criterion=st.sampled_from(["gini", "entropy", "squared_error"]),
    n_values=st.integers(2, 40),
    max_features=st.integers(1, 6),
    min_samples_leaf=st.integers(1, 6),
    max_depth=st.sampled_from([None, 1, 4]),
)
def test_counting_and_sorting_grow_the_same_trees(
    seed, criterion, n_values, max_features, min_samples_leaf, max_depth
):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, n_values, (60, 6)) * 0.1
    X[:, 0] = X[0, 0]  # a constant feature
    # Sums of whole numbers are exact, so that even ties are decided alike.
    y = rng.integers(0, 4, 60) if criterion != "squared_error" else rng.integers(-9, 9, 60) * 1.0
    weights = rng.integers(0, 3, (3, 60)).astype(float)
    n_classes = 0 if criterion == "squared_error" else 4
    limits = Settings(criterion, n_classes, max_depth, 2, min_samples_leaf, max_features)

    def grow(bins):
        generators = [np.random.default_rng([seed, i]) for i in range(3)]
        return grow_trees(X, y, weights, limits, generators, bins)

    for counted, sorted_ in zip(grow(bin_features(X)), grow(None), strict=True):
        for name, expected in vars(sorted_).items():
            if criterion == "entropy" and name == "impurity":
                np.testing.assert_allclose(counted.impurity, expected, atol=1e-14)
            else:
                np.testing.assert_array_equal(getattr(counted, name), expected, err_msg=name)


@pytest.mark.parametrize("max_bins", [None, 64], ids=["sorting", "counting"])
def test_searching_in_parts_changes_nothing(monkeypatch, max_bins):
    X, y = make_data(400, 6, 3)
    whole = DecisionTreeClassifier(max_features=3, max_bins=max_bins, random_state=0).fit(X, y)
    monkeypatch.setattr("lessons_lib.ensembles.growth._NUMBERS", 1)
    parts = DecisionTreeClassifier(max_features=3, max_bins=max_bins, random_state=0).fit(X, y)
    for name, expected in vars(whole.tree_).items():
        np.testing.assert_array_equal(getattr(parts.tree_, name), expected)


def test_stacked_nodes_are_searched_like_single_ones():
    rng = np.random.default_rng(0)
    X, weight = rng.normal(size=(5, 12, 3)), rng.uniform(size=(5, 12))
    targets = one_hot(rng.integers(0, 3, (5, 12)), 3)
    together = best_splits(X, targets, weight, entropy_score)
    for i in range(5):
        alone = best_splits(X[i], targets[i], weight[i], entropy_score)
        np.testing.assert_array_equal(np.stack(alone), np.stack(together)[:, i])


def test_bins_are_exact_or_refused():
    X = np.arange(257.0)[:, None]
    assert bin_features(X) is None
    bins = bin_features(X[1:])
    np.testing.assert_array_equal(bins.low, X[1:])
    np.testing.assert_array_equal(bins.high, X[1:])
    np.testing.assert_array_equal(bins.codes, np.arange(256)[:, None])


@FEW
@given(seed=st.integers(0, 10_000), max_bins=st.integers(2, 20))
def test_bins_beyond_the_limit_hold_neighbors(seed, max_bins):
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.normal(size=100), rng.integers(0, 5, 100), rng.integers(0, 40, 100)])
    bins = bin_features(X, max_bins)
    assert len(bins.low) <= max_bins
    for j in range(3):
        code, low, high = bins.codes[:, j], bins.low[:, j], bins.high[:, j]
        assert np.all((low[code] <= X[:, j]) & (X[:, j] <= high[code]))
        used = ~np.isnan(low)
        assert np.all(high[used][:-1] < low[used][1:])
        assert set(code) == set(range(used.sum()))
    if max_bins <= 10:  # groups of a feature without ties are equally large
        sizes = np.bincount(bins.codes[:, 0])
        assert sizes.max() - sizes.min() <= 1


def test_bins_beyond_the_limit_are_approximate_as_documented():
    X, y = make_data(1000, 3, 3)
    exact = DecisionTreeClassifier(max_depth=4).fit(X, y)
    rough = DecisionTreeClassifier(max_depth=4, max_bins=16).fit(X, y)
    fine = DecisionTreeClassifier(max_depth=4, max_bins=256).fit(X, y)
    assert not np.array_equal(rough.tree_.threshold, exact.tree_.threshold)
    assert abs(fine.score(X, y) - exact.score(X, y)) < 0.02
    # At most 256 different values: binning is exact, whether asked for or not.
    X = X.round(1)
    a, b = (DecisionTreeClassifier(max_bins=bins).fit(X, y).tree_ for bins in (None, 256))
    np.testing.assert_array_equal(a.threshold, b.threshold)


# --------------------------------------------------------------------------------------- drawing


def test_drawn_features_are_uniform():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 5)), np.arange(20) % 2
    counts = np.zeros(5)
    for seed in range(300):
        tree = DecisionTreeClassifier(max_features=1, max_depth=1, random_state=seed).fit(X, y)
        counts[tree.tree_.feature[0]] += 1
    assert ((counts - 60) ** 2 / 60).sum() < 18.5  # chi-square with 4 degrees, p = 0.001


def test_drawing_goes_on_until_a_split_is_possible():
    X = np.zeros((50, 30))
    X[:, 17] = np.arange(50)
    X[:, 23] = -np.arange(50)
    used = set()
    for seed in range(20):
        tree = DecisionTreeRegressor(max_features=1, random_state=seed).fit(X, np.arange(50.0))
        assert tree.get_n_leaves() == 50
        used |= set(tree.tree_.feature.tolist())
    assert used == {-2, 17, 23}


def test_trees_do_not_depend_on_those_that_grow_with_them():
    X, y = load_iris(return_X_y=True)
    limits = Settings("gini", 3, max_features=2)
    weights = np.random.default_rng(0).integers(0, 3, (4, len(X))).astype(float)

    def grow(some):
        generators = [np.random.default_rng(i) for i in some]
        return grow_trees(X, y, weights[some], limits, generators, bin_features(X))

    for i, together in enumerate(grow([0, 1, 2, 3])):
        [alone] = grow([i])
        for name, expected in vars(alone).items():
            np.testing.assert_array_equal(getattr(together, name), expected)


def test_max_features_as_in_scikit_learn():
    X, y = load_digits(return_X_y=True)
    for value in ("sqrt", "log2", None, 5, 0.3, 1.0):
        ours = DecisionTreeClassifier(max_features=value, max_depth=1).fit(X[:50, :50], y[:50])
        theirs = sklearn_tree.DecisionTreeClassifier(max_features=value, max_depth=1)
        assert ours.max_features_ == theirs.fit(X[:50, :50], y[:50]).max_features_


# ------------------------------------------------------------------------------ going down a tree


def test_apply_walks_from_the_root_to_a_leaf(monkeypatch):
    X, y = load_digits(return_X_y=True)
    trees = [
        DecisionTreeClassifier(max_depth=depth, max_features=8, random_state=depth).fit(X, y).tree_
        for depth in (1, 3, None)
    ]
    expected = []
    for tree in trees:
        for x in X[:200]:
            node = 0
            while tree.children_left[node] != -1:
                goes_left = x[tree.feature[node]] <= tree.threshold[node]
                node = (tree.children_left if goes_left else tree.children_right)[node]
            expected.append(node)
    expected = np.reshape(expected, (3, 200))
    np.testing.assert_array_equal(apply_trees(trees, X[:200]), expected)
    monkeypatch.setattr("lessons_lib.ensembles.growth._STEPS", 1)
    np.testing.assert_array_equal(apply_trees(trees, X[:200]), expected)
    assert [tree.max_depth for tree in trees[:2]] == [1, 3]


@pytest.mark.parametrize("kind", ["Classifier", "Regressor"])
def test_decision_paths_are_scikit_learns(kind):
    X, y = make_data(250, 4, 3 if kind == "Classifier" else 0)
    limits = {"max_depth": 4, "min_samples_leaf": 20}
    ours = {"Classifier": DecisionTreeClassifier, "Regressor": DecisionTreeRegressor}[kind]
    a = ours(**limits).fit(X, y, make_weight(250))
    b = getattr(sklearn_tree, f"DecisionTree{kind}")(**limits).fit(X, y, make_weight(250))
    ours_first, theirs_first = in_depth_first_order(a.tree_), in_depth_first_order(b.tree_)
    np.testing.assert_array_equal(
        a.decision_path(X).toarray()[:, ours_first], b.decision_path(X).toarray()[:, theirs_first]
    )
    stump = ours(max_depth=1).fit(X, np.zeros(250, int))
    np.testing.assert_array_equal(stump.decision_path(X).toarray(), 1)


@pytest.mark.parametrize("kind", ["Classifier", "Regressor"])
def test_scikit_learn_shows_our_trees_as_its_own(kind):
    X, y = make_data(250, 4, 3 if kind == "Classifier" else 0)
    limits = {"max_depth": 3, "min_samples_leaf": 20}
    ours = {"Classifier": DecisionTreeClassifier, "Regressor": DecisionTreeRegressor}[kind]
    trees = [
        model(**limits).fit(X, y, make_weight(250))
        for model in (ours, getattr(sklearn_tree, f"DecisionTree{kind}"))
    ]
    names = ["a", "b", "c", "d"]
    for options in ({}, {"feature_names": names, "show_weights": True, "max_depth": 1}):
        texts = [sklearn_tree.export_text(tree, **options) for tree in trees]
        assert texts[0] == texts[1]
    drawn = []
    for tree in trees:
        figure, axes = plt.subplots()
        drawn.append(
            [note.get_text() for note in sklearn_tree.plot_tree(tree, filled=True, ax=axes)]
        )
        plt.close(figure)
    assert drawn[0] == drawn[1]


def test_partial_dependence_is_scikit_learns():
    X, y = make_data(250, 4, 0)
    limits = {"max_depth": 5, "min_samples_leaf": 12}
    for features in ([0], [2], [(0, 1)]):
        a, b = (
            partial_dependence(model(**limits).fit(X, y), X, features, grid_resolution=9)
            for model in (DecisionTreeRegressor, sklearn_tree.DecisionTreeRegressor)
        )
        np.testing.assert_allclose(a["average"], b["average"], rtol=1e-6)


def test_a_pure_root_is_a_leaf():
    X, y = np.arange(5.0)[:, None], np.full(5, 0.1)
    tree = DecisionTreeRegressor().fit(X, y)
    assert tree.get_n_leaves() == 1
    assert tree.get_depth() == 0
    np.testing.assert_allclose(tree.predict(X), y)
    np.testing.assert_array_equal(tree.feature_importances_, [0.0])


@pytest.mark.parametrize("n_values", [1, 300])
def test_nothing_to_split_by(n_values):
    X = np.ones((300, 2))
    X[:, 0] = np.arange(300) % n_values
    y = np.arange(300) % 2
    tree = DecisionTreeClassifier(min_samples_leaf=150 if n_values == 1 else 151).fit(X, y)
    assert tree.get_n_leaves() == 1
    np.testing.assert_allclose(tree.predict_proba(X[:1]), [[0.5, 0.5]])
    np.testing.assert_array_equal(tree.predict(X), 0)  # the first of equally frequent classes


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        (
            {"criterion": "squared_error"},
            ValueError,
            "criterion must be one of 'gini', 'entropy', 'log_loss'",
        ),
        ({"max_depth": 0}, ValueError, "max_depth must be at least 1, got 0"),
        ({"max_depth": 2.5}, TypeError, "max_depth must be an integer"),
        ({"min_samples_split": 1}, ValueError, "min_samples_split must be at least 2"),
        ({"min_samples_split": 1.5}, ValueError, r"min_samples_split must lie in \(0, 1\]"),
        ({"min_samples_leaf": 0}, ValueError, "min_samples_leaf must be at least 1"),
        ({"min_samples_leaf": "3"}, TypeError, "min_samples_leaf must be a real number"),
        ({"max_features": "root"}, ValueError, "max_features must be 'sqrt', 'log2'"),
        ({"max_features": 5}, ValueError, "max_features must be at most 4"),
        ({"max_features": 0}, ValueError, "max_features must be at least 1"),
        ({"min_weight_fraction_leaf": 0.6}, ValueError, "min_weight_fraction_leaf must lie in"),
        ({"ccp_alpha": -1}, ValueError, "ccp_alpha must lie in"),
        ({"class_weight": "balanced_subsample"}, ValueError, "only forests know"),
        ({"max_bins": 1}, ValueError, "max_bins must be at least 2"),
        ({"max_bins": 257}, ValueError, "max_bins must be at most 256"),
        ({"random_state": "zero"}, TypeError, "random_state must be an integer"),
        ({"random_state": -1}, ValueError, "random_state must be at least 0"),
    ],
)
def test_bad_parameters(parameters, error, message):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(error, match=message):
        DecisionTreeClassifier(**parameters).fit(X, y)


@pytest.mark.parametrize(
    "kind",
    [
        "DecisionTreeClassifier",
        "DecisionTreeRegressor",
        "RandomForestClassifier",
        "RandomForestRegressor",
        "BaggingClassifier",
        "BaggingRegressor",
    ],
)
def test_every_parameter_of_scikit_learn_is_there_or_refused_with_a_reason(kind):
    ours = getattr(ensembles, kind)
    theirs = getattr(sklearn_tree if "Tree" in kind else sklearn_ensemble, kind)
    missing = (
        inspect.signature(theirs).parameters.keys() - inspect.signature(ours).parameters.keys()
    )
    assert missing
    for name in missing:
        with pytest.raises(TypeError, match=f"{kind} has no parameter '{name}' here: .{{10}}"):
            ours(**{name: None})
    with pytest.raises(TypeError, match="unexpected keyword argument 'leaves'"):
        ours(leaves=3)


def test_bad_data():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="criterion must be one of 'squared_error', got 'gini'"):
        DecisionTreeRegressor(criterion="gini").fit(X, y)
    with pytest.raises(ValueError, match="Unknown label type"):
        DecisionTreeClassifier().fit(X, y + 0.5 * X[:, 0])
    for model in (DecisionTreeClassifier(), DecisionTreeRegressor()):
        with pytest.raises(ValueError, match="weight"):
            model.fit(X, y, np.zeros(len(X)))
        with pytest.raises(ValueError, match=r"sample_weight must have .* a finite sum"):
            model.fit(X, y, np.full(len(X), 1e308))
        with pytest.raises(ValueError, match=r"[Nn]egative"):
            model.fit(X, y, -np.ones(len(X)))
        with pytest.raises(ValueError, match="NaN"):
            model.fit(np.where(X > 2, X, np.nan), y)


def test_weights_that_round_to_nothing_beside_others_make_no_splits():
    X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0.0, 0.0, 1.0, 5.0])
    weight = np.array([1.0, 1.0, 1.0, 1e-20])
    tree = DecisionTreeRegressor(max_depth=1).fit(X, y, weight)
    assert tree.tree_.threshold[0] == 1.5
    classes = DecisionTreeClassifier(criterion="entropy", max_depth=1).fit(X, y, weight)
    assert classes.tree_.threshold[0] == 1.5
