import warnings

import numpy as np
import pytest
from sklearn import linear_model as sklearn_linear
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, KFold, LeaveOneOut, cross_val_predict

from lessons_lib.linear import (
    ElasticNet,
    ElasticNetCV,
    Lasso,
    LassoCV,
    Ridge,
    RidgeCV,
    Spectrum,
    alpha_grid,
    elastic_net_path,
    lars_path,
    lasso_path,
    quadratic_regression,
    ridge_path,
)
from lessons_lib.linear.ridge import leave_one_out_errors
from lessons_lib.penalties import ElasticNet as ElasticNetPenalty
from lessons_lib.solvers import duality_gap
from lessons_lib.solvers._monitor import dual_gaps
from lessons_lib.solvers.homotopy import follow_path

from ..rounding import rounding


def make_data(n_samples, n_features, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_features)) + 1.0
    y = X[:, :3] @ [1.0, -2.0, 0.5] + 0.5 * rng.normal(size=n_samples) + 4.0
    return X, y


def centered(X, y):
    return X - X.mean(axis=0), y - y.mean()


DATA = {
    "diabetes": load_diabetes(return_X_y=True),
    "more samples": make_data(60, 8),
    "more features": make_data(20, 40),
}
every_data = pytest.mark.parametrize("data", DATA.values(), ids=DATA)


# ---------------------------------------------------------------------------------------- paths


@every_data
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_ridge_path_is_many_ridge_fits(data, fit_intercept):
    X, y = data
    strengths = [10.0, 0.0, 1e-6, 1.0]  # in any order
    alphas, coefs, intercepts = ridge_path(X, y, strengths, fit_intercept=fit_intercept)
    assert alphas.tolist() == strengths
    assert coefs.shape == (X.shape[1], 4)
    for alpha, coef, intercept in zip(alphas, coefs.T, intercepts, strict=True):
        model = Ridge(alpha, fit_intercept=fit_intercept).fit(X, y)
        np.testing.assert_allclose(coef, model.coef_, rtol=1e-9, atol=1e-9 * np.abs(coef).max())
        assert intercept == pytest.approx(model.intercept_, rel=1e-9, abs=1e-9)
    for alpha, coef in zip(alphas[[0, 3]], coefs[:, [0, 3]].T, strict=True):
        reference = sklearn_linear.Ridge(alpha, fit_intercept=fit_intercept, solver="svd")
        error = coef - reference.fit(X, y).coef_
        assert np.linalg.norm(error) <= 1e-10 * np.linalg.norm(coef)


@every_data
def test_both_decompositions_agree(data):
    X, y = centered(*data)
    alphas, unpenalized = np.array([0.5, 50.0]), np.full(len(y), len(y) ** -0.5)
    from_svd = Spectrum.from_svd(X, y)
    from_gram = Spectrum.from_gram(X, y, unpenalized)
    np.testing.assert_allclose(from_gram.coefs(alphas), from_svd.coefs(alphas), rtol=1e-9)
    np.testing.assert_allclose(from_svd.coef(0.5), from_svd.coefs(alphas)[:, 0], rtol=1e-12)
    np.testing.assert_allclose(
        leave_one_out_errors(X, y, alphas, from_gram, unpenalized),
        leave_one_out_errors(X, y, alphas, from_svd, unpenalized),
        rtol=1e-9,
    )


@every_data
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.05])
def test_elastic_net_path_is_exact(data, l1_ratio):
    X, y = centered(*data)
    alphas, coefs, gaps = elastic_net_path(X, y, l1_ratio=l1_ratio, alphas=20, eps=1e-4)
    assert alphas[-1] == pytest.approx(1e-4 * alphas[0])
    assert not coefs[:, 0].any()
    assert gaps.max() < 1e-13 * (y @ y)
    for alpha, coef, gap in zip(alphas, coefs.T, gaps, strict=True):
        penalty = ElasticNetPenalty(alpha, l1_ratio)
        gradient = -X.T @ (y - X @ coef) / len(y)
        assert penalty.subdiff_distance(coef, gradient).max() < 1e-12 * alphas[0] * l1_ratio
        assert gap == pytest.approx(duality_gap(X, y, coef, penalty), abs=1e-14 * (y @ y))


@every_data
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_elastic_net_path_equals_scikit_learns(data, l1_ratio):
    X, y = centered(*data)
    alphas, coefs, _ = elastic_net_path(X, y, l1_ratio=l1_ratio, alphas=12, eps=1e-2)
    expected_alphas, expected, _ = sklearn_linear.enet_path(
        X, y, l1_ratio=l1_ratio, alphas=12, eps=1e-2, tol=1e-14, max_iter=100_000
    )
    np.testing.assert_allclose(alphas, expected_alphas, rtol=1e-12)
    np.testing.assert_allclose(coefs, expected, rtol=1e-8, atol=1e-8 * np.abs(expected).max())


def test_the_gaps_of_a_path_are_those_of_single_solutions():
    # The coefficients are wrong on purpose, so that the gaps are not all zero.
    X, y = centered(*DATA["more samples"])
    alphas = np.array([0.5, 0.1, 0.02])
    coefs = np.random.default_rng(0).normal(size=(8, 3))
    coefs[2] = 0.0
    for l1_ratio in (1.0, 0.5, 0.0):
        expected = [
            duality_gap(X, y, coef, ElasticNetPenalty(alpha, l1_ratio))
            for alpha, coef in zip(alphas, coefs.T, strict=True)
        ]
        gaps = dual_gaps(X, y, coefs, alphas * l1_ratio, alphas * (1 - l1_ratio))
        np.testing.assert_allclose(gaps, expected, rtol=1e-12)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_a_path_that_went_astray_is_finished_by_another_method(monkeypatch, l1_ratio):
    # Rounding errors can do this to the homotopy; here it is made to return nonsense.
    monkeypatch.setattr(
        "lessons_lib.linear.paths.solve_grid_by_homotopy",
        lambda X, y, l1, l2: np.ones((X.shape[1], len(l1))),
    )
    X, y = centered(*DATA["more samples"])
    alphas, coefs, gaps = elastic_net_path(X, y, l1_ratio=l1_ratio, alphas=[0.5, 0.01])
    _, expected, _ = sklearn_linear.enet_path(
        X, y, l1_ratio=l1_ratio, alphas=alphas, tol=1e-14, max_iter=100_000
    )
    np.testing.assert_allclose(coefs, expected, rtol=1e-8, atol=1e-10)
    assert gaps.max() < 1e-13 * (y @ y)


@every_data
def test_lasso_path_is_many_lasso_fits(data):
    X, y = centered(*data)
    alphas, coefs, _ = lasso_path(X, y, alphas=[0.01, 0.5, 0.1, 1e3])
    assert alphas.tolist() == [1e3, 0.5, 0.1, 0.01]
    for alpha, coef in zip(alphas, coefs.T, strict=True):
        expected = Lasso(alpha, fit_intercept=False).fit(X, y).coef_
        np.testing.assert_allclose(coef, expected, atol=1e-11 * max(np.abs(expected).max(), 1))


@every_data
def test_ends_of_the_mixture(data):
    X, y = centered(*data)
    alphas = np.array([1.0, 0.1, 0.0])
    _, ridge, _ = ridge_path(X, y, len(y) * alphas)
    _, coefs, gaps = elastic_net_path(X, y, l1_ratio=0.0, alphas=alphas)
    np.testing.assert_allclose(coefs, ridge, rtol=1e-9, atol=1e-9 * np.abs(ridge).max())
    assert gaps.max() < 1e-12 * (y @ y)
    # Without a penalty both ends, and everything between, are least squares.
    for l1_ratio in (0.5, 1.0):
        _, coefs, _ = elastic_net_path(X, y, l1_ratio=l1_ratio, alphas=alphas)
        np.testing.assert_allclose(coefs[:, -1], ridge[:, -1], rtol=1e-9)


@every_data
@pytest.mark.parametrize("method", ["lasso", "lar"])
def test_lars_path_equals_scikit_learns(data, method):
    X, y = centered(*data)
    # For "lar", scikit-learn is right only until it interpolates the data.
    alpha_min = 0.2 if method == "lar" else 0.0
    alphas, active, coefs = lars_path(X, y, method=method, alpha_min=alpha_min)
    expected_alphas, expected_active, expected = sklearn_linear.lars_path(
        X, y, method=method, alpha_min=alpha_min
    )
    np.testing.assert_allclose(alphas, expected_alphas, rtol=1e-8, atol=1e-10 * alphas[0])
    np.testing.assert_allclose(coefs, expected, rtol=1e-8, atol=1e-8 * np.abs(expected).max())
    assert active == list(expected_active)  # in the order in which they joined


@every_data
def test_alpha_grid(data):
    X, y = data
    grid = alpha_grid(X, y, n_alphas=5, eps=0.1)
    model = sklearn_linear.LassoCV(alphas=5, eps=0.1, cv=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        np.testing.assert_allclose(grid, model.fit(X, y).alphas_, rtol=1e-12)
    np.testing.assert_allclose(
        alpha_grid(X, y, l1_ratio=0.5)[0], 2 * grid[0], rtol=rounding(np.float64, 3)
    )


def test_constant_target():
    X, _ = make_data(20, 3)
    y = np.full(20, 7.0)
    grid = alpha_grid(X, y)
    assert grid.shape == (100,)
    assert (grid > 0).all()
    assert LassoCV().fit(X, y).coef_.tolist() == [0, 0, 0]
    assert not lasso_path(X, np.zeros(20))[1].any()


def test_inputs_are_not_changed():
    X, y = make_data(30, 5)
    X.flags.writeable = y.flags.writeable = False
    ridge_path(X, y, [1.0], fit_intercept=True)
    ridge_path(X, y, [1.0], fit_intercept=False)
    lasso_path(X, y)
    elastic_net_path(X, y)
    lars_path(X, y)


@pytest.mark.parametrize("path", [lasso_path, elastic_net_path, lars_path])
def test_bad_data(path):
    with pytest.raises(ValueError, match="Input X contains NaN"):
        path([[1.0], [np.nan]], [1.0, 2.0])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        path([[1.0], [2.0]], [1.0])
    with pytest.raises(ValueError, match="0 feature"):
        path(np.empty((3, 0)), np.ones(3))


def test_bad_arguments():
    X, y = make_data(20, 3)
    with pytest.raises(ValueError, match="alphas must be finite and not negative"):
        ridge_path(X, y, [1.0, -1.0])
    with pytest.raises(ValueError, match="alphas must be a non-empty sequence"):
        lasso_path(X, y, alphas=[])
    with pytest.raises(ValueError, match="alphas must be at least 1, got 0"):
        lasso_path(X, y, alphas=0)
    with pytest.raises(ValueError, match=r"eps must lie in \(0, 1\], got 2.0"):
        lasso_path(X, y, eps=2.0)
    with pytest.raises(ValueError, match=r"l1_ratio must lie in \[0, 1\], got -0.5"):
        elastic_net_path(X, y, l1_ratio=-0.5)
    with pytest.raises(ValueError, match="l1_ratio must be positive for an automatic grid"):
        elastic_net_path(X, y, l1_ratio=0.0)
    with pytest.raises(ValueError, match="n_alphas must be at least 1"):
        alpha_grid(X, y, n_alphas=0)
    with pytest.raises(ValueError, match="method must be 'lar' or 'lasso', got 'omp'"):
        lars_path(X, y, method="omp")
    with pytest.raises(ValueError, match="alpha_min must lie in"):
        lars_path(X, y, alpha_min=-1.0)


# ----------------------------------------------------------------------------- cross-validation


@every_data
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_leave_one_out_equals_refitting(data, fit_intercept):
    X, y = data[0][:40], data[1][:40]
    alphas = [0.1, 1.0, 30.0]
    model = RidgeCV(alphas, fit_intercept=fit_intercept).fit(X, y)
    assert model.alphas_.tolist() == [30.0, 1.0, 0.1]
    for alpha, squared_errors in zip(model.alphas_, model.mse_path_, strict=True):
        ridge = sklearn_linear.Ridge(alpha, fit_intercept=fit_intercept)
        predictions = cross_val_predict(ridge, X, y, cv=LeaveOneOut())
        np.testing.assert_allclose(squared_errors, (y - predictions) ** 2, rtol=1e-7, atol=1e-12)


@every_data
def test_ridge_cv_equals_scikit_learns(data):
    X, y = data
    alphas = np.geomspace(1e-3, 1e3, 20)
    model, reference = (kind(alphas).fit(X, y) for kind in (RidgeCV, sklearn_linear.RidgeCV))
    assert model.alpha_ == reference.alpha_ == model.alpha_min_
    assert model.best_score_ == pytest.approx(reference.best_score_, rel=1e-8)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=1e-8)
    assert model.intercept_ == pytest.approx(reference.intercept_, rel=1e-8)


@every_data
def test_ridge_cv_with_folds(data):
    X, y = data
    alphas = [0.01, 1.0, 100.0]
    cv = KFold(4, shuffle=True, random_state=0)
    model = RidgeCV(alphas, cv=cv).fit(X, y)
    search = GridSearchCV(
        sklearn_linear.Ridge(), {"alpha": alphas}, cv=cv, scoring="neg_mean_squared_error"
    ).fit(X, y)
    assert model.mse_path_.shape == (3, 4)
    assert model.alpha_ == search.best_params_["alpha"]
    assert model.best_score_ == pytest.approx(search.best_score_, rel=1e-8)


@every_data
def test_lasso_cv_equals_scikit_learns(data):
    X, y = data
    model = LassoCV(alphas=15, eps=1e-2, cv=4).fit(X, y)
    reference = sklearn_linear.LassoCV(alphas=15, eps=1e-2, cv=4, tol=1e-10, max_iter=100_000)
    reference.fit(X, y)
    np.testing.assert_allclose(model.mse_path_, reference.mse_path_, rtol=1e-5)
    assert model.alpha_ == pytest.approx(reference.alpha_, rel=1e-12)
    np.testing.assert_allclose(model.coef_, reference.coef_, atol=1e-3 * np.abs(model.coef_).max())
    assert model.dual_gap_ < 1e-12 * (y @ y)


@every_data
def test_elastic_net_cv_equals_scikit_learns(data):
    X, y = data
    options = {"l1_ratio": [0.2, 0.9], "alphas": 8, "eps": 1e-2, "cv": 3}
    model = ElasticNetCV(**options).fit(X, y)
    reference = sklearn_linear.ElasticNetCV(**options, tol=1e-10, max_iter=100_000).fit(X, y)
    np.testing.assert_allclose(model.mse_path_, reference.mse_path_, rtol=1e-5)
    np.testing.assert_allclose(model.alphas_, reference.alphas_, rtol=1e-12)
    assert model.l1_ratio_ == reference.l1_ratio_
    assert model.alpha_ == pytest.approx(reference.alpha_, rel=1e-12)
    final = ElasticNet(model.alpha_, l1_ratio=model.l1_ratio_).fit(X, y)
    np.testing.assert_array_equal(model.coef_, final.coef_)


def test_elastic_net_cv_may_include_ridge():
    X, y = make_data(60, 8)
    model = ElasticNetCV(l1_ratio=[0.0, 1.0], alphas=[0.01, 0.1], cv=3).fit(X, y)
    ridge = RidgeCV(60 * 2 / 3 * np.array([0.01, 0.1]), cv=3).fit(X, y)
    np.testing.assert_allclose(model.mse_path_[0], ridge.mse_path_, rtol=1e-8)


@pytest.mark.parametrize("kind", [RidgeCV, LassoCV, ElasticNetCV])
def test_one_standard_error_rule(kind):
    X, y = make_data(40, 8)
    y += np.random.default_rng(1).normal(size=40)
    alphas = np.geomspace(100, 1e-3, 40)
    model = kind(alphas=alphas, cv=5, rule="1se").fit(X, y)
    means = model.mse_path_.mean(axis=1)
    errors = model.mse_path_.std(axis=1, ddof=1) / np.sqrt(5)
    best = means.argmin()
    allowed = model.alphas_[means <= means[best] + errors[best]]
    assert model.alpha_min_ == model.alphas_[best]
    assert model.alpha_1se_ == allowed.max() > model.alpha_min_
    assert model.alpha_ == model.alpha_1se_
    other = kind(alphas=alphas, cv=5, rule="min").fit(X, y)
    assert other.alpha_ == model.alpha_min_
    assert np.linalg.norm(model.coef_) < np.linalg.norm(other.coef_)


def test_leave_one_out_needs_two_samples():
    with pytest.raises(ValueError, match="at least 2 samples, got n_samples=1"):
        RidgeCV().fit([[1.0]], [1.0])


def test_a_feature_that_depends_on_others_does_not_stop_the_path():
    # A feature with two values is an affine function of its own square.
    diabetes = load_diabetes()
    for seed in range(6):
        train = np.random.default_rng(seed).permutation(442)[:177]
        X = quadratic_regression()[:-1].fit_transform(diabetes.data[train])
        y = diabetes.target[train] - diabetes.target[train].mean()
        assert follow_path(X, y, 0.0).converged
        assert lasso_path(X, y, eps=1e-4)[2].max() < 1e-11 * (y @ y)


@pytest.mark.parametrize("alpha", [1e-11, 1e-13, 1e-16, 1e-300])
@pytest.mark.parametrize("shape", [(60, 8), (60, 50), (20, 40)])
def test_the_weakest_penalties_are_least_squares(shape, alpha):
    # Without a warning, although rounding errors are larger than the strength.
    X, y = centered(*make_data(*shape))
    expected, *_ = np.linalg.lstsq(X, y)
    model = Lasso(alpha, fit_intercept=False).fit(X, y)
    np.testing.assert_allclose(model.predict(X), X @ expected, rtol=1e-6, atol=1e-8)
    _, coefs, _ = lasso_path(X, y, alphas=[alpha])
    np.testing.assert_allclose(X @ coefs[:, 0], X @ expected, rtol=1e-6, atol=1e-8)
