"""Splits and folds against scikit-learn and by counting."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn import model_selection
from sklearn.linear_model import LinearRegression, Ridge

from lessons_lib.data import (
    load_diabetes,
)
from lessons_lib.measure import (
    KFold,
    StratifiedKFold,
    train_validation_test_split,
)


@pytest.fixture(scope="module")
def diabetes():
    data = load_diabetes()
    return data.X, data.y


@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.parametrize("n_samples", [10, 101, 1000])
def test_split_is_a_partition_with_the_stated_sizes(n_samples, stratified):
    X = np.arange(2 * n_samples).reshape(n_samples, 2)
    y = np.arange(n_samples)
    labels = y % 3 if stratified else None
    parts = train_validation_test_split(X, y, random_state=0, stratify=labels)
    X_parts, y_parts = parts[:3], parts[3:]
    for X_part, y_part, fraction in zip(X_parts, y_parts, (0.6, 0.2, 0.2), strict=True):
        np.testing.assert_array_equal(X_part[:, 0], 2 * y_part)  # rows stay together
        assert abs(len(y_part) - fraction * n_samples) <= 1
    np.testing.assert_array_equal(np.sort(np.concatenate(y_parts)), y)


def test_stratified_split_keeps_the_proportions_of_every_class():
    labels = np.repeat(["a", "b", "c"], [900, 80, 20])
    y_parts = train_validation_test_split(labels, labels, random_state=0, stratify=labels)[3:]
    for y_part, fraction in zip(y_parts, (0.6, 0.2, 0.2), strict=True):
        for label, count in (("a", 900), ("b", 80), ("c", 20)):
            assert abs(np.sum(y_part == label) - fraction * count) <= 1


def test_split_is_random_and_reproducible():
    y = np.arange(300)
    for labels in (None, y % 2):
        first, again, other = (
            train_validation_test_split(y, y, random_state=seed, stratify=labels)
            for seed in (0, 0, 1)
        )
        for a, b, c in zip(first, again, other, strict=True):
            np.testing.assert_array_equal(a, b)
            assert np.mean(a == c) < 0.1


def test_classes_follow_each_other_at_random_in_a_stratified_part():
    labels = np.repeat([0, 1], 500)
    y_train = train_validation_test_split(labels, labels, random_state=0, stratify=labels)[3]
    changes = np.count_nonzero(np.diff(y_train))
    assert abs(changes - 300) < 4 * np.sqrt(600 / 4)  # 599 fair coin flips


def test_every_row_is_equally_likely_in_every_part():
    y = np.arange(10)
    tests = [
        train_validation_test_split(y, y, random_state=seed, stratify=[0] * 5 + [1] * 5)[5]
        for seed in range(2000)
    ]
    counts = np.bincount(np.concatenate(tests), minlength=10)
    assert stats.chisquare(counts).pvalue > 0.01


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sizes": (0.5, 0.5)}, "sizes must be three positive fractions"),
        ({"sizes": (0.5, 0.5, 0.5)}, "with sum 1, got"),
        ({"sizes": (0.9, 0.1, 0.0)}, "sizes must be three positive"),
        ({"sizes": (0.98, 0.01, 0.01)}, "leave a part of the 10 rows empty"),
        ({"stratify": [0, 1]}, r"stratify must have shape \(10,\), got \(2,\)"),
        ({"y": [0, 1]}, "X and y must have the same number of rows"),
    ],
)
def test_split_names_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        train_validation_test_split(**({"X": np.ones((10, 1)), "y": np.ones(10)} | arguments))


def assert_same_folds(ours, theirs):
    ours, theirs = list(ours), list(theirs)
    assert len(ours) == len(theirs)
    for (train, validation), (expected_train, expected_validation) in zip(
        ours, theirs, strict=True
    ):
        np.testing.assert_array_equal(train, expected_train)
        np.testing.assert_array_equal(validation, expected_validation)


@pytest.mark.parametrize("n_samples", [5, 23, 100])
@pytest.mark.parametrize("n_splits", [2, 3, 5])
@pytest.mark.parametrize("shuffle", [{}, {"shuffle": True, "random_state": 7}])
def test_kfold_has_the_folds_of_scikit_learn(n_samples, n_splits, shuffle):
    X = np.zeros((n_samples, 1))
    theirs = model_selection.KFold(n_splits, **shuffle)
    assert_same_folds(KFold(n_splits, **shuffle).split(X), theirs.split(X))


@pytest.mark.parametrize("labels", [[0, 1, 2], ["b", "a", "c"], [2.0, 0.0, 1.0]])
@pytest.mark.parametrize("n_splits", [2, 5])
@pytest.mark.parametrize("shuffle", [{}, {"shuffle": True, "random_state": 7}])
def test_stratified_kfold_has_the_folds_of_scikit_learn(labels, n_splits, shuffle):
    y = np.random.default_rng(0).choice(labels, size=83, p=[0.6, 0.3, 0.1])
    theirs = model_selection.StratifiedKFold(n_splits, **shuffle)
    assert_same_folds(StratifiedKFold(n_splits, **shuffle).split(y, y), theirs.split(y, y))


def test_a_random_state_object_continues_its_stream():
    X = np.zeros((20, 1))
    ours = KFold(4, shuffle=True, random_state=np.random.RandomState(0))
    theirs = model_selection.KFold(4, shuffle=True, random_state=np.random.RandomState(0))
    for _ in range(2):
        assert_same_folds(ours.split(X), theirs.split(X))


def test_scikit_learn_accepts_our_splitters(diabetes):
    cv = KFold(4, shuffle=True, random_state=0)
    scores = model_selection.cross_val_score(LinearRegression(), *diabetes, cv=cv)
    assert scores.shape == (4,)
    search = model_selection.GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=cv).fit(*diabetes)
    assert search.n_splits_ == 4


def test_splitters_print_their_parameters():
    assert repr(KFold(3)) == "KFold(n_splits=3, shuffle=False, random_state=None)"
    assert repr(StratifiedKFold(2)).startswith("StratifiedKFold(n_splits=2")


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (lambda: KFold(1), "n_splits must be an int >= 2, got 1"),
        (lambda: KFold(2.5), "n_splits must be an int >= 2, got 2.5"),
        (lambda: KFold(3, random_state=0), "random_state=0 has no effect"),
        (lambda: list(KFold(5).split([1, 2])), "n_splits=5 is more than the 2 rows"),
        (lambda: list(StratifiedKFold(2).split([1, 2])), "y must hold the class"),
        (
            lambda: list(StratifiedKFold(5).split([0] * 6, [0] * 4 + [1] * 2)),
            "n_splits=5 is more than the 4 rows of the largest class",
        ),
    ],
)
def test_splitters_name_bad_input(run, message):
    with pytest.raises(ValueError, match=message):
        run()


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_rare_class_is_a_warning(shuffle):
    y = np.array([0] * 9 + [1] * 2 + [2] * 6)
    options = {"n_splits": 4, "shuffle": shuffle, "random_state": 0 if shuffle else None}
    with pytest.warns(UserWarning, match=r"rarest class has 2 rows, fewer than n_splits=4"):
        ours = list(StratifiedKFold(**options).split(y, y))
    with pytest.warns(UserWarning, match="least populated class"):
        theirs = list(model_selection.StratifiedKFold(**options).split(y, y))
    for our_rows, their_rows in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(our_rows[1], their_rows[1])


@pytest.mark.parametrize("value", ["no", "False", 0, 1, None])
@pytest.mark.parametrize("splitter", [KFold, StratifiedKFold])
def test_shuffle_is_true_or_false(splitter, value):
    with pytest.raises(TypeError, match="shuffle must be True or False, got"):
        splitter(3, shuffle=value)


def test_parts_of_a_data_frame_are_data_frames():
    frame = pd.DataFrame({"a": range(20), "b": list("xy") * 10}, index=range(100, 120))
    target = pd.Series(range(20), index=frame.index)
    parts = train_validation_test_split(frame, target, random_state=0)
    arrays = train_validation_test_split(np.arange(20), np.arange(20), random_state=0)
    assert [type(part) for part in parts] == [pd.DataFrame] * 3 + [pd.Series] * 3
    assert parts[0].dtypes.tolist() == frame.dtypes.tolist()
    for part, rows in zip(parts[:3], arrays, strict=False):
        np.testing.assert_array_equal(part["a"], rows)
        np.testing.assert_array_equal(part.index, rows + 100)
