"""Losses and curves against scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn import model_selection
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import mean_absolute_error, zero_one_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lessons_lib.data import (
    load_diabetes,
    load_wine,
)
from lessons_lib.measure import (
    KFold,
    cross_val_loss,
    learning_curve,
    one_standard_error_rule,
    validation_curve,
)


@pytest.fixture(scope="module")
def diabetes():
    data = load_diabetes()
    return data.X, data.y


def test_cross_val_loss_is_the_negative_score_of_scikit_learn(diabetes):
    model = make_pipeline(StandardScaler(), Ridge(3.0))
    cv = KFold(5, shuffle=True, random_state=0)
    for loss, scoring in (
        (None, "neg_mean_squared_error"),
        (mean_absolute_error, "neg_mean_absolute_error"),
    ):
        ours = cross_val_loss(model, *diabetes, cv=cv, **({"loss": loss} if loss else {}))
        theirs = model_selection.cross_val_score(model, *diabetes, cv=cv, scoring=scoring)
        np.testing.assert_allclose(ours, -theirs)


def test_cross_val_loss_of_a_classifier():
    data = load_wine()
    model = make_pipeline(StandardScaler(), LogisticRegression())
    cv = model_selection.StratifiedKFold(4, shuffle=True, random_state=0)
    losses = cross_val_loss(model, data.X, data.y, cv=cv, loss=zero_one_loss)
    accuracies = model_selection.cross_val_score(model, data.X, data.y, cv=cv)
    np.testing.assert_allclose(losses, 1 - accuracies)


def test_the_estimator_itself_is_never_fitted(diabetes):
    model = Ridge()
    cross_val_loss(model, *diabetes, cv=KFold(3))
    validation_curve(model, *diabetes, param_name="alpha", param_range=[1, 2], cv=KFold(3))
    learning_curve(model, *diabetes, train_sizes=[10], n_repeats=2, random_state=0)
    assert not hasattr(model, "coef_")
    assert model.alpha == 1.0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"cv": 2.5}, TypeError, r"cv must be a number of folds or a splitter .*, got 2.5"),
        ({"cv": True}, TypeError, "cv must be a number of folds or a splitter"),
        ({"cv": "split"}, TypeError, "cv must be a number of folds or a splitter"),
        ({"cv": 1}, ValueError, "cv must be at least 2, got 1"),
        ({"loss": "mse"}, TypeError, "loss must be a callable .* got 'mse'"),
        ({"y": [1.0]}, ValueError, "X and y must have the same number of rows"),
    ],
)
def test_cross_val_loss_names_bad_input(arguments, error, message):
    defaults = {"X": np.ones((4, 1)), "y": np.ones(4), "cv": KFold(2)}
    with pytest.raises(error, match=message):
        cross_val_loss(Ridge(), **(defaults | arguments))


def test_validation_curve_is_that_of_scikit_learn(diabetes):
    model = make_pipeline(StandardScaler(), Ridge())
    arguments = {
        "param_name": "ridge__alpha",
        "param_range": [0.1, 10.0, 1000.0],
        "cv": KFold(5, shuffle=True, random_state=0),
    }
    ours = validation_curve(model, *diabetes, **arguments)
    theirs = model_selection.validation_curve(
        model, *diabetes, **arguments, scoring="neg_mean_squared_error"
    )
    for mine, reference in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, -reference)


def test_validation_curve_uses_the_same_folds_for_every_value(diabetes):
    # An unseeded shuffle gives other folds each time it is asked.
    cv = KFold(5, shuffle=True)
    _, losses = validation_curve(
        Ridge(), *diabetes, param_name="alpha", param_range=[1.0, 1.0], cv=cv
    )
    np.testing.assert_array_equal(losses[0], losses[1])


def test_validation_curve_names_bad_input(diabetes):
    arguments = {"cv": KFold(3), "param_name": "alpha"}
    with pytest.raises(ValueError, match="param_range must contain at least one value"):
        validation_curve(Ridge(), *diabetes, param_range=[], **arguments)
    with pytest.raises(ValueError, match="Invalid parameter 'beta'"):
        validation_curve(
            Ridge(), *diabetes, param_range=[1], **(arguments | {"param_name": "beta"})
        )
    with pytest.raises(TypeError, match="cv must be a number of folds or a splitter"):
        validation_curve(Ridge(), *diabetes, param_range=[1], **(arguments | {"cv": None}))


def test_learning_curve_is_that_of_scikit_learn_on_the_same_splits(diabetes):
    X, y = diabetes
    sizes, n_repeats, n_test = [20, 100, 331], 3, 111  # 111 = 442 / 4, rounded up
    ours = learning_curve(Ridge(), X, y, train_sizes=sizes, n_repeats=n_repeats, random_state=5)

    rng = np.random.default_rng(5)
    orders = [rng.permutation(len(X)) for _ in range(n_repeats)]
    splits = [(order[n_test:], order[:n_test]) for order in orders]
    _, *theirs = model_selection.learning_curve(
        Ridge(), X, y, train_sizes=sizes, cv=splits, scoring="neg_mean_squared_error"
    )
    for mine, reference in zip(ours, theirs, strict=True):
        assert mine.shape == (len(sizes), n_repeats)
        np.testing.assert_allclose(mine, -reference)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"train_sizes": [8]}, ValueError, "must be from 1 to 7 .* got 8 to 8"),
        ({"train_sizes": [0, 3]}, ValueError, "must be from 1 to 7 .* got 0 to 3"),
        ({"train_sizes": [0.5]}, ValueError, "train_sizes must be a non-empty list of ints"),
        ({"train_sizes": []}, ValueError, "train_sizes must be a non-empty list of ints"),
        ({"test_size": 1.0}, ValueError, "test_size must be between 0 and 1, got 1.0"),
        ({"n_repeats": 0}, ValueError, "n_repeats must be at least 1, got 0"),
        ({"loss": "mse"}, TypeError, "loss must be a callable"),
    ],
)
def test_learning_curve_names_bad_input(arguments, error, message):
    with pytest.raises(error, match=message):
        learning_curve(Ridge(), np.ones((10, 1)), np.ones(10), **({"train_sizes": [2]} | arguments))


def frame_pipeline():
    """Columns by name: it fails on anything but a data frame."""
    scale = ColumnTransformer([("some", StandardScaler(), ["bmi", "bp"])], remainder="passthrough")
    return make_pipeline(scale, Ridge(3.0))


def as_frame(data):
    return pd.DataFrame(data.X, columns=list(data.feature_names)), pd.Series(data.y, name="y")


def test_a_data_frame_stays_one():
    frame, target = as_frame(load_diabetes())
    cv = KFold(4, shuffle=True, random_state=0)
    ours = cross_val_loss(frame_pipeline(), frame, target, cv=cv)
    theirs = model_selection.cross_val_score(
        frame_pipeline(), frame, target, cv=cv, scoring="neg_mean_squared_error"
    )
    np.testing.assert_allclose(ours, -theirs)
    arguments = {"param_name": "ridge__alpha", "param_range": [1.0, 10.0]}
    _, losses = validation_curve(frame_pipeline(), frame, target, cv=cv, **arguments)
    _, theirs = model_selection.validation_curve(
        frame_pipeline(), frame, target, cv=cv, scoring="neg_mean_squared_error", **arguments
    )
    np.testing.assert_allclose(losses, -theirs)
    options = {"train_sizes": [50, 200], "n_repeats": 2, "random_state": 0}
    of_frame = learning_curve(frame_pipeline(), frame, target, **options)
    columns = [list(frame.columns).index(name) for name in ("bmi", "bp")]
    scale = ColumnTransformer([("some", StandardScaler(), columns)], remainder="passthrough")
    by_number = make_pipeline(scale, Ridge(3.0))
    of_array = learning_curve(by_number, frame.to_numpy(), target.to_numpy(), **options)
    np.testing.assert_allclose(of_frame, of_array)


def test_sparse_features():
    X, y = load_diabetes().X, load_diabetes().y
    sparse = cross_val_loss(Ridge(1.0, solver="lsqr", tol=1e-12), csr_array(X), y, cv=3)
    dense = cross_val_loss(Ridge(1.0, solver="lsqr", tol=1e-12), X, y, cv=3)
    np.testing.assert_allclose(sparse, dense, rtol=1e-6)


def test_a_number_of_folds_is_scikit_learns():
    diabetes, wine = load_diabetes(), load_wine()
    ours = cross_val_loss(Ridge(), diabetes.X, diabetes.y, cv=5)
    theirs = model_selection.cross_val_score(
        Ridge(), diabetes.X, diabetes.y, cv=5, scoring="neg_mean_squared_error"
    )
    np.testing.assert_allclose(ours, -theirs)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    ours = cross_val_loss(model, wine.X, wine.y, cv=3, loss=zero_one_loss)  # stratified
    theirs = model_selection.cross_val_score(model, wine.X, wine.y, cv=3)
    np.testing.assert_allclose(1 - ours, theirs)


@pytest.mark.parametrize("unit", [2.0**-1000, 2.0**-500, 2.0**500, 2.0**1000])
def test_the_one_standard_error_rule_has_no_units(unit):
    losses = np.random.default_rng(0).uniform(1, 2, size=(6, 5))
    chosen = one_standard_error_rule(losses, complexity=range(6))
    assert one_standard_error_rule(losses * unit, complexity=range(6)) == chosen
