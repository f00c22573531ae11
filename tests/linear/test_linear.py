import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import linear_model as sklearn_linear
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from lessons_lib import penalties
from lessons_lib.linear import (
    ElasticNet,
    ElasticNetCV,
    Lasso,
    LassoCV,
    Ridge,
    RidgeCV,
    alpha_grid,
    effective_degrees_of_freedom,
)

from ..rounding import rounding

FEW = settings(max_examples=30, derandomize=True, deadline=None)
SOLVERS = ["active_set", "homotopy", "coordinate_descent", "fista", "ista", "subgradient"]
EXACT = ["active_set", "homotopy"]


ESTIMATORS = [
    Ridge(),
    Lasso(),
    ElasticNet(),
    RidgeCV(),
    LassoCV(alphas=10),
    ElasticNetCV(alphas=10),
]
CHECKS = [
    pytest.param(estimator, check, id=f"{type(estimator).__name__}-{check.func.__name__}")
    for estimator in ESTIMATORS
    for estimator, check in estimator_checks_generator(estimator)
    # It needs an environment variable, and concerns array types other than NumPy's.
    if check.func.__name__ != "check_array_api_input"
]


@pytest.mark.parametrize(("estimator", "check"), CHECKS)
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


# ----------------------------------------------------------------- data of every awkward kind


def make_data(kind, n_samples, n_features, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_features)) * rng.uniform(0.5, 2, n_features) + 1.0
    if kind == "collinear":  # a column that is nearly a combination of two others
        X[:, 2] = X[:, 0] - X[:, 1] + 0.1 * X[:, 2]
    elif kind == "dependent":  # a column that is one exactly
        X[:, 2] = X[:, 0] - X[:, 1]
    elif kind == "constant":
        X[:, 2] = 3.0
    y = X[:, :3] @ [1.0, -2.0, 0.5] + 0.5 * rng.normal(size=n_samples) + 4.0
    return X, y


KINDS = ["plain", "collinear", "dependent", "constant"]
SHAPES = [(60, 8), (20, 40)]
everywhere = pytest.mark.parametrize("kind", KINDS)
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)
either_intercept = pytest.mark.parametrize("fit_intercept", [True, False])


def centered(X, y, fit_intercept):
    return (X - X.mean(axis=0), y - y.mean()) if fit_intercept else (X, y)


def assert_close(actual, expected, tolerance):
    """Compare whole coefficient vectors, relative to the length of the expected one."""
    assert np.linalg.norm(actual - expected) <= tolerance * np.linalg.norm(expected)


# ---------------------------------------------------------------------------------------- ridge


@everywhere
@every_shape
@either_intercept
@pytest.mark.parametrize("solver", ["auto", "cholesky", "svd"])
def test_ridge_equals_scikit_learn(kind, shape, fit_intercept, solver):
    X, y = make_data(kind, *shape)
    data = centered(X, y, fit_intercept)
    for alpha in np.abs(data[0].T @ data[1]).max() * np.array([1.0, 1e-2, 1e-4]):
        model = Ridge(alpha, fit_intercept=fit_intercept, solver=solver).fit(X, y)
        reference = sklearn_linear.Ridge(alpha, fit_intercept=fit_intercept, solver="svd")
        reference.fit(X, y)
        assert_close(model.coef_, reference.coef_, 1e-10)
        assert model.intercept_ == pytest.approx(reference.intercept_, rel=1e-10, abs=1e-10)
        np.testing.assert_allclose(model.predict(X), reference.predict(X), rtol=1e-9)


@FEW
@given(
    seed=st.integers(0, 10_000),
    kind=st.sampled_from(KINDS),
    fit_intercept=st.booleans(),
    exponent=st.floats(-4, 4),
)
def test_ridge_satisfies_the_normal_equations(seed, kind, fit_intercept, exponent):
    rng = np.random.default_rng(seed)
    X, y = make_data(kind, rng.integers(1, 30), rng.integers(4, 30), seed)
    alpha = 10.0**exponent
    model = Ridge(alpha, fit_intercept=fit_intercept).fit(X, y)
    residual = y - model.predict(X)
    scale = np.linalg.norm(X) * np.linalg.norm(y) + 1.0
    np.testing.assert_allclose(X.T @ residual, alpha * model.coef_, atol=1e-10 * scale)
    if fit_intercept:
        assert residual.sum() == pytest.approx(0, abs=1e-10 * scale)


@everywhere
@every_shape
@either_intercept
def test_no_penalty_gives_minimum_norm_least_squares(kind, shape, fit_intercept):
    X, y = make_data(kind, *shape)
    expected, *_ = np.linalg.lstsq(*centered(X, y, fit_intercept))
    for model in (Ridge(0), Lasso(0), ElasticNet(0)):
        model.set_params(fit_intercept=fit_intercept).fit(X, y)
        assert_close(model.coef_, expected, 1e-9)
    assert Ridge(0).fit(X, y).solver_ == "svd"


@every_shape
def test_vanishing_penalty_approaches_least_squares(shape):
    X, y = make_data("plain", *shape)
    expected, *_ = np.linalg.lstsq(*centered(X, y, True))
    assert_close(Ridge(1e-8).fit(X, y).coef_, expected, 1e-7)
    if shape[0] > shape[1]:
        assert_close(Lasso(1e-10).fit(X, y).coef_, expected, 1e-8)
    else:
        np.testing.assert_allclose(Lasso(1e-12).fit(X, y).predict(X), y, rtol=1e-8)


def test_ridge_with_several_targets():
    X, y = make_data("plain", 30, 5)
    Y = np.column_stack([y, y**2, X[:, 0]])
    reference = sklearn_linear.Ridge(0.5, solver="svd").fit(X, Y)
    for solver in ("cholesky", "svd"):
        model = Ridge(0.5, solver=solver).fit(X, Y)
        assert model.coef_.shape == (3, 5)
        np.testing.assert_allclose(model.coef_, reference.coef_, rtol=1e-10)
        np.testing.assert_allclose(model.intercept_, reference.intercept_, rtol=1e-10)
        np.testing.assert_allclose(model.predict(X), reference.predict(X), rtol=1e-10)
        assert model.score(X, Y) == pytest.approx(reference.score(X, Y))


def test_ridge_takes_the_accurate_solver_where_it_matters():
    X, y = make_data("collinear", 60, 8)
    X[:, 2] = X[:, 0] + 1e-6 * X[:, 2]
    assert Ridge(1.0).fit(X, y).solver_ == "cholesky"
    model = Ridge(1e-9).fit(X, y)
    assert model.solver_ == "svd"
    # Rows √α I added to the data turn ridge regression into least squares.
    Xc, yc = centered(X, y, True)
    rows = np.vstack([Xc, np.sqrt(1e-9) * np.eye(8)])
    expected, *_ = np.linalg.lstsq(rows, np.concatenate([yc, np.zeros(8)]))
    assert_close(model.coef_, expected, 1e-8)


def test_ridge_says_when_cholesky_is_impossible():
    X, y = make_data("constant", 60, 8)
    with pytest.raises(ValueError, match="solver='cholesky' needs a positive definite matrix"):
        Ridge(0.0, solver="cholesky").fit(X, y)


@every_shape
def test_effective_degrees_of_freedom_are_the_trace_of_the_hat_matrix(shape):
    X, _ = make_data("plain", *shape)
    Xc = X - X.mean(axis=0)
    alphas = np.array([0.1, 1.0, 100.0])
    expected = [
        np.trace(Xc @ np.linalg.solve(Xc.T @ Xc + alpha * np.eye(shape[1]), Xc.T))
        for alpha in alphas
    ]
    np.testing.assert_allclose(effective_degrees_of_freedom(X, alphas), expected, rtol=1e-10)
    rank = min(shape[0] - 1, shape[1])
    assert effective_degrees_of_freedom(X, 0.0) == pytest.approx([rank])
    assert effective_degrees_of_freedom(X, 0.0, fit_intercept=False) == pytest.approx([min(shape)])


# ------------------------------------------------------------------------- lasso and Elastic Net


@everywhere
@every_shape
@either_intercept
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.01])
@pytest.mark.parametrize("solver", EXACT)
def test_elastic_net_equals_scikit_learn(kind, shape, fit_intercept, l1_ratio, solver):
    X, y = make_data(kind, *shape)
    data = centered(X, y, fit_intercept)
    largest = alpha_grid(*data, l1_ratio=l1_ratio, fit_intercept=False)[0]
    options = {"l1_ratio": l1_ratio, "fit_intercept": fit_intercept}
    for fraction in (0.9, 0.1, 1e-2, 1e-4):
        alpha = fraction * largest
        model = ElasticNet(alpha, solver=solver, **options).fit(X, y)
        penalty = penalties.ElasticNet(alpha, l1_ratio)
        gradient = -data[0].T @ (data[1] - data[0] @ model.coef_) / len(y)
        # The solution is certified, both by the optimality conditions and by the duality gap.
        assert penalty.subdiff_distance(model.coef_, gradient).max() < 1e-12 * largest
        assert model.dual_gap_ < 1e-13 * (data[1] @ data[1])
        if fraction >= 1e-2 or shape[0] > shape[1]:
            # The reference needs too long for the rest.
            reference = sklearn_linear.ElasticNet(alpha, **options, tol=1e-15, max_iter=300_000)
            with warnings.catch_warnings():
                # Rounding errors keep its duality gap from becoming quite that small.
                warnings.simplefilter("ignore", ConvergenceWarning)
                reference.fit(X, y)
            assert_close(model.coef_, reference.coef_, 1e-8)
            assert model.intercept_ == pytest.approx(reference.intercept_, rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("solver", EXACT)
@either_intercept
def test_real_data(solver, fit_intercept):
    X, y = load_diabetes(return_X_y=True)
    for alpha in (1.0, 0.1, 0.01, 0.001):
        model = Lasso(alpha, solver=solver, fit_intercept=fit_intercept).fit(X, y)
        reference = sklearn_linear.Lasso(
            alpha, fit_intercept=fit_intercept, tol=1e-14, max_iter=1_000_000
        ).fit(X, y)
        assert_close(model.coef_, reference.coef_, 1e-8)
        assert model.intercept_ == pytest.approx(reference.intercept_, rel=1e-10, abs=1e-10)
        np.testing.assert_array_equal(model.coef_ == 0, reference.coef_ == 0)


@FEW
@given(
    seed=st.integers(0, 10_000),
    kind=st.sampled_from([*KINDS, "copies"]),
    fit_intercept=st.booleans(),
    l1_ratio=st.sampled_from([1.0, 0.7, 0.1]),
    exponent=st.floats(-4, 0.1),
)
def test_optimality_conditions(seed, kind, fit_intercept, l1_ratio, exponent):
    rng = np.random.default_rng(seed)
    X, y = make_data(kind, rng.integers(1, 50), rng.integers(4, 50), seed)
    if kind == "copies":
        X[:, -1], X[:, 2] = X[:, 0], -X[:, 0]
    largest = alpha_grid(X, y, l1_ratio=l1_ratio, fit_intercept=fit_intercept)[0]
    alpha = 10.0**exponent * largest
    for solver in EXACT:
        model = ElasticNet(alpha, l1_ratio=l1_ratio, solver=solver, fit_intercept=fit_intercept)
        model.fit(X, y)
        residual = y - model.predict(X)
        slope = X.T @ residual / len(y) - alpha * (1 - l1_ratio) * model.coef_
        bound, rounding = alpha * l1_ratio, 1e-11 * (np.abs(X).max() * np.abs(y).max())
        assert (np.abs(slope) <= bound + rounding).all()
        used = model.coef_ != 0
        np.testing.assert_allclose(
            slope[used], bound * np.sign(model.coef_[used]), rtol=0, atol=rounding
        )
        if fit_intercept:
            assert abs(residual.mean()) < rounding


@pytest.mark.parametrize("solver", EXACT)
def test_copies_of_a_column(solver):
    X, y = make_data("plain", 60, 40)
    X[:, 1] = X[:, 0]
    lasso = Lasso(0.05, solver=solver).fit(X, y)
    reference = sklearn_linear.Lasso(0.05, tol=1e-14, max_iter=100_000).fit(X, y)
    # The lasso does not care how the copies share, only what they add up to.
    np.testing.assert_allclose(lasso.predict(X), reference.predict(X), rtol=1e-8)
    assert lasso.coef_[:2].sum() == pytest.approx(reference.coef_[:2].sum(), rel=1e-8)
    elastic_net = ElasticNet(0.05, l1_ratio=0.9, solver=solver).fit(X, y)
    assert elastic_net.coef_[0] == pytest.approx(elastic_net.coef_[1], rel=1e-10)


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_solves_the_same_problem(solver):
    X, y = make_data("plain", 60, 8)
    model = ElasticNet(0.1, l1_ratio=0.7, solver=solver, tol=1e-3, max_iter=20_000).fit(X, y)
    exact = ElasticNet(0.1, l1_ratio=0.7).fit(X, y)
    np.testing.assert_allclose(model.coef_, exact.coef_, atol=0.1)
    assert exact.dual_gap_ < 1e-12
    assert model.dual_gap_ <= 1e-3 * y.var()
    assert model.n_iter_ >= 1


@pytest.mark.parametrize("solver", ["coordinate_descent", "fista", "ista", "subgradient"])
def test_no_convergence_is_reported(solver):
    X, y = make_data("plain", 60, 8)
    with pytest.warns(ConvergenceWarning, match="stopped after 1 iterations"):
        Lasso(0.01, solver=solver, max_iter=1, tol=1e-10).fit(X, y)


@every_shape
@pytest.mark.parametrize("solver", EXACT)
def test_exact_solvers_meet_any_tolerance(shape, solver):
    X, y = make_data("plain", *shape)
    model = Lasso(0.01, solver=solver, tol=0.0).fit(X, y)  # without a warning
    assert model.dual_gap_ < 1e-13 * (y @ y)


@everywhere
@every_shape
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_zero_from_the_largest_strength_on(kind, shape, l1_ratio):
    X, y = make_data(kind, *shape)
    largest = alpha_grid(X, y, l1_ratio=l1_ratio)[0]
    for solver in EXACT:
        for factor in (1.0, 1.5):
            model = ElasticNet(factor * largest, l1_ratio=l1_ratio, solver=solver).fit(X, y)
            assert not model.coef_.any()
            assert model.intercept_ == pytest.approx(y.mean())
        below = ElasticNet(0.999 * largest, l1_ratio=l1_ratio, solver=solver).fit(X, y)
        assert below.coef_.any()


def test_l1_ratio_zero_is_ridge():
    X, y = make_data("plain", 60, 8)
    ridge = Ridge(60 * 0.3).fit(X, y)
    assert_close(ElasticNet(0.3, l1_ratio=0.0).fit(X, y).coef_, ridge.coef_, 1e-10)
    assert_close(ElasticNet(0.3, l1_ratio=1e-9).fit(X, y).coef_, ridge.coef_, 1e-7)
    assert ElasticNet(0.3, l1_ratio=0.0).fit(X, y).dual_gap_ < 1e-12


# -------------------------------------------------------------------- use, and data at the edges


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_inputs_are_not_changed(estimator):
    X, y = make_data("plain", 30, 5)
    before = X.copy(), y.copy()
    X.flags.writeable = y.flags.writeable = False
    clone(estimator).fit(X, y).predict(X)
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(y, before[1])


@pytest.mark.parametrize("estimator", [Ridge(), Lasso(0.1), ElasticNet(0.1)], ids=str)
def test_inside_scikit_learn(estimator):
    X, y = make_data("plain", 60, 6)
    pipeline = make_pipeline(StandardScaler(), estimator)
    reference = make_pipeline(
        StandardScaler(), getattr(sklearn_linear, type(estimator).__name__)(estimator.alpha)
    )
    ours, theirs = (cross_val_score(model, X, y, cv=3) for model in (pipeline, reference))
    np.testing.assert_allclose(ours, theirs, rtol=1e-3)
    name = f"{type(estimator).__name__.lower()}__alpha"
    search = GridSearchCV(pipeline, {name: [1e-3, 1e3]}, cv=3).fit(X, y)
    assert search.best_params_ == {name: 1e-3}


def test_feature_names_are_kept_and_checked():
    X, y = make_data("plain", 30, 3)
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    model = Lasso(0.1).fit(frame, y)
    assert model.feature_names_in_.tolist() == ["a", "b", "c"]
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[["c", "b", "a"]])
    # Names of an earlier fit are forgotten.
    model.fit(X, y)
    assert not hasattr(model, "feature_names_in_")
    assert model.n_features_in_ == 3


@pytest.mark.parametrize("estimator", [Ridge(), Lasso(0.1), ElasticNet(0.1)], ids=str)
def test_data_at_the_edges(estimator):
    X, y = make_data("plain", 30, 3)
    # A constant target and a single sample leave nothing for the coefficients to explain.
    for few_X, few_y in ((X, np.full(30, 5.0)), (X[:1], np.array([5.0]))):
        model = clone(estimator).fit(few_X, few_y)
        np.testing.assert_allclose(model.coef_, 0, atol=5 * rounding(np.float64, len(few_y)))
        assert model.intercept_ == pytest.approx(5.0)
        np.testing.assert_allclose(model.predict(few_X), 5.0)
    # Other number types and lists are converted.
    rounded = X.round().astype(int)
    expected = clone(estimator).fit(rounded.astype(float), y)
    for same in (rounded, rounded.astype(np.float32), rounded.tolist()):
        np.testing.assert_allclose(clone(estimator).fit(same, y).coef_, expected.coef_, rtol=1e-12)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[1.0], [np.nan]], [1.0, 2.0], "Input X contains NaN"),
        ([[1.0], [np.inf]], [1.0, 2.0], "Input X contains infinity"),
        ([[1.0], [2.0]], [1.0, np.nan], "Input y contains NaN"),
        ([[1.0], [2.0]], [1.0, np.inf], "Input y contains infinity"),
        ([1.0, 2.0], [1.0, 2.0], "Expected 2D array, got 1D array"),
        ([[1.0], [2.0]], [1.0, 2.0, 3.0], "inconsistent numbers of samples"),
        (np.empty((0, 2)), np.empty(0), "0 sample"),
        (np.empty((3, 0)), np.ones(3), "0 feature"),
    ],
)
def test_bad_data(estimator, X, y, message):
    with pytest.raises(ValueError, match=message):
        clone(estimator).fit(X, y)


@pytest.mark.parametrize("estimator", ESTIMATORS[1:], ids=lambda e: type(e).__name__)
def test_several_targets_are_refused(estimator):
    with pytest.raises(ValueError, match="y should be a 1d array"):
        clone(estimator).fit(np.eye(4), np.ones((4, 2)))


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (Ridge(-1.0), r"alpha must lie in \[0, inf\), got -1.0"),
        (Ridge(np.nan), "alpha must lie in"),
        (Ridge(solver="magic"), "solver must be 'auto', 'cholesky' or 'svd', got 'magic'"),
        (Lasso(-1.0), "alpha must lie in"),
        (Lasso(solver="magic"), "solver must be one of active_set, .*, got 'magic'"),
        (Lasso(tol=-1.0), "tol must lie in"),
        (Lasso(max_iter=0), "max_iter must be at least 1, got 0"),
        (ElasticNet(l1_ratio=1.5), r"l1_ratio must lie in \[0, 1\], got 1.5"),
        (ElasticNet(l1_ratio=-0.1), "l1_ratio must lie in"),
        (RidgeCV(alphas=[1.0, 0.0]), "alphas must be positive, got 0"),
        (RidgeCV(alphas=[]), "alphas must be a non-empty sequence"),
        (RidgeCV(rule="max"), "rule must be 'min' or '1se', got 'max'"),
        (LassoCV(alphas=[1.0, -1.0]), "alphas must be finite and not negative"),
        (LassoCV(alphas=0), "alphas must be at least 1, got 0"),
        (LassoCV(eps=0.0), r"eps must lie in \(0, 1\], got 0.0"),
        (LassoCV(rule="max"), "rule must be 'min' or '1se', got 'max'"),
        (ElasticNetCV(l1_ratio=0.0), "l1_ratio must be positive for an automatic grid"),
        (ElasticNetCV(l1_ratio=[0.5, 2.0]), "l1_ratio must lie in"),
        (ElasticNetCV(l1_ratio=[]), "l1_ratio must contain at least one value"),
    ],
)
def test_bad_parameters(estimator, message):
    X, y = make_data("plain", 30, 3)
    with pytest.raises(ValueError, match=message):
        estimator.fit(X, y)


def test_parameters_of_the_wrong_type():
    X, y = make_data("plain", 30, 3)
    with pytest.raises(TypeError, match="alpha must be a real number, got '1'"):
        Ridge("1").fit(X, y)
    with pytest.raises(TypeError, match="max_iter must be an integer"):
        Lasso(max_iter=1.5).fit(X, y)


def test_bad_input_to_predict():
    X, y = make_data("plain", 30, 3)
    with pytest.raises(NotFittedError):
        Lasso().predict(X)
    with pytest.raises(ValueError, match="X has 2 features, but Lasso is expecting 3"):
        Lasso().fit(X, y).predict(X[:, :2])
