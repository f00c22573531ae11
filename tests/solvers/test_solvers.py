import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet as SklearnElasticNet
from sklearn.linear_model import Ridge as SklearnRidge

from lessons_lib.penalties import L1, L2, ElasticNet
from lessons_lib.solvers import (
    active_set_newton,
    coordinate_descent,
    duality_gap,
    fista,
    gradient_descent,
    ista,
    lipschitz_constant,
    objective,
    subgradient_descent,
)

from ..rounding import assert_close, rounding

FEW = settings(max_examples=25, derandomize=True, deadline=None)
PROXIMAL = [ista, fista, coordinate_descent, active_set_newton]
ITERATIVE = [subgradient_descent, ista, fista, coordinate_descent]


def make_data(n_samples, n_features, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_features))
    y = X[:, :3] @ [2.0, -1.0, 0.5] + 0.5 * rng.normal(size=n_samples)
    return X, y


def strongest(X, y):
    """Return the smallest L1 strength that gives zero coefficients."""
    return float(np.abs(X.T @ y).max() / len(y))


def sklearn_coef(X, y, alpha, l1_ratio):
    """Return scikit-learn's solution of the same problem at its tightest tolerance."""
    model = SklearnElasticNet(
        alpha, l1_ratio=l1_ratio, fit_intercept=False, tol=1e-15, max_iter=1_000_000
    )
    return model.fit(X, y).coef_


@pytest.fixture(params=[(60, 10), (20, 40)], ids=["more samples", "more features"])
def data(request):
    return make_data(*request.param)


@pytest.mark.parametrize("solver", PROXIMAL)
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_proximal_solvers_agree_with_scikit_learn(solver, l1_ratio, data):
    X, y = data
    alpha = 0.1 * strongest(X, y)
    result = solver(X, y, ElasticNet(alpha, l1_ratio), tol=1e-14)
    expected = sklearn_coef(X, y, alpha, l1_ratio)
    assert result.converged
    np.testing.assert_allclose(result.coef, expected, atol=1e-6 * np.abs(expected).max())
    # Features that the solution does not use have coefficients of exactly zero.
    np.testing.assert_array_equal(result.coef == 0, expected == 0)


@pytest.mark.parametrize("solver", [gradient_descent, *ITERATIVE])
def test_ridge_by_every_solver(solver, data):
    X, y = data
    result = solver(X, y, L2(0.3), tol=1e-8, max_iter=50_000)
    expected = SklearnRidge(0.3 * len(y), fit_intercept=False).fit(X, y).coef_
    np.testing.assert_allclose(result.coef, expected, atol=1e-3 * np.abs(expected).max())


@pytest.mark.parametrize("solver", [gradient_descent, ista, fista, coordinate_descent])
def test_least_squares(solver):
    X, y = make_data(60, 10)
    result = solver(X, y, L2(0.0), tol=1e-14)
    expected, *_ = np.linalg.lstsq(X, y)
    np.testing.assert_allclose(result.coef, expected, atol=1e-6)


@pytest.mark.parametrize("solver", [gradient_descent, ista, fista, coordinate_descent])
def test_shrinking_toward_a_center(solver):
    X, y = make_data(60, 5)
    center = np.array([1.0, -2.0, 0.5, 0.0, 3.0])
    result = solver(X, y, L2(0.4, center=center), tol=1e-14)
    # In terms of the distance from the center it is an ordinary ridge regression.
    ridge = SklearnRidge(0.4 * 60, fit_intercept=False).fit(X, y - X @ center)
    np.testing.assert_allclose(result.coef, center + ridge.coef_, atol=1e-6)
    assert duality_gap(X, y, result.coef, L2(0.4, center=center)) < 1e-12
    assert duality_gap(X, y, result.coef + 0.1, L2(0.4, center=center)) > 1e-3


@pytest.mark.parametrize("solver", [ista, fista, coordinate_descent])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_an_unpenalized_column_of_ones_is_an_intercept(solver, l1_ratio):
    X, y = make_data(60, 5)
    y += 7.0
    penalty = ElasticNet(0.2, l1_ratio, penalized=np.array([True] * 5 + [False]))
    result = solver(np.column_stack([X, np.ones(60)]), y, penalty, tol=1e-14)
    model = SklearnElasticNet(0.2, l1_ratio=l1_ratio, tol=1e-14, max_iter=100_000).fit(X, y)
    np.testing.assert_allclose(result.coef, [*model.coef_, model.intercept_], atol=1e-6)
    assert result.dual_gap < 1e-12 * (y @ y)


@pytest.mark.parametrize("gram", [True, False])
@pytest.mark.parametrize("active_set", [True, False])
def test_variants_of_coordinate_descent(gram, active_set, data):
    X, y = data
    alpha = 0.1 * strongest(X, y)
    result = coordinate_descent(X, y, L1(alpha), gram=gram, active_set=active_set, tol=1e-14)
    np.testing.assert_allclose(result.coef, sklearn_coef(X, y, alpha, 1.0), atol=1e-6)


@pytest.mark.parametrize("fraction", [0.5, 0.1, 1e-2, 1e-4])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.9, 0.1])
@pytest.mark.parametrize("shape", [(80, 40), (40, 80)])
def test_active_set_newton_is_exact(fraction, l1_ratio, shape):
    X, y = make_data(*shape)
    X[:, 1] = X[:, 0] + 0.1 * X[:, 1]  # two nearly collinear columns
    y /= y.std()
    alpha = fraction * strongest(X, y) / l1_ratio
    penalty = ElasticNet(alpha, l1_ratio)
    result = active_set_newton(X, y, penalty)
    gradient = -X.T @ (y - X @ result.coef) / len(y)
    assert penalty.subdiff_distance(result.coef, gradient).max() < 1e-12
    assert result.dual_gap < 1e-13


def test_active_set_newton_starts_from_a_neighbor():
    X, y = make_data(200, 60)
    alpha = 0.1 * strongest(X, y)
    near = active_set_newton(X, y, L1(1.1 * alpha)).coef
    result = active_set_newton(X, y, L1(alpha), coef_init=near)
    np.testing.assert_allclose(result.coef, sklearn_coef(X, y, alpha, 1.0), atol=1e-10)


def test_active_set_newton_forgets_a_start_that_was_far_off():
    X, y = make_data(200, 60)
    largest = strongest(X, y)
    start = np.random.default_rng(0).normal(size=60)
    assert not active_set_newton(X, y, L1(largest), coef_init=start).coef.any()
    result = active_set_newton(X, y, L1(0.1 * largest), coef_init=start)
    np.testing.assert_allclose(result.coef, sklearn_coef(X, y, 0.1 * largest, 1.0), atol=1e-10)


# ------------------------------------------------------------------------------------ certificate


@FEW
@given(
    seed=st.integers(0, 10_000),
    l1_ratio=st.sampled_from([0.0, 0.3, 1.0]),
    fraction=st.floats(0.01, 1.5),
    with_bias=st.booleans(),
)
def test_the_duality_gap_bounds_the_error(seed, l1_ratio, fraction, with_bias):
    rng = np.random.default_rng(seed)
    n_samples, n_features = rng.integers(2, 15, size=2)
    X, y = rng.normal(size=(n_samples, n_features)), rng.normal(size=n_samples)
    penalized = np.ones(n_features, dtype=bool)
    if with_bias:
        X[:, 0], penalized[0] = 1.0, False
    penalty = ElasticNet(fraction * strongest(X, y) + 1e-3, l1_ratio, penalized)
    best = fista(X, y, penalty, tol=1e-13, max_iter=20_000)
    minimum = objective(X, y, best.coef, penalty)
    for distance in (1.0, 1e-2, 0.0):
        coef = best.coef + distance * rng.normal(size=n_features)
        error = objective(X, y, coef, penalty) - minimum
        assert error <= duality_gap(X, y, coef, penalty) + 1e-11 * (1 + y @ y)


def test_the_duality_gap_is_scikit_learns():
    X, y = make_data(60, 10)
    model = SklearnElasticNet(0.1, l1_ratio=0.7, fit_intercept=False, tol=1e-2).fit(X, y)
    gap = duality_gap(X, y, model.coef_, ElasticNet(0.1, 0.7))
    assert gap == pytest.approx(model.dual_gap_, rel=1e-6)


# -------------------------------------------------------------------------------------- histories


@pytest.mark.parametrize("solver", [*PROXIMAL, subgradient_descent])
def test_history(solver):
    X, y = make_data(200, 40)
    penalty = L1(0.1 * strongest(X, y))
    result = solver(X, y, penalty, max_iter=30, tol=None, record=True)
    history = result.history
    assert len(history.objective) == result.n_iter + 1
    np.testing.assert_array_equal(history.coefs[-1], result.coef)
    for t in {0, 1, result.n_iter}:
        coef = history.coefs[t]
        assert history.objective[t] == pytest.approx(objective(X, y, coef, penalty), rel=1e-12)
        assert history.dual_gap[t] == pytest.approx(duality_gap(X, y, coef, penalty), abs=1e-12)
        assert history.support_size[t] == np.count_nonzero(coef)
    assert (np.diff(history.seconds) >= 0).all()
    assert solver(X, y, penalty, max_iter=30, tol=None).history is None


@pytest.mark.parametrize("solver", [ista, coordinate_descent])
def test_descent_methods_never_go_up(solver):
    X, y = make_data(50, 80)
    history = solver(X, y, L1(0.05), tol=None, max_iter=200, record=True).history
    assert (np.diff(history.objective) <= rounding(np.float64, 50) * history.objective[0]).all()


def test_gradient_descent_takes_the_step_in_its_formula():
    X, y = make_data(30, 4)
    start = np.array([1.0, 0.0, -1.0, 2.0])
    result = gradient_descent(
        X, y, L2(0.5), learning_rate=0.1, coef_init=start, max_iter=1, tol=None
    )
    expected = start - 0.1 * (-X.T @ (y - X @ start) / 30 + 0.5 * start)
    assert_close(result.coef, expected, terms=30, scale=np.abs(X).max() * np.abs(y).max())


def test_ista_converges_at_its_proven_rate_and_fista_at_its_own():
    X, y = load_diabetes(return_X_y=True)
    X, y = X / X.std(axis=0), y - y.mean()
    penalty = L1(0.01 * strongest(X, y))
    best = active_set_newton(X, y, penalty).coef
    minimum, distance = objective(X, y, best, penalty), best @ best
    steps, L = np.arange(1, 301), lipschitz_constant(X)
    slow, fast, restarted = (
        solver(X, y, penalty, tol=None, max_iter=300, record=True, **options).history
        for solver, options in ((ista, {}), (fista, {"restart": False}), (fista, {}))
    )
    assert (slow.objective[1:] - minimum <= L * distance / (2 * steps)).all()
    assert (fast.objective[1:] - minimum <= 2 * L * distance / (steps + 1) ** 2).all()
    assert restarted.objective[-1] - minimum < fast.objective[-1] - minimum
    assert fast.objective[-1] < slow.objective[-1]


def test_subgradient_steps_do_not_reach_exact_zeros():
    X, y = make_data(200, 40)
    penalty = L1(0.1 * strongest(X, y))
    plain = subgradient_descent(X, y, penalty, tol=None, max_iter=500)
    proximal = ista(X, y, penalty, tol=None, max_iter=500)
    assert np.count_nonzero(plain.coef) == 40
    assert np.count_nonzero(proximal.coef) < 20
    np.testing.assert_allclose(plain.coef, proximal.coef, atol=0.05)


def test_lipschitz_constant(data):
    X, _ = data
    expected = np.linalg.norm(X, 2) ** 2 / len(X)
    assert lipschitz_constant(X) == pytest.approx(expected, rel=1e-12)


# ------------------------------------------------------------------------------ stopping and limits


@pytest.mark.parametrize("solver", ITERATIVE)
def test_solvers_stop_on_the_stated_criterion(solver):
    X, y = make_data(60, 10)
    result = solver(X, y, L1(0.1), tol=1e-3, max_iter=20_000, record=True)
    bound = 1e-3 * (y @ y) / 60
    assert result.converged
    assert result.dual_gap <= bound < result.history.dual_gap[-2]


@pytest.mark.parametrize("solver", [gradient_descent, *ITERATIVE])
def test_solvers_warn_when_they_do_not_converge(solver):
    X, y = make_data(60, 10)
    with pytest.warns(ConvergenceWarning, match=f"{solver.__name__} stopped after 2 iterations"):
        result = solver(X, y, L2(0.1), tol=1e-12, max_iter=2)
    assert not result.converged
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = solver(X, y, L2(0.1), tol=None, max_iter=2)
    assert result.n_iter == 2


@pytest.mark.parametrize("solver", [*PROXIMAL, subgradient_descent])
def test_zero_from_alpha_max_on(solver):
    X, y = make_data(60, 10)
    largest = strongest(X, y)
    assert not solver(X, y, L1(largest)).coef.any()
    assert solver(X, y, L1(0.99 * largest), tol=None, max_iter=50).coef.any()


@pytest.mark.parametrize("solver", PROXIMAL)
def test_zero_target_and_zero_column(solver):
    X, y = make_data(30, 5)
    assert not solver(X, np.zeros(30), L1(0.1)).coef.any()
    X[:, 2] = 0.0
    assert solver(X, y, L1(0.1)).coef[2] == 0.0


@pytest.mark.parametrize("solver", [gradient_descent, *ITERATIVE])
def test_inputs_are_not_changed(solver):
    X, y = make_data(30, 5)
    start = np.ones(5)
    before = X.copy(), y.copy(), start.copy()
    solver(X, y, L2(0.1), coef_init=start, tol=None, max_iter=3)
    for now, then in zip((X, y, start), before, strict=True):
        np.testing.assert_array_equal(now, then)


# ---------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize("solver", [gradient_descent, *ITERATIVE])
def test_bad_input(solver):
    X, y = make_data(30, 5)
    penalty = L2(0.1)
    with pytest.raises(ValueError, match="NaN"):
        solver(np.where(X > 2, np.nan, X), y, penalty)
    with pytest.raises(ValueError, match="infinity"):
        solver(X, np.where(y > 1, np.inf, y), penalty)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        solver(X, y[:-1], penalty)
    with pytest.raises(ValueError, match="coef_init must be 5 finite numbers"):
        solver(X, y, penalty, coef_init=np.zeros(4))
    with pytest.raises(ValueError, match=r"tol must lie in \[0, inf\)"):
        solver(X, y, penalty, tol=-1.0)
    with pytest.raises(ValueError, match="max_iter must be at least 0"):
        solver(X, y, penalty, max_iter=-1)
    with pytest.raises(TypeError, match="max_iter must be an integer"):
        solver(X, y, penalty, max_iter=2.5)


def test_bad_input_to_single_solvers():
    X, y = make_data(30, 5)
    with pytest.raises(TypeError, match="penalty must have a gradient, got L1"):
        gradient_descent(X, y, L1(0.1))
    with pytest.raises(ValueError, match=r"learning_rate must lie in \(0, inf\)"):
        ista(X, y, L1(0.1), learning_rate=0.0)
    with pytest.raises(ValueError, match="gram must be True, False or 'auto'"):
        coordinate_descent(X, y, L1(0.1), gram="yes")
    with pytest.raises(ValueError, match="penalty must have a positive L1 part"):
        active_set_newton(X, y, L2(0.1))
    with pytest.raises(ValueError, match="penalty must have a positive L1 part"):
        active_set_newton(X, y, L1(0.1, penalized=np.arange(5) > 0))
