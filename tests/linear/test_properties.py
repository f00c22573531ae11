"""What must hold for any data: layouts, number types, scales, weights, ties."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import linear_model as sklearn_linear
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning
from sklearn.model_selection import KFold

from lessons_lib.linear import (
    ElasticNet,
    ElasticNetCV,
    Lasso,
    LassoCV,
    Ridge,
    RidgeCV,
    alpha_grid,
    effective_degrees_of_freedom,
    elastic_net_path,
    lars_path,
    lasso_path,
    ridge_path,
)
from lessons_lib.solvers import coordinate_descent, homotopy

FEW = settings(max_examples=25, derandomize=True, deadline=None)
MODELS = [
    Ridge(0.5),
    Lasso(0.05),
    ElasticNet(0.1, l1_ratio=0.3),
    RidgeCV([0.1, 10.0]),
    LassoCV(alphas=5, cv=2),
    ElasticNetCV(alphas=5, cv=2, l1_ratio=[0.3, 1.0]),
]
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
either_intercept = pytest.mark.parametrize("fit_intercept", [True, False])


def draw(seed, kind="normal", n_samples=None, n_features=None):
    rng = np.random.default_rng(seed)
    n_samples = n_samples or int(rng.integers(4, 20))
    n_features = n_features or int(rng.integers(1, 20))
    X = rng.normal(size=(n_samples, n_features))
    y = X[:, 0] - X[:, -1] + rng.normal(size=n_samples)
    if kind == "integers":
        X, y = X.round(), y.round()
    elif kind == "constant":
        X[:, n_features // 2] = 0.1
    elif kind == "duplicates":
        X[:, -1] = X[:, 0]
    return X, y


KINDS = st.sampled_from(["normal", "integers", "constant", "duplicates"])


def assert_same_predictions(model, other, X, rtol=1e-9):
    """Where features are copies of each other, only the predictions are determined."""
    np.testing.assert_allclose(model.predict(X), other.predict(X), rtol=rtol, atol=rtol)


def assert_same_model(model, other, rtol=1e-9):
    scale = np.abs(other.coef_).max() + 1e-300
    np.testing.assert_allclose(model.coef_, other.coef_, rtol=rtol, atol=rtol * scale)
    np.testing.assert_allclose(model.intercept_, other.intercept_, rtol=rtol, atol=rtol)


# ----------------------------------------------------------------------------- layouts and types


def layouts(X):
    strided = np.zeros((2 * X.shape[0], 3 * X.shape[1]))
    strided[::2, ::3] = X
    read_only = X.copy()
    read_only.flags.writeable = False
    reversed_twice = np.ascontiguousarray(X[::-1, ::-1])[::-1, ::-1]
    return [np.asfortranarray(X), strided[::2, ::3], read_only, reversed_twice, X.tolist()]


@every_model
@FEW
@given(seed=st.integers(0, 10_000), kind=KINDS)
def test_the_layout_does_not_matter(model, seed, kind):
    X, y = draw(seed, kind)
    expected = clone(model).fit(X, y)
    for same in layouts(X):
        assert_same_predictions(clone(model).fit(same, y), expected, X)
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])])
    fitted = clone(model).fit(frame, pd.Series(y))
    assert fitted.feature_names_in_.tolist() == list(frame.columns)
    np.testing.assert_allclose(fitted.predict(frame), expected.predict(X), rtol=1e-9, atol=1e-9)


@every_model
def test_other_number_types_are_computed_in_float64(model):
    X, y = draw(3, "integers", 12, 4)
    expected = clone(model).fit(X, y)
    for dtype in (np.float32, np.float16, np.int8, np.int64):
        fitted = clone(model).fit(X.astype(dtype), y.astype(dtype))
        assert_same_model(fitted, expected)
        assert fitted.coef_.dtype == fitted.predict(X.astype(dtype)).dtype == np.float64


@every_model
def test_one_target_may_be_a_column(model):
    X, y = draw(0, n_samples=15, n_features=4)
    expected = clone(model).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataConversionWarning)  # scikit-learn's, except for Ridge
        fitted = clone(model).fit(X, y[:, None])
    assert fitted.coef_.shape == (4,)
    assert np.ndim(fitted.intercept_) == 0
    assert fitted.predict(X).shape == (15,)
    assert_same_model(fitted, expected)


# ----------------------------------------------------------------------------------------- scales


def rescaled(model, x_power, y_power):
    """Return the model whose fit to data in other units is the same in those units."""
    x, y = 2.0**x_power, 2.0**y_power
    if isinstance(model, Ridge):
        return clone(model).set_params(alpha=model.alpha * x * x)
    if isinstance(model, RidgeCV):
        return clone(model).set_params(alphas=np.array(model.alphas) * x * x)
    if isinstance(model, Lasso):
        return clone(model).set_params(alpha=model.alpha * x * y)
    return clone(model)  # an automatic grid


@pytest.mark.parametrize(
    "model", [MODELS[0], MODELS[1], MODELS[3], MODELS[4]], ids=lambda m: type(m).__name__
)
@FEW
@given(
    fit_intercept=st.booleans(),
    seed=st.integers(0, 10_000),
    kind=KINDS,
    x_power=st.integers(-500, 500),
    y_power=st.integers(-500, 500),
)
def test_units_do_not_matter(model, fit_intercept, seed, kind, x_power, y_power):
    X, y = draw(seed, kind)
    model = clone(model).set_params(fit_intercept=fit_intercept)
    expected = clone(model).fit(X, y)
    other = rescaled(model, x_power, y_power)
    fitted = other.fit(X * 2.0**x_power, y * 2.0**y_power)
    unit = 2.0 ** (y_power - x_power)
    assert np.abs(fitted.coef_ / unit).max() <= 1e3 * np.abs(expected.coef_).max() + 1e-12
    predictions = fitted.predict(X * 2.0**x_power) / 2.0**y_power
    np.testing.assert_allclose(predictions, expected.predict(X), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("largest", [1e155, 1e300, 1.7e308])
@every_model
def test_the_largest_numbers(model, largest):
    X, y = draw(1, n_samples=14, n_features=3)
    X /= np.abs(X).max()
    single = "alpha" in model.get_params()
    big = clone(model).set_params(alpha=0.0) if single else clone(model)
    if isinstance(model, ElasticNetCV) and largest > 1e308:
        with pytest.raises(ValueError, match="strength leaves the range"):
            big.fit(X * largest, y * 10)
        return
    fitted = big.fit(X * largest, y)
    assert np.isfinite(fitted.coef_).all()
    assert np.isfinite(fitted.intercept_)
    if single:
        expected = clone(big).fit(X, y)
        np.testing.assert_allclose(fitted.coef_ * largest, expected.coef_, rtol=1e-9)
        np.testing.assert_allclose(fitted.predict(X * largest), expected.predict(X), rtol=1e-9)


def test_paths_of_extreme_data():
    X, y = draw(2, n_samples=12, n_features=5)
    for unit in (1e-150, 1e150, 1e250):
        alphas, coefs, gaps = lasso_path(X * unit, y, alphas=7)
        expected = lasso_path(X, y, alphas=7)
        np.testing.assert_allclose(alphas / unit, expected[0], rtol=1e-9)
        np.testing.assert_allclose(coefs * unit, expected[1], rtol=1e-7, atol=1e-12)
        assert gaps.max() < 1e-12 * (y @ y)
        strength = 1e-3 * unit * unit if unit < 1e154 else 0.0
        _, coefs, intercepts = ridge_path(X * unit, y, [strength], fit_intercept=True)
        _, plain, constants = ridge_path(X, y, [1e-3 * (strength > 0)], fit_intercept=True)
        np.testing.assert_allclose(coefs * unit, plain, rtol=1e-9)
        np.testing.assert_allclose(intercepts, constants, rtol=1e-9)


def test_coefficients_out_of_range_are_refused():
    X, y = draw(2, n_samples=12, n_features=5)
    for model in (Ridge(0.0), Lasso(0.0)):
        with pytest.raises(ValueError, match=r"leave the range .*: use other units"):
            clone(model).fit(X * 1e-200, y * 1e200)
        with pytest.raises(ValueError, match=r"leave the range .*: use other units"):
            clone(model).fit(X * 1e200, y * 1e-200)
    with pytest.raises(ValueError, match=r"strength leaves the range .* Use other units"):
        alpha_grid(X * 1e200, y * 1e200)


# ------------------------------------------------------------------------------------ leave-one-out


def refit_without_each(X, y, fit_intercept):
    """Return the errors of minimum-norm least squares for samples left out: ridge for alpha → 0."""
    errors = np.empty(len(y))
    for i in range(len(y)):
        rest = np.arange(len(y)) != i
        mean = X[rest].mean(axis=0) if fit_intercept else np.zeros(X.shape[1])
        level = y[rest].mean() if fit_intercept else 0.0
        coef, *_ = np.linalg.lstsq(X[rest] - mean, y[rest] - level, rcond=1e-10)
        errors[i] = y[i] - level - (X[i] - mean) @ coef
    return errors


@either_intercept
@pytest.mark.parametrize("unit", [1.0, 1e4, 1e100])
@pytest.mark.parametrize("shape", [(20, 60), (20, 40), (12, 6)])
def test_leave_one_out_of_weak_penalties(shape, unit, fit_intercept):
    X, y = draw(0, "normal", *shape)
    expected = refit_without_each(X, y, fit_intercept) ** 2
    alphas = np.array([1e-13, 1e-14, 1e-15]) * unit**2
    model = RidgeCV(alphas, fit_intercept=fit_intercept).fit(X * unit, y)
    for losses in model.mse_path_:
        np.testing.assert_allclose(losses, expected, rtol=1e-9)


def test_leave_one_out_over_many_magnitudes():
    X, y = draw(0, "normal", 20, 60)
    model = RidgeCV(np.logspace(-6, 6, 13)).fit(X * 1e4, y)
    assert np.isfinite(model.mse_path_).all()
    assert model.alpha_ in model.alphas_


@either_intercept
def test_leave_one_out_of_a_sample_with_a_feature_of_its_own(fit_intercept):
    # Its leverage is 1 without a penalty: 1 - h is the penalty's part alone.
    X, y = draw(0, "normal", 12, 5)
    X[:, 2] = np.arange(12) == 7
    expected = refit_without_each(X, y, fit_intercept) ** 2
    model = RidgeCV([1e-10, 1e-13, 1e-14], fit_intercept=fit_intercept).fit(X, y)
    for losses in model.mse_path_:
        np.testing.assert_allclose(losses, expected, rtol=1e-8)


# ----------------------------------------------------------------------------------------- weights


@pytest.mark.parametrize("name", ["Ridge", "Lasso", "ElasticNet"])
@either_intercept
@FEW
@given(seed=st.integers(0, 10_000), kind=KINDS)
def test_weights_are_scikit_learns(name, fit_intercept, seed, kind):
    X, y = draw(seed, kind)
    weights = np.random.default_rng(seed).uniform(0.1, 5.0, size=len(y))
    ours = {"Ridge": Ridge, "Lasso": Lasso, "ElasticNet": ElasticNet}[name]
    options = {"tol": 1e-13, "max_iter": 100_000} if name != "Ridge" else {"solver": "svd"}
    alpha = 0.3 * np.abs(X.T @ y).max() / len(y) + 1e-3
    theirs = getattr(sklearn_linear, name)(alpha, fit_intercept=fit_intercept, **options)
    model = ours(alpha, fit_intercept=fit_intercept).fit(X, y, weights)
    theirs.fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(model.predict(X), theirs.predict(X), rtol=1e-6, atol=1e-7)


@every_model
@FEW
@given(seed=st.integers(0, 10_000))
def test_a_weight_is_a_number_of_copies(model, seed):
    X, y = draw(seed, n_samples=12)
    counts = np.random.default_rng(seed).integers(0, 3, size=12)
    counts[:4] = 1
    weighted, repeated = clone(model), clone(model)
    if hasattr(model, "cv"):  # copies must stay in one fold
        weighted.cv = [(np.arange(6), np.arange(6, 12)), (np.arange(6, 12), np.arange(6))]
        counts[6:8] = 1
        fold = np.repeat(np.arange(12) < 6, counts)
        first, second = np.flatnonzero(fold), np.flatnonzero(~fold)
        repeated.cv = [(first, second), (second, first)]
    weighted.fit(X, y, sample_weight=counts)
    repeated.fit(np.repeat(X, counts, axis=0), np.repeat(y, counts))
    assert_same_model(weighted, repeated, rtol=1e-7)


def test_weights_in_cross_validation_are_scikit_learns():
    X, y = draw(0, n_samples=40, n_features=6)
    weights = np.random.default_rng(0).uniform(0.1, 3.0, size=40)
    options = {"alphas": 8, "eps": 1e-2, "cv": 4}
    model = LassoCV(**options).fit(X, y, weights)
    theirs = sklearn_linear.LassoCV(**options, tol=1e-10, max_iter=100_000)
    theirs.fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(model.alphas_, theirs.alphas_, rtol=1e-10)
    np.testing.assert_allclose(model.mse_path_, theirs.mse_path_, rtol=1e-5)
    np.testing.assert_allclose(model.coef_, theirs.coef_, atol=1e-6)
    alphas = np.geomspace(0.01, 100, 9)
    ridge = RidgeCV(alphas).fit(X, y, weights)
    their_ridge = sklearn_linear.RidgeCV(alphas).fit(X, y, sample_weight=weights)
    assert ridge.alpha_ == their_ridge.alpha_
    np.testing.assert_allclose(ridge.coef_, their_ridge.coef_, rtol=1e-8)
    # scikit-learn's score is the mean of weighted squares, ours their weighted mean.
    expected = their_ridge.best_score_ / weights.mean()
    assert ridge.best_score_ == pytest.approx(expected, rel=1e-8)


def test_one_standard_error_rule_with_equal_weights_is_the_plain_one():
    X, y = draw(0, n_samples=40, n_features=6)
    alphas = np.geomspace(0.01, 1e4, 30)
    plain = RidgeCV(alphas, rule="1se").fit(X, y)
    weighted = RidgeCV(2 * alphas, rule="1se").fit(X, y, np.full(40, 2.0))
    assert weighted.alpha_ == pytest.approx(2 * plain.alpha_)


@every_model
def test_extreme_and_bad_weights(model):
    X, y = draw(0, n_samples=12, n_features=3)
    for factor in (1e-300, 1e-100, 1e100, 1e300):
        fitted = clone(model).fit(X, y, np.full(12, factor))
        assert np.isfinite(fitted.coef_).all()
        if not isinstance(model, Ridge | RidgeCV):  # there the penalty is compared with a sum
            assert_same_model(fitted, clone(model).fit(X, y))
    for weights, message in (
        (-np.ones(12), "[Nn]egative"),
        (np.full(12, np.nan), "NaN"),
        (np.full(12, np.inf), "infinity"),
        (np.zeros(12), "zero"),
        (np.ones(11), "sample_weight"),
    ):
        with pytest.raises(ValueError, match=message):
            clone(model).fit(X, y, weights)


# ------------------------------------------------------------------------------------- parameters


@pytest.mark.parametrize("value", ["False", "no", 0, 1, None, [True]])
def test_a_flag_is_true_or_false(value):
    X, y = draw(0, n_samples=12, n_features=3)
    for model in MODELS:
        with pytest.raises(TypeError, match="fit_intercept must be True or False, got"):
            clone(model).set_params(fit_intercept=value).fit(X, y)
    with pytest.raises(TypeError, match="fit_intercept must be True or False"):
        ridge_path(X, y, [1.0], fit_intercept=value)
    with pytest.raises(TypeError, match="fit_intercept must be True or False"):
        alpha_grid(X, y, fit_intercept=value)
    with pytest.raises(TypeError, match="fit_intercept must be True or False"):
        effective_degrees_of_freedom(X, [1.0], fit_intercept=value)
    with pytest.raises(TypeError, match="leave must be True or False"):
        homotopy(X, y, leave=value)
    with pytest.raises(TypeError, match="active_set must be True or False"):
        coordinate_descent(X, y, None, active_set=value)


@pytest.mark.parametrize("name", ["Ridge", "Lasso", "ElasticNet", "RidgeCV", "LassoCV"])
def test_parameters_left_out_are_explained(name):
    ours = next(type(model) for model in MODELS if type(model).__name__ == name)
    known = ours().get_params()
    for parameter in getattr(sklearn_linear, name)().get_params():
        if parameter not in known:
            with pytest.raises(TypeError, match=f"{name} has no parameter '{parameter}' here: "):
                ours(**{parameter: 1})
    with pytest.raises(TypeError, match="unexpected keyword argument 'alhpa'"):
        ours(alhpa=1)


def test_an_explicit_grid_is_the_same_for_all_mixtures():
    X, y = draw(0, n_samples=20, n_features=4)
    options = {"alphas": [0.1, 1.0, 0.01], "l1_ratio": [0.5, 1.0], "cv": KFold(3)}
    model = ElasticNetCV(**options).fit(X, y)
    assert (
        model.alphas_.tolist() == sklearn_linear.ElasticNetCV(**options).fit(X, y).alphas_.tolist()
    )
    assert model.mse_path_.shape == (2, 3, 3)


# ---------------------------------------------------------------------------------- few samples


@pytest.mark.parametrize("n_samples", [1, 2])
def test_one_or_two_rows(n_samples):
    X, y = draw(0, n_samples=n_samples, n_features=3)
    for model in (Ridge(0.1), Lasso(0.01), ElasticNet(0.01)):
        fitted = clone(model).fit(X, y)
        assert np.isfinite(fitted.predict(X)).all()
        theirs = getattr(sklearn_linear, type(model).__name__)(model.alpha).fit(X, y)
        np.testing.assert_allclose(fitted.predict(X), theirs.predict(X), rtol=1e-3, atol=1e-3)
    for path in (lasso_path, elastic_net_path):
        assert path(X, y, alphas=4)[2].max() < 1e-12
    alphas, _, coefs = lars_path(X, y, method="lasso")
    assert alphas[-1] == 0
    np.testing.assert_allclose(X @ coefs[:, -1], y, rtol=1e-9)
